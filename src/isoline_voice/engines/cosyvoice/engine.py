"""CosyVoice3 in a process on this machine, behind the engine protocol."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from isoline_voice.audio.finishing import OUTPUT_RATE, Finisher
from isoline_voice.audio.levels import gain_of
from isoline_voice.engines.cosyvoice.frames import Job
from isoline_voice.engines.cosyvoice.process import PROGRESS_SECONDS, GpuWorker
from isoline_voice.engines.cosyvoice.recordings import Recordings
from isoline_voice.engines.cosyvoice_text import MAX_CHARACTERS, model_pieces, text_warnings
from isoline_voice.engines.instructions import DIALECTS, EMOTIONS, LANGUAGES, PERSONAS, controls
from isoline_voice.engines.produced import ProducedPieces, Put
from isoline_voice.engines.protocol import (
    Capabilities,
    EngineStats,
    Health,
    Reference,
    Speech,
    SpeechRequest,
    Voice,
)
from isoline_voice.engines.recorded import RecordedVoice, recorded_voice
from isoline_voice.text.tags import SOUNDS, SPANS

ENGINE = "cosyvoice"


class CosyVoiceEngine:
    """The model in `folder`, spoken to one piece of text at a time, so that texts take turns."""

    def __init__(
        self,
        folder: str,
        voices: Sequence[RecordedVoice] = (),
        *,
        environment: dict[str, str] | None = None,
        progress: float = PROGRESS_SECONDS,
    ) -> None:
        self.worker = GpuWorker(folder, environment=environment, progress=progress)
        self._voices = {recorded.voice.id: recorded for recorded in voices}
        self._files = contextlib.ExitStack()
        self._recordings: Recordings | None = None
        self._active: set[ProducedPieces] = set()
        self._utterances = 0
        self._audio_seconds = 0.0

    @property
    def name(self) -> str:
        """The engine's name."""
        return ENGINE

    @property
    def capabilities(self) -> Capabilities:
        """What the model was trained for."""
        return Capabilities(
            dialects=DIALECTS | {"普通话"},
            languages=LANGUAGES,
            emotions=frozenset(EMOTIONS),
            volume=True,
            rate=True,
            pitch=False,
            cloning=True,
            max_characters=MAX_CHARACTERS,
            personas=frozenset(PERSONAS),
            tags=frozenset(SOUNDS) | {f"<{span}>" for span in SPANS},
            phonemes=True,
            instructions=True,
        )

    def voices(self) -> Sequence[Voice]:
        """Those that it was given recordings for; the model has none of its own."""
        return [recorded.voice for recorded in self._voices.values()]

    async def start(self) -> None:
        """Begin to load the model, which takes a while; `health` tells when it is there."""
        if self._recordings is None:
            folder = self._files.enter_context(tempfile.TemporaryDirectory(prefix="isoline-voice-"))
            self._recordings = Recordings(Path(folder))
        await self.worker.start()

    async def stop(self) -> None:
        """Close every utterance and end the worker."""
        for pieces in tuple(self._active):
            await pieces.aclose()
        await self.worker.stop()
        self._files.close()
        self._recordings = None

    async def health(self) -> Health:
        """Ready while the model is loaded."""
        ready = self.worker.ready.is_set()
        return Health(ready, "the model is loaded" if ready else self.worker.trouble)

    def stats(self) -> EngineStats:
        """Figures for the metrics page."""
        return EngineStats(
            workers=int(self.worker.ready.is_set()),
            busy=int(self.worker.busy),
            queued=self.worker.waiting,
            active=len(self._active),
            restarts=self.worker.restarts,
            utterances=self._utterances,
            audio_seconds=self._audio_seconds,
        )

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak; see `Engine.speak`. EngineUnavailableError says when the model is likely to be back."""
        voice, reference = recorded_voice(request, self._voices, engine=ENGINE)
        pieces = model_pieces(request)
        if self._recordings is None or not self.worker.ready.is_set():
            raise self.worker.unavailable()
        recording = self._recordings.path(reference)
        asked = controls(request.style, instructed=True)
        jobs = (_job(request, piece, reference, recording, asked.instruction) for piece in pieces)

        async def produce(put: Put) -> None:
            finisher = Finisher(self.worker.rate, stretch=asked.stretch / request.speed)
            for job in jobs:
                finisher.begin(gain=gain_of(asked.gain))
                async with contextlib.aclosing(self.worker.speak(job)) as spoken:
                    async for pcm in spoken:
                        await put(finisher.feed(pcm))
                await put(finisher.end(pause=0.0))
            await put(finisher.finish())

        def closed(seconds: float) -> None:
            self._active.discard(produced)
            self._audio_seconds += seconds

        produced = ProducedPieces(produce, closed=closed)
        self._active.add(produced)
        self._utterances += 1
        warnings = (*asked.warnings, *text_warnings(request.text))
        return Speech(OUTPUT_RATE, voice, request.style, warnings, produced)


def _job(request: SpeechRequest, text: str, reference: Reference, recording: str, instruction: str | None) -> Job:
    if instruction is not None:
        return Job("instruct", text, recording, instruction, request.seed)
    if reference.transcript:
        return Job("zero_shot", text, recording, reference.transcript, request.seed)
    return Job("cross_lingual", text, recording, seed=request.seed)
