"""What a control plane keeps of what it sent, for an Envoy that starts before the API server has answered."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from isoline.gateway import Snapshot
from isoline.version import VERSION
from isoline.xds.server import Server

FED_SECONDS = 0.1
"""An Envoy that has had nothing to answer for so long has what was kept."""
FEEDING_SECONDS = 5.0
"""How long the present waits for that at most."""


def snapshot(path: Path, told: Iterable[str]) -> Snapshot:
    """Return the snapshot of this file, for a control plane of this version that was told this."""
    return Snapshot(path, made_for="\n".join((VERSION, *told)))


async def fed(server: Server) -> None:
    """Wait while Envoys are served what was kept: to compile the present meanwhile would only hold that up."""
    loop = asyncio.get_running_loop()
    now = quiet = loop.time()
    end = now + FEEDING_SECONDS
    while now < end and now - quiet < FED_SECONDS:
        await asyncio.sleep(FED_SECONDS / 5)
        now = loop.time()
        if any(each.fresh and not each.is_fed for each in server.streams):
            quiet = now
