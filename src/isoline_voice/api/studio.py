"""What every route needs, in one place."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from isoline_voice.api.callers import Caller
from isoline_voice.api.errors import error_body, faults_of
from isoline_voice.api.fields import SpokenFields
from isoline_voice.audio.provenance import provenance
from isoline_voice.engines.protocol import Speech, SpeechRequest, Voice
from isoline_voice.errors import QuotaExceededError, UnknownVoiceError, VoiceError
from isoline_voice.jobs.runner import JobRunner
from isoline_voice.jobs.store import Job, JobStore
from isoline_voice.metrics import Metrics
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService
from isoline_voice.state.database import Database
from isoline_voice.state.usage import UsageLog
from isoline_voice.telemetry.speeches import SpeechObserver
from isoline_voice.voices.store import StoredVoice, VoiceStore

SPARE_VOICE = "alloy"
"""Whose accent and timing carry a recording's timbre on engines that cannot clone; the others never see it."""


@dataclass
class Studio:
    """The service that speaks, its settings, its figures, and what it remembers.

    `draining` is set when the studio is about to stop: it then reports itself not ready and goes on serving. `streams`
    counts the answers and sessions that are being spoken; `idle` is set while there are none, which a stop waits for.
    """

    service: SpeechService
    settings: Settings
    metrics: Metrics
    draining: bool = False
    streams: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _temporary: Path | None = None

    def __post_init__(self) -> None:
        self.idle.set()

    @cached_property
    def folder(self) -> Path:
        """The state folder; one that goes away with the studio if the settings name none."""
        if self.settings.state is not None:
            return self.settings.state
        self._temporary = Path(tempfile.mkdtemp(prefix="isoline-voice-"))
        return self._temporary

    @cached_property
    def database(self) -> Database:
        """The state folder's database."""
        return Database(self.folder)

    @cached_property
    def voices(self) -> VoiceStore:
        """The voices that people have made."""
        return VoiceStore(self.database, self.folder / "voices")

    @cached_property
    def usage(self) -> UsageLog:
        """What each client has had."""
        return UsageLog(self.database)

    @cached_property
    def jobs(self) -> JobStore:
        """The long texts."""
        return JobStore(self.database, self.folder / "jobs")

    @cached_property
    def runner(self) -> JobRunner:
        """What speaks them."""
        return JobRunner(self.jobs, self._speak_of_job, report=_reported, used=self._used_by_job)

    @cached_property
    def _observer(self) -> SpeechObserver:
        return SpeechObserver(self.metrics.speeches, log_text=self.settings.log_text)

    async def _speak_of_job(self, job: Job, text: str) -> Speech:
        request = SpokenFields.parse(job.request).to_speech(text)
        caller = Caller(job.tenant, f"job of {job.tenant}")
        reference = await asyncio.to_thread(self.jobs.reference, job)
        return await self.speak(replace(request, priority="batch", reference=reference), caller)

    def _used_by_job(self, job: Job, text: str, seconds: float) -> None:
        self.usage.add(job.tenant, characters=len(text), seconds=seconds)

    def close(self) -> None:
        """Close the state."""
        if "database" in self.__dict__:
            self.database.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def speak(self, request: SpeechRequest, caller: Caller) -> Speech:
        """Begin to speak for a caller, with a voice of the engine's or one of the caller's own.

        See `SpeechService.speak` for what is raised and who closes.
        """
        request = replace(request, client=caller.client)
        return await self._observer.watch(request, self._begin(request, caller), preferred=self.service.engine)

    async def _begin(self, request: SpeechRequest, caller: Caller) -> Speech:
        self._check_quota(caller)
        own = self.own_voice(request.voice, caller)
        if own is None:
            return await self._spoken(request, caller)
        if request.reference is None:
            reference = await asyncio.to_thread(self.voices.reference, own)
            request = replace(request, reference=reference)
        speech = await self.service.speak(replace(request, voice=SPARE_VOICE))
        return replace(speech, voice=Voice(own.id, own.name, own.language, speech.voice.engine, own.description))

    def own_voice(self, voice: str, caller: Caller) -> StoredVoice | None:
        """The caller's stored voice with an id or a name; a voice of the engine's goes before one by name."""
        if any(voice == offered.id for offered in self.service.voices()):
            return None
        return self.voices.find(caller.tenant, voice)

    def _check_quota(self, caller: Caller) -> None:
        limits = [client.audio_seconds_per_day for client in self.settings.clients if client.name == caller.tenant]
        if limits and limits[0] is not None and self.usage.seconds_today(caller.tenant) >= limits[0]:
            left = 86_400 - time.time() % 86_400
            raise QuotaExceededError(f"{limits[0]:g} s of audio a day are allowed.", retry_after=left)

    async def _spoken(self, request: SpeechRequest, caller: Caller) -> Speech:
        try:
            return await self.service.speak(request)
        except UnknownVoiceError as error:
            own = self.voices.list(caller.tenant)
            raise UnknownVoiceError(error.voice, (*(voice.name for voice in own), *error.known)) from error

    def metadata_of(self, speech: Speech) -> dict[str, str]:
        """What a file of this speech says of its origin."""
        return provenance(speech.voice.engine) if self.settings.provenance else {}

    def stream_begins(self) -> None:
        """Count an answer or session that begins to be spoken."""
        self.streams += 1
        self.idle.clear()
        self.metrics.active.set(self.streams)

    def stream_ends(self) -> None:
        """Count one that has ended, however it ended."""
        self.streams -= 1
        if not self.streams:
            self.idle.set()
        self.metrics.active.set(self.streams)


def _reported(error: VoiceError) -> dict[str, Any]:
    status, faults = faults_of(error)
    told: dict[str, Any] = error_body(faults, status=status)["error"]
    return told


def studio_of(connection: HTTPConnection) -> Studio:
    """The studio that a request or WebSocket came to."""
    studio = connection.app.state.studio
    assert isinstance(studio, Studio)
    return studio
