"""PCM that a coroutine puts into a bounded buffer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from isoline_voice.audio.finishing import OUTPUT_RATE
from isoline_voice.engines.handover import LARGEST_PIECE, HandedOver

AHEAD_BYTES = int(30 * OUTPUT_RATE) * 2
"""The producer waits when this much is not yet taken: an engine is not held up by a listener who reads in real time,
and memory stays bounded."""

Put: TypeAlias = Callable[[bytes], Awaitable[None]]


class ProducedPieces(HandedOver):
    """The `Pieces` of one Speech, from `produce`, which is given a function to put PCM with; it starts at once."""

    def __init__(self, produce: Callable[[Put], Awaitable[None]], *, closed: Callable[[float], None]) -> None:
        self._buffer = bytearray()
        super().__init__(self._run(produce), closed=closed)

    def _take(self) -> bytes:
        piece = bytes(self._buffer[:LARGEST_PIECE])
        del self._buffer[:LARGEST_PIECE]
        self._room.set()
        return piece

    def _drop(self) -> None:
        self._buffer.clear()

    async def _run(self, produce: Callable[[Put], Awaitable[None]]) -> None:
        await produce(self._put)

    async def _put(self, pcm: bytes) -> None:
        self._buffer += pcm
        if pcm:
            self._arrive()
        while len(self._buffer) > AHEAD_BYTES:
            await self._room_is_made()
