"""A CosyVoice3 server behind the engine protocol."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

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
from isoline_voice.engines.remote.client import Client, Timeouts
from isoline_voice.engines.remote.replicas import Replicas
from isoline_voice.engines.remote.servers import SERVERS

MODEL = "FunAudioLLM/Fun-CosyVoice3-0.5B-2512"
REMOTE_RATE = 24_000
"""CosyVoice3's; raw PCM does not tell it."""


class RemoteEngine:
    """`kind` is "sglang" or "vllm", `urls` its servers without a path.

    Each piece of a text is a request of its own, sent when the one before has arrived, so that a text of any length
    starts soon and a server that goes away costs one piece at most.
    """

    def __init__(
        self,
        kind: str,
        urls: Sequence[str],
        voices: Sequence[RecordedVoice] = (),
        *,
        model: str = MODEL,
        key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._server = SERVERS[kind]
        self._client = Client(Replicas(urls), key=key, timeouts=timeouts or Timeouts())
        self._model = model
        self._voices: Mapping[str, RecordedVoice] = {recorded.voice.id: recorded for recorded in voices}
        self._utterances = Utterances()

    @property
    def name(self) -> str:
        """The kind of server."""
        return self._server.name

    @property
    def capabilities(self) -> Capabilities:
        """CosyVoice3's, less what the server leaves out."""
        return model_capabilities(instructed=self._server.instructed)

    def voices(self) -> Sequence[Voice]:
        """Those that it was given recordings for."""
        return [recorded.voice for recorded in self._voices.values()]

    async def start(self) -> None:
        """Open the connection pool; the servers may come later."""
        await self._client.start()

    async def stop(self) -> None:
        """Close every utterance and connection."""
        await self._utterances.close()
        await self._client.stop()

    async def health(self) -> Health:
        """Ready while a server answers GET /health."""
        up = await self._client.healthy()
        return Health(up > 0, f"{up} of {len(self._client.replicas.all)} {self.name} servers answer")

    def stats(self) -> EngineStats:
        """Figures for the metrics page; a replica counts as a worker."""
        replicas = self._client.replicas
        return EngineStats(
            workers=replicas.up,
            busy=sum(replica.active > 0 for replica in replicas.all),
            active=self._utterances.active,
            utterances=self._utterances.begun,
            audio_seconds=self._utterances.audio_seconds,
        )

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak; see `Engine.speak`. Raises ReferenceRequiredError when there is no recording to go by."""
        voice, reference = recorded_voice(request, self._voices, engine=self.name)
        pieces = model_pieces(request)
        asked = controls(request.style, instructed=self._server.instructed)
        bodies = (self._body(request, piece, reference, asked.instruction) for piece in pieces)
        first = next(bodies)  # what the server is known not to take is raised here and now
        jobs = itertools.chain([first], bodies)
        return self._utterances.begin(request, voice, asked, jobs, self._client.speak, rate=REMOTE_RATE)

    def _body(self, request: SpeechRequest, text: str, reference: Reference, instruction: str | None) -> dict[str, Any]:
        body = {"model": self._model, **self._server.body(text, reference, instruction)}
        return body if request.seed is None else body | {"seed": request.seed}
