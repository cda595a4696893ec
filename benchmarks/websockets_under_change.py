"""WebSockets that stay open, and upgrades that succeed, while something changes every second."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException

OPEN = 200
NEW_EACH_SECOND = 20


class Outcome(NamedTuple):
    opened: int
    lost: int
    upgrades: int
    failed_upgrades: int
    changes: int


@contextlib.asynccontextmanager
async def echo_server(port: int) -> AsyncIterator[None]:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", port, max_queue=None):
        yield


async def measure(port: int, host: str, change: Callable[[], Awaitable[None]], *, seconds: int) -> Outcome:
    """Holds 200 WebSockets open and makes 20 more upgrades a second, while `change` is called once a second."""
    held = await asyncio.gather(*(open_websocket(port, host) for _ in range(OPEN)))
    alive = [connection for connection in held if connection is not None]
    closing: list[asyncio.Task[None]] = []
    """In the background: Envoy gives the last bytes a second to arrive."""
    changes = upgrades = failed = 0
    for _ in range(seconds):
        await change()
        changes += 1
        for _ in range(NEW_EACH_SECOND):
            upgrades += 1
            fresh = await open_websocket(port, host)
            if fresh is None or not await _answers(fresh):
                failed += 1
            if fresh is not None:
                closing.append(asyncio.create_task(fresh.close()))
            await asyncio.sleep(1 / NEW_EACH_SECOND)
    answers = await asyncio.gather(*(_answers(connection) for connection in alive))
    await asyncio.gather(*closing, *(connection.close() for connection in alive))
    return Outcome(OPEN, OPEN - sum(answers), upgrades, failed, changes)


async def open_websocket(port: int, host: str) -> ClientConnection | None:
    """A WebSocket through the gateway; None when the upgrade fails."""
    try:
        return await connect(f"ws://{host}:{port}/ws", host="127.0.0.1", port=port, ping_interval=None, proxy=None)
    except (OSError, WebSocketException, TimeoutError):
        return None


async def _answers(connection: ClientConnection) -> bool:
    try:
        await connection.send("here?")
        return await asyncio.wait_for(connection.recv(), 10) == "here?"
    except (ConnectionClosed, TimeoutError):
        return False
