"""Connections that are taken at one address and belong to another."""

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable, Sequence


class Forwarder:
    """Takes connections from a socket, each to one of the addresses that there are when it comes."""

    def __init__(self, targets: Callable[[], Sequence[tuple[str, int]]]) -> None:
        self._targets = targets
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, listening: socket.socket) -> None:
        """Take what comes from now on."""
        self._server = await asyncio.start_server(self._forward, sock=listening)

    def close(self) -> None:
        """Take no more; what is open stays."""
        self._server.close()

    def end(self) -> None:
        """Take no more, and end what is open."""
        self.close()
        for connection in self._connections:
            connection.cancel()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        # Cancelled by `end`: asyncio would log that as a fault of its own.
        with contextlib.suppress(OSError, IndexError, asyncio.CancelledError), contextlib.closing(writer):
            there, back = await asyncio.open_connection(*random.choice(self._targets()))
            with contextlib.closing(back):
                await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
