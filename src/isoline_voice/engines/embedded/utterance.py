"""One text being spoken: fetches part after part from the workers and hands out finished audio."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from isoline_voice.audio.finishing import Finisher
from isoline_voice.audio.world import Shape
from isoline_voice.engines.embedded.fresh import FreshWorker
from isoline_voice.engines.embedded.planning import Part
from isoline_voice.engines.embedded.pool import WorkerPool
from isoline_voice.engines.embedded.vocoder import Vocoder
from isoline_voice.engines.handover import LARGEST_PIECE, HandedOver
from isoline_voice.engines.protocol import Priority

AHEAD_SECONDS = 4.0
"""The next part is fetched once less than this is waiting to be taken. A part is spoken a thousand times faster than it
plays, so a listener never waits, and a text of any length needs the memory of a part or two."""


class _Begin(NamedTuple):
    gain: float


class _End(NamedTuple):
    pause: float


class _Finish(NamedTuple):
    pass


class Utterance(HandedOver):
    """The `Pieces` of one Speech. Fetching starts at once, on the running loop.

    `closed` is called once with the seconds of audio handed out, when all has been taken or at `aclose`.
    """

    def __init__(
        self,
        source: WorkerPool | FreshWorker,
        parts: Iterator[Part],
        *,
        stretch: float,
        vocoder: Vocoder,
        shape: Shape,
        client: str,
        priority: Priority,
        closed: Callable[[Utterance, float], None],
    ) -> None:
        self._source = source
        self._parts = parts
        self._vocoder = vocoder
        self._shape = shape
        self._client = client
        self._priority: Priority = priority
        self._finisher = Finisher(source.rate, stretch=stretch)
        self._waiting: deque[bytes | _Begin | _End | _Finish] = deque()
        self._waiting_bytes = 0
        self._ahead = int(AHEAD_SECONDS * source.rate / stretch) * 2
        super().__init__(self._fetch(), closed=lambda seconds: closed(self, seconds))

    def _take(self) -> bytes:
        piece = bytearray()
        while self._waiting and len(piece) < LARGEST_PIECE:
            piece += self._finished(self._waiting.popleft())
        if self._waiting_bytes < self._ahead:
            self._room.set()
        return bytes(piece)

    def _drop(self) -> None:
        self._waiting.clear()

    def _finished(self, event: bytes | _Begin | _End | _Finish) -> bytes:
        match event:
            case bytes():
                self._waiting_bytes -= len(event)
                return self._finisher.feed(event)
            case _Begin(gain):
                self._finisher.begin(gain=gain)
                return b""
            case _End(pause):
                return self._finisher.end(pause=pause)
            case _Finish():
                return self._finisher.finish()

    async def _fetch(self) -> None:
        try:
            for part in self._parts:
                while self._waiting_bytes >= self._ahead:
                    await self._room_is_made()
                await (self._fetch_shaped(part) if self._shape else self._fetch_part(part))
            self._put(_Finish())
        finally:
            await self._source.release()

    async def _fetch_part(self, part: Part) -> None:
        """A part begun again after a worker's death goes on where it was, with a soft seam instead of a repetition."""
        received = skip = 0

        def heard(pcm: bytes) -> None:
            nonlocal received, skip
            skipped = min(skip, len(pcm))
            skip -= skipped
            if skipped < len(pcm):
                received += len(pcm) - skipped
                self._waiting_bytes += len(pcm) - skipped
                self._put(pcm[skipped:])

        def restarted() -> None:
            nonlocal skip
            skip = received
            if received:
                self._put(_End(0.0))
                self._put(_Begin(part.gain))

        self._put(_Begin(part.gain))
        await self._source.speak(part.job, heard, restarted=restarted, client=self._client, priority=self._priority)
        self._put(_End(part.pause))

    async def _fetch_shaped(self, part: Part) -> None:
        """A part that WORLD changes, which takes it whole."""
        spoken = bytearray()
        await self._source.speak(
            part.job, spoken.extend, restarted=spoken.clear, client=self._client, priority=self._priority
        )
        self._put(_Begin(part.gain))
        shaping = self._vocoder.reshape(bytes(spoken), self._source.rate, self._shape)
        async with contextlib.aclosing(shaping) as shaped:
            async for piece in shaped:
                self._waiting_bytes += len(piece)
                self._put(piece)
        self._put(_End(part.pause))

    def _put(self, event: bytes | _Begin | _End | _Finish) -> None:
        self._waiting.append(event)
        self._arrive()
