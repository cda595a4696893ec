"""What the engines of CosyVoice3 share, wherever the model runs: what it can do, and one utterance after another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

from isoline_voice.audio.finishing import OUTPUT_RATE, Finisher
from isoline_voice.audio.levels import gain_of
from isoline_voice.engines.cosyvoice_text import MAX_CHARACTERS, text_warnings
from isoline_voice.engines.instructions import DIALECTS, EMOTIONS, LANGUAGES, PERSONAS, Controls
from isoline_voice.engines.produced import ProducedPieces, Put
from isoline_voice.engines.protocol import Capabilities, Speech, SpeechRequest, Voice
from isoline_voice.text.tags import SOUNDS, SPANS

Job = TypeVar("Job")


def model_capabilities(*, instructed: bool) -> Capabilities:
    """What the model was trained for; without instructions, less what only they ask for."""
    return Capabilities(
        dialects=DIALECTS | {"普通话"} if instructed else frozenset({"普通话"}),
        languages=LANGUAGES,
        emotions=frozenset(EMOTIONS) if instructed else frozenset(),
        volume=True,
        rate=True,
        pitch=False,
        cloning=True,
        max_characters=MAX_CHARACTERS,
        personas=frozenset(PERSONAS) if instructed else frozenset(),
        tags=frozenset(SOUNDS) | {f"<{span}>" for span in SPANS},
        phonemes=True,
        instructions=instructed,
    )


class Utterances:
    """What is being spoken, and the figures of what has been."""

    def __init__(self) -> None:
        self._active: set[ProducedPieces] = set()
        self.begun = 0
        self.audio_seconds = 0.0
        """Of those that have ended."""

    @property
    def active(self) -> int:
        """How many are under way."""
        return len(self._active)

    def begin(
        self,
        request: SpeechRequest,
        voice: Voice,
        asked: Controls,
        jobs: Iterable[Job],
        speak: Callable[[Job], AsyncGenerator[bytes, None]],
        *,
        rate: int,
    ) -> Speech:
        """The speech of `jobs`, one after the other; `speak` gives the PCM of one at `rate`."""
        finisher = Finisher(rate, stretch=asked.stretch / request.speed)

        async def produce(put: Put) -> None:
            for job in jobs:
                finisher.begin(gain=gain_of(asked.gain))
                async with contextlib.aclosing(speak(job)) as spoken:
                    async for pcm in spoken:
                        await put(finisher.feed(pcm))
                await put(finisher.end(pause=0.0))
            await put(finisher.finish())

        def closed(seconds: float) -> None:
            self._active.discard(produced)
            self.audio_seconds += seconds

        produced = ProducedPieces(produce, closed=closed)
        self._active.add(produced)
        self.begun += 1
        warnings = (*asked.warnings, *text_warnings(request.text))
        return Speech(OUTPUT_RATE, voice, request.style, warnings, produced)

    async def close(self) -> None:
        """End whatever is under way."""
        for pieces in tuple(self._active):
            await pieces.aclose()
