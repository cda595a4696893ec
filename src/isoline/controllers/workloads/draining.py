"""Letting a replica finish what it has begun before it is asked to end."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from isoline.controllers.clock import Clock

SETTLE = 0.25
"""Seconds for the gateway to take up that an endpoint is gone; it needs a few milliseconds."""
POLL = 0.05
_ESTABLISHED = "01"


def open_connections(ports: Collection[int], *, proc: Path = Path("/proc/net")) -> int:
    """Return how many connections to these local TCP ports are established, as the kernel lists them."""
    endings = {f":{port:04X}" for port in ports}
    count = 0
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split(maxsplit=4)
            count += columns[3] == _ESTABLISHED and columns[1][-5:] in endings
    return count


async def drained(ports: Collection[int], *, at_most: float, clock: Clock) -> bool:
    """Wait until nobody is connected to these ports any more; returns False if somebody still is after `at_most` s.

    Once an endpoint is gone the gateway closes its idle connections, and the others when their request is done. So no
    connection means no request under way, without asking the program or the gateway.
    """
    waited = 0.0
    while await asyncio.to_thread(open_connections, ports):
        if waited >= at_most:
            return False
        await clock.sleep(POLL)
        waited += POLL
    return True
