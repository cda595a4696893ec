"""Draining: a replica is not asked to end while somebody still is connected to it."""

import asyncio
import socket
from pathlib import Path

from isoline.controllers.clock import SystemClock
from isoline.controllers.workloads.draining import drained, open_connections
from unit.controllers.support import FakeClock

# Two connections to port 0x1F90 (8080), one listening socket on it, and one from it as a client's port.
TABLE = """  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000
   2: 0100007F:1F90 0100007F:D2F2 01 00000000:00000000
   3: 0100007F:1F90 0100007F:D2F4 06 00000000:00000000
   4: 0100007F:D2F0 0100007F:1F90 01 00000000:00000000
"""


def test_only_established_connections_to_the_port_count(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TABLE)

    assert open_connections([8080], proc=tmp_path) == 2
    assert open_connections([8081], proc=tmp_path) == 0


async def test_a_replica_is_drained_when_the_last_client_has_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        connection, _ = server.accept()
        with connection:
            waiting = asyncio.create_task(drained([port], at_most=30, clock=SystemClock()))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            client.close()
            connection.close()
            assert await asyncio.wait_for(waiting, 10)


async def test_a_client_that_stays_is_waited_for_only_so_long() -> None:
    clock = FakeClock()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            waiting = asyncio.create_task(drained([port], at_most=5, clock=clock))
            while not waiting.done():
                await clock.advance(0.1)
                await asyncio.sleep(0.001)
            assert not await waiting
