"""CosyVoice3 in a process on this machine, behind the engine protocol."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from isoline_voice.engines.cosyvoice.frames import Job
from isoline_voice.engines.cosyvoice.process import PROGRESS_SECONDS, GpuWorker
from isoline_voice.engines.cosyvoice.recordings import Recordings
from isoline_voice.engines.cosyvoice_text import model_pieces
from isoline_voice.engines.instructions import controls
from isoline_voice.engines.model_speech import Utterances, model_capabilities
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
        self._utterances = Utterances()

    @property
    def name(self) -> str:
        """The engine's name."""
        return ENGINE

    @property
    def capabilities(self) -> Capabilities:
        """What the model was trained for."""
        return model_capabilities(instructed=True)

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
        await self._utterances.close()
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
            active=self._utterances.active,
            restarts=self.worker.restarts,
            utterances=self._utterances.begun,
            audio_seconds=self._utterances.audio_seconds,
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
        return self._utterances.begin(request, voice, asked, jobs, self.worker.speak, rate=self.worker.rate)


def _job(request: SpeechRequest, text: str, reference: Reference, recording: str, instruction: str | None) -> Job:
    if instruction is not None:
        return Job("instruct", text, recording, instruction, request.seed)
    if reference.transcript:
        return Job("zero_shot", text, recording, reference.transcript, request.seed)
    return Job("cross_lingual", text, recording, seed=request.seed)
