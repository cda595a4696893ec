"""An engine with a queue of its own in front of it."""

from __future__ import annotations

import asyncio
import dataclasses
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
from isoline_voice.scheduling.scheduled import slotted
from isoline_voice.scheduling.scheduler import Limits, Scheduler


class ScheduledEngine:
    """`engine`, with so many requests at a time as `limits` say and the others waiting in turns by client."""

    def __init__(self, engine: Engine, limits: Limits | None = None) -> None:
        self._engine = engine
        self._scheduler = Scheduler(limits)

    @property
    def name(self) -> str:
        """The engine's name."""
        return self._engine.name

    @property
    def capabilities(self) -> Capabilities:
        """What the engine really renders."""
        return self._engine.capabilities

    def voices(self) -> Sequence[Voice]:
        """The voices on offer, the default first."""
        return self._engine.voices()

    def stats(self) -> EngineStats:
        """The engine's figures; requests that wait for a slot are queued as well."""
        stats = self._engine.stats()
        return dataclasses.replace(
            stats,
            engine=self.name,
            queued=stats.queued + self._scheduler.queued,
            waited_seconds=stats.waited_seconds + self._scheduler.waited_seconds,
        )

    async def start(self) -> None:
        """Start the engine; raises EngineUnavailableError with the reason."""
        await self._engine.start()

    async def stop(self) -> None:
        """Turn away who waits, and stop the engine."""
        self._scheduler.close()
        await self._engine.stop()

    async def health(self) -> Health:
        """Whether it can speak now, and if not why."""
        return await self._engine.health()

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak when it is the client's turn; see `Engine.speak` for what is raised and who closes.

        Raises QueueFullError when too many wait, and DeadlineError, also from the pieces, when the request's deadline
        passes before its first audio.
        """
        by = None if request.deadline is None else asyncio.get_running_loop().time() + request.deadline
        slot = await self._scheduler.slot(client=request.client, priority=request.priority, deadline=request.deadline)
        try:
            speech = await self._engine.speak(request)
        except BaseException:
            slot.release()
            raise
        return slotted(speech, slot, first_audio_by=by)
