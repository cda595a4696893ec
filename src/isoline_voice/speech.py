"""The service that the API calls: the engine, its voices, its state."""

from __future__ import annotations

from collections.abc import Sequence

from isoline_voice.engines.protocol import (
    Capabilities,
    Engine,
    EngineStats,
    Health,
    Speech,
    SpeechRequest,
    Voice,
)
from isoline_voice.scheduling.engine import ScheduledEngine
from isoline_voice.scheduling.scheduler import Limits
from isoline_voice.text.tags import check_tags


class SpeechService:
    """Speaks through an engine, so many requests at a time as `limits` say, in turns by client.

    Without an engine it uses the embedded one with one worker a core, or `workers` of them.
    """

    def __init__(
        self, engine: Engine | None = None, *, workers: int | None = None, limits: Limits | None = None
    ) -> None:
        if engine is None:
            from isoline_voice.engines.embedded.engine import EmbeddedEngine

            engine = EmbeddedEngine(workers=workers)
        self._engine = ScheduledEngine(engine, limits)

    @property
    def engine(self) -> str:
        """The preferred engine's name; `Speech.voice.engine` tells who really speaks."""
        return self._engine.name

    @property
    def capabilities(self) -> Capabilities:
        """What the engine really renders."""
        return self._engine.capabilities

    def voices(self) -> Sequence[Voice]:
        """The voices on offer, the default first."""
        return self._engine.voices()

    def stats(self) -> EngineStats:
        """Gauges and counters for the metrics page, read at the moment of the call."""
        return self._engine.stats()

    async def start(self) -> None:
        """Start the engine; raises EngineUnavailableError with the reason."""
        await self._engine.start()

    async def stop(self) -> None:
        """Close every utterance under way and end the workers."""
        await self._engine.stop()

    async def ready(self) -> Health:
        """Whether it can speak now, and if not why."""
        return await self._engine.health()

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak in the client's turn; see `ScheduledEngine.speak` for what is raised and who closes.

        Marks in the text that no engine knows are an error before any engine sees them.
        """
        check_tags(request.text)
        return await self._engine.speak(request)
