"""One text being spoken: fetches part after part from the workers and hands out finished audio."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from isoline_voice.audio.finishing import OUTPUT_RATE, Finisher
from isoline_voice.audio.world import Shape
from isoline_voice.engines.embedded.fresh import FreshWorker
from isoline_voice.engines.embedded.planning import Part
from isoline_voice.engines.embedded.pool import WorkerPool
from isoline_voice.engines.embedded.vocoder import Vocoder
from isoline_voice.engines.protocol import Priority
from isoline_voice.errors import VoiceError

AHEAD_SECONDS = 4.0
"""The next part is fetched once less than this is waiting to be taken. A part is spoken a thousand times faster than it
plays, so a listener never waits, and a text of any length needs the memory of a part or two."""

LARGEST_PIECE = int(0.2 * OUTPUT_RATE) * 2
"""Bytes; what is ready is handed out together up to about this."""


class _Begin(NamedTuple):
    gain: float


class _End(NamedTuple):
    pause: float


class _Finish(NamedTuple):
    pass


class Utterance:
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
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._given = 0
        self._over = False
        self._closed = closed
        self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        self._fetching.add_done_callback(lambda _: self._arrived.set())

    def __aiter__(self) -> Utterance:
        return self

    async def __anext__(self) -> bytes:
        piece = bytearray()
        while not self._over:
            while self._waiting and len(piece) < LARGEST_PIECE:
                piece += self._finished(self._waiting.popleft())
            if self._waiting_bytes < self._ahead:
                self._room.set()
            if piece:
                self._given += len(piece)
                await asyncio.sleep(0)  # audio may be ready for minutes ahead; the others' turn comes all the same
                return bytes(piece)
            if self._fetching.done() and not self._waiting:
                self._end()
                self._fetching.result()
                break
            self._arrived.clear()
            await self._arrived.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop; the worker is told at once."""
        self._end()
        self._fetching.cancel()
        with contextlib.suppress(asyncio.CancelledError, VoiceError):
            await self._fetching

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._waiting.clear()
            self._closed(self, self._given / 2 / OUTPUT_RATE)
            self._arrived.set()

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
                    self._room.clear()
                    await self._room.wait()
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
        self._arrived.set()
