"""PCM that a coroutine produces while a listener takes it: a bounded buffer, and a cancel that is felt at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from isoline_voice.audio.finishing import OUTPUT_RATE

AHEAD_BYTES = int(30 * OUTPUT_RATE) * 2
"""The producer waits when this much is not yet taken: an engine is not held up by a listener who reads in real time,
and memory stays bounded."""
LARGEST_PIECE = int(0.2 * OUTPUT_RATE) * 2

Put: TypeAlias = Callable[[bytes], Awaitable[None]]


class ProducedPieces:
    """The `Pieces` of one Speech, from `produce`, which is given a function to put PCM with.

    Production starts at once. `closed` is called once with the seconds of audio handed out, at the end or at `aclose`.
    """

    def __init__(self, produce: Callable[[Put], Awaitable[None]], *, closed: Callable[[float], None]) -> None:
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._given = 0
        self._over = False
        self._closed = closed
        self._producing = asyncio.ensure_future(self._run(produce))
        self._producing.add_done_callback(lambda _: self._arrived.set())

    def __aiter__(self) -> ProducedPieces:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            if self._buffer:
                piece = bytes(self._buffer[:LARGEST_PIECE])
                del self._buffer[:LARGEST_PIECE]
                self._given += len(piece)
                self._room.set()
                await asyncio.sleep(0)  # much may be ready; the others' turn comes all the same
                return piece
            if self._producing.done():
                self._end()
                self._producing.result()
                break
            self._arrived.clear()
            await self._arrived.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop; the producer is cancelled and gone when this returns."""
        self._end()
        self._producing.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._producing

    async def _run(self, produce: Callable[[Put], Awaitable[None]]) -> None:
        await produce(self._put)

    async def _put(self, pcm: bytes) -> None:
        self._buffer += pcm
        if pcm:
            self._arrived.set()
        while len(self._buffer) > AHEAD_BYTES:
            self._room.clear()
            await self._room.wait()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._buffer.clear()
            self._closed(self._given / 2 / OUTPUT_RATE)
            self._arrived.set()
