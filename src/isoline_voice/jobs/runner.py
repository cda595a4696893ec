"""Speaks jobs in the background, sentence by sentence, so that a restart loses one sentence at most."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from isoline_voice.engines.protocol import BYTES_PER_SAMPLE, Speech
from isoline_voice.errors import EngineBusyError, EngineUnavailableError, SynthesisError, VoiceError
from isoline_voice.jobs.store import LEASE_SECONDS, Job, JobStore, Sentence, State

log = logging.getLogger(__name__)

AT_A_TIME = 2
LOOK_SECONDS = 5.0
"""How often jobs are looked for that another process left."""
PAUSE_SECONDS, CHAPTER_PAUSE_SECONDS = 0.25, 1.2
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
WEBHOOK_TRIES, WEBHOOK_SECONDS = 3, 10.0

Speak = Callable[[Job, str], Awaitable[Speech]]
"""Begins to speak a sentence of a job as its request says."""


class Report(Protocol):
    """Called with the error that ended a job, gives it as the API shows errors."""

    def __call__(self, error: VoiceError) -> dict[str, Any]:
        """The JSON."""
        ...


class JobRunner:
    """`speak` begins a sentence, `report` words an error, `used` is told the seconds of audio of each sentence."""

    def __init__(
        self, store: JobStore, speak: Speak, *, report: Report, used: Callable[[Job, str, float], None]
    ) -> None:
        self._store = store
        self._speak = speak
        self._report = report
        self._used = used
        self._owner = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._webhooks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin with what is there."""
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Leave what is not finished to the next start."""
        tasks = [*self._running.values(), *self._webhooks, *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    async def cancel(self, job: Job) -> None:
        """Stop speaking a job; what is spoken stays until the job is deleted."""
        await asyncio.to_thread(self._store.finish, job.id, "cancelled")
        if (task := self._running.get(job.id)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            self._wake.clear()
            try:
                while len(self._running) < AT_A_TIME:
                    job = await asyncio.to_thread(self._store.claim, self._owner)
                    if job is None:
                        break
                    self._begin(job)
            except sqlite3.Error:
                log.exception("jobs cannot be looked for")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    def _begin(self, job: Job) -> None:
        task = asyncio.create_task(self._run(job))
        self._running[job.id] = task

        def ended(_: object) -> None:
            del self._running[job.id]
            self._wake.set()

        task.add_done_callback(ended)

    async def _run(self, job: Job) -> None:
        alive = asyncio.create_task(self._keep(job))
        state: State = "succeeded"
        error = None
        try:
            await self._speak_all(job)
        except VoiceError as failure:
            state, error = "failed", self._report(failure)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(self._store.release, job.id, self._owner))
            raise
        except Exception:
            log.exception("job %s broke", job.id)
            state, error = "failed", self._report(SynthesisError("The studio failed; the reason is in its log."))
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
        if await asyncio.to_thread(self._store.finish, job.id, state, error):
            self._tell(job)

    async def _keep(self, job: Job) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            if not await asyncio.to_thread(self._store.renew, job.id, self._owner):
                # Cancelled or taken over by another process.
                if (task := self._running.get(job.id)) is not None:
                    task.cancel()
                return

    async def _speak_all(self, job: Job) -> None:
        lines = await asyncio.to_thread(self._store.sentences, job.id)
        position = job.bytes
        file = await asyncio.to_thread(_opened, self._store.audio(job.id), position)
        warned: dict[str, dict[str, str]] = {warning["code"]: warning for warning in job.warnings}
        try:
            for line in lines[job.spoken :]:
                following = lines[line.number + 1] if line.number + 1 < len(lines) else None
                pcm, speech = await self._spoken(job, line.text)
                if any(warning.code not in warned for warning in speech.warnings):
                    warned |= {warning.code: warning.to_json() for warning in speech.warnings}
                    await asyncio.to_thread(self._store.warn, job.id, [*warned.values()])
                begins, ends = position // BYTES_PER_SAMPLE, (position + len(pcm)) // BYTES_PER_SAMPLE
                silence = bytes(BYTES_PER_SAMPLE * round(_pause(line, following) * speech.rate))
                position += len(pcm) + len(silence)
                await asyncio.to_thread(_written, file, pcm + silence)
                await asyncio.to_thread(
                    self._store.spoken,
                    job.id,
                    line.number,
                    begins=begins,
                    ends=ends,
                    written=position,
                    rate=speech.rate,
                )
                self._used(job, line.text, len(pcm) / BYTES_PER_SAMPLE / speech.rate)
        finally:
            os.close(file)

    async def _spoken(self, job: Job, text: str) -> tuple[bytes, Speech]:
        wait = FIRST_WAIT
        while True:
            try:
                speech = await self._speak(job, text)
                async with contextlib.aclosing(speech):
                    return b"".join([piece async for piece in speech.pieces]), speech
            except (EngineBusyError, EngineUnavailableError) as error:
                # A book has time; the next minutes may bring the engine back.
                log.warning("job %s waits: %s", job.id, error)
                await asyncio.sleep(max(wait, error.retry_after))
                wait = min(LONGEST_WAIT, 2 * wait)

    def _tell(self, job: Job) -> None:
        url = job.request.get("webhook")
        if url is None:
            return
        task = asyncio.create_task(self._post(url, job))
        self._webhooks.add(task)
        task.add_done_callback(self._webhooks.discard)

    async def _post(self, url: str, job: Job) -> None:
        now = await asyncio.to_thread(self._store.find, job.tenant, job.id)
        if now is None:
            return
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for attempt in range(WEBHOOK_TRIES):
                try:
                    async with session.post(url, json=now.to_json(), allow_redirects=False) as answer:
                        if answer.status < 500:
                            return
                except (aiohttp.ClientError, TimeoutError) as error:
                    log.warning("the webhook of job %s failed: %s", job.id, type(error).__name__)
                await asyncio.sleep(2.0**attempt)


def _opened(path: Path, position: int) -> int:
    """The file, without what was written after the last sentence that counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(file, position)
    os.lseek(file, position, os.SEEK_SET)
    return file


def _written(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _pause(line: Sentence, following: Sentence | None) -> float:
    if following is None:
        return 0.0
    return CHAPTER_PAUSE_SECONDS if following.chapter != line.chapter else PAUSE_SECONDS
