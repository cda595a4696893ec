"""PCM that a task makes while a listener takes it, and a cancel that is felt at once."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Self

from isoline_voice.audio.finishing import OUTPUT_RATE

LARGEST_PIECE = int(0.2 * OUTPUT_RATE) * 2
"""Bytes; what is ready is handed out together up to about this."""


class HandedOver(ABC):
    """The `Pieces` of one Speech, made by one task and taken by another.

    The maker calls `_arrive` when there is something to take, and awaits `_room` where it is too far ahead. `closed` is
    called once with the seconds of audio handed out, when all has been taken or at `aclose`.
    """

    def __init__(self, make: Coroutine[Any, Any, None], *, closed: Callable[[float], None]) -> None:
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._given = 0
        self._over = False
        self._closed = closed
        self._making = asyncio.ensure_future(make)
        self._making.add_done_callback(lambda _: self._arrived.set())

    @abstractmethod
    def _take(self) -> bytes:
        """What is ready, about LARGEST_PIECE at most; empty when nothing is. Sets `_room` when the maker may go on."""

    @abstractmethod
    def _drop(self) -> None:
        """Let go of what is ready."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            if piece := self._take():
                self._given += len(piece)
                await asyncio.sleep(0)  # audio may be ready for minutes ahead; the others' turn comes all the same
                return piece
            if self._making.done():
                self._end()
                self._making.result()
                break
            self._arrived.clear()
            await self._arrived.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop; the maker is cancelled and gone when this returns."""
        self._end()
        self._making.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._making

    def _arrive(self) -> None:
        self._arrived.set()

    async def _room_is_made(self) -> None:
        self._room.clear()
        await self._room.wait()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._drop()
            self._closed(self._given / 2 / OUTPUT_RATE)
            self._arrived.set()
