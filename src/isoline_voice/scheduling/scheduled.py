"""A Speech that holds a slot for as long as it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from isoline_voice.engines.protocol import Pieces, Speech
from isoline_voice.errors import DeadlineError
from isoline_voice.scheduling.scheduler import Slot


class SlottedPieces:
    """The pieces of a speech; the slot is given back when they end, fail or are closed.

    `first_audio_by` is the moment, on the loop's clock, by which the first piece has to be there.
    """

    def __init__(self, pieces: Pieces, slot: Slot, *, first_audio_by: float | None) -> None:
        self._pieces = pieces
        self._slot = slot
        self._by = first_audio_by

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout_at(self._by):
                piece = await self._pieces.__anext__()
        except TimeoutError as error:
            await self.aclose()
            raise DeadlineError("The request's deadline passed before its first audio.") from error
        except BaseException:
            self._slot.release()
            raise
        self._by = None
        return piece

    async def aclose(self) -> None:
        """Stop, then give the slot back."""
        try:
            await self._pieces.aclose()
        finally:
            self._slot.release()


def slotted(speech: Speech, slot: Slot, *, first_audio_by: float | None) -> Speech:
    """The same speech, holding a slot."""
    return replace(speech, pieces=SlottedPieces(speech.pieces, slot, first_audio_by=first_audio_by))
