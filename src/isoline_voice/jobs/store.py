"""The jobs in the database, and their audio in files beside it."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from isoline_voice.engines.protocol import BYTES_PER_SAMPLE, Reference
from isoline_voice.errors import InvalidRequestError
from isoline_voice.jobs.planning import Chapter, spoken_sentences
from isoline_voice.state.database import Database, Value
from isoline_voice.subtitles import Cue
from isoline_voice.text.cleaning import shown

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
UNFINISHED: tuple[State, ...] = ("queued", "running")
LEASE_SECONDS = 10.0
"""After so long without a sign of life of the process that speaks a job, another may go on with it."""


class Sentence(NamedTuple):
    """One line of a job; `begins` and `ends` are samples, None before it is spoken."""

    number: int
    chapter: int
    text: str
    begins: int | None
    ends: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A text that is spoken in the background: `spoken` of `total` sentences, `bytes` of PCM at `rate`.

    `request` holds the fields of the request and the `chapters`' titles; `error` and `warnings` are as the API gives
    them.
    """

    id: str
    tenant: str
    created: float
    finished: float | None
    state: State
    request: dict[str, Any]
    total: int
    spoken: int
    bytes: int
    rate: int | None
    error: dict[str, Any] | None
    warnings: list[dict[str, str]]

    @property
    def seconds(self) -> float:
        """How much audio there is so far."""
        return self.bytes / BYTES_PER_SAMPLE / self.rate if self.rate else 0.0

    def to_json(self) -> dict[str, Any]:
        """As the API answers; the text is left out."""
        return {
            "id": self.id,
            "object": "audio.job",
            "status": self.state,
            "created_at": int(self.created),
            "finished_at": None if self.finished is None else int(self.finished),
            "progress": round(self.spoken / self.total, 4) if self.total else 1.0,
            "sentences": self.total,
            "sentences_spoken": self.spoken,
            "audio_seconds": round(self.seconds, 3),
            "chapters": self.request["chapters"],
            "error": self.error,
            "warnings": self.warnings,
        }


class JobStore:
    """Methods block for some milliseconds: call them in a thread."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def add(
        self,
        tenant: str,
        request: dict[str, Any],
        chapters: Sequence[Chapter],
        *,
        recording: bytes | None = None,
        warnings: Sequence[dict[str, str]] = (),
    ) -> Job:
        """Keep a job, ready to be spoken, with the WAV file of the recording whose voice is wanted, if there is one."""
        job = f"job_{secrets.token_hex(12)}"
        lines = [(at, line) for at, chapter in enumerate(chapters) for line in spoken_sentences(chapter.text)]
        told = {**request, "chapters": [chapter.title for chapter in chapters], "recorded": recording is not None}
        (self._folder / job).mkdir(mode=0o700, parents=True)
        if recording is not None:
            self._recording(job).write_bytes(recording)
        insert = "INSERT INTO jobs (id, tenant, created, state, request, total, warnings) VALUES (?, ?, ?, ?, ?, ?, ?)"
        values = (job, tenant, time.time(), "queued", _json(told), len(lines), _json([*warnings]))
        statements: list[tuple[str, Sequence[Value]]] = [(insert, values)]
        statements += [
            ("INSERT INTO sentences (job, number, chapter, text) VALUES (?, ?, ?, ?)", (job, number, chapter, line))
            for number, (chapter, line) in enumerate(lines)
        ]
        self._database.run_all(statements)
        found = self.find(tenant, job)
        assert found is not None
        return found

    def find(self, tenant: str, job: str) -> Job | None:
        """A tenant's job."""
        rows = self._database.run("SELECT * FROM jobs WHERE tenant = ? AND id = ?", (tenant, job))
        return _job(rows[0]) if rows else None

    def of_tenant(self, tenant: str, *, most: int = 100) -> list[Job]:
        """A tenant's jobs, the latest first."""
        rows = self._database.run("SELECT * FROM jobs WHERE tenant = ? ORDER BY created DESC LIMIT ?", (tenant, most))
        return [_job(row) for row in rows]

    def unfinished(self, tenant: str) -> int:
        """How many of a tenant's jobs are still to be spoken."""
        [[count]] = self._database.run(
            "SELECT count(*) FROM jobs WHERE tenant = ? AND state IN ('queued', 'running')", (tenant,)
        )
        return int(count)

    def claim(self, owner: str) -> Job | None:
        """Take the oldest job that nobody speaks, for `owner`; None when there is none."""
        now = time.time()
        rows = self._database.run(
            "UPDATE jobs SET state = 'running', owner = ?, lease = ? WHERE id = (SELECT id FROM jobs"
            " WHERE state IN ('queued', 'running') AND lease < ? ORDER BY created LIMIT 1) RETURNING *",
            (owner, now + LEASE_SECONDS, now),
        )
        return _job(rows[0]) if rows else None

    def renew(self, job: str, owner: str) -> bool:
        """A sign of life; False when the job is no longer the owner's to speak."""
        rows = self._database.run(
            "UPDATE jobs SET lease = ? WHERE id = ? AND owner = ? AND state = 'running' RETURNING id",
            (time.time() + LEASE_SECONDS, job, owner),
        )
        return bool(rows)

    def release(self, job: str, owner: str) -> None:
        """Leave the job to whoever comes next."""
        self._database.run("UPDATE jobs SET lease = 0, owner = NULL WHERE id = ? AND owner = ?", (job, owner))

    def sentences(self, job: str) -> list[Sentence]:
        """All lines in order."""
        rows = self._database.run(
            "SELECT number, chapter, text, begins, ends FROM sentences WHERE job = ? ORDER BY number", (job,)
        )
        return [Sentence(*row) for row in rows]

    def spoken(self, job: str, sentence: int, *, begins: int, ends: int, written: int, rate: int) -> None:
        """A sentence is in the file; times in samples, `written` in bytes."""
        self._database.run_all(
            [
                (
                    "UPDATE sentences SET begins = ?, ends = ? WHERE job = ? AND number = ?",
                    (begins, ends, job, sentence),
                ),
                (
                    "UPDATE jobs SET spoken = ?, bytes = ?, rate = ?, lease = ? WHERE id = ?",
                    (sentence + 1, written, rate, time.time() + LEASE_SECONDS, job),
                ),
            ]
        )

    def warn(self, job: str, warnings: Sequence[dict[str, str]]) -> None:
        """What could not be done."""
        self._database.run("UPDATE jobs SET warnings = ? WHERE id = ?", (_json([*warnings]), job))

    def finish(self, job: str, state: State, error: dict[str, Any] | None = None) -> bool:
        """It is over; False if it was over already."""
        rows = self._database.run(
            "UPDATE jobs SET state = ?, finished = ?, error = ? WHERE id = ? AND state IN ('queued', 'running')"
            " RETURNING id",
            (state, time.time(), None if error is None else _json(error), job),
        )
        return bool(rows)

    def delete(self, job: Job) -> None:
        """Remove a job, its text and its audio."""
        self._database.run("DELETE FROM jobs WHERE id = ?", (job.id,))
        shutil.rmtree(self._folder / job.id, ignore_errors=True)
        self._database.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def audio(self, job: str) -> Path:
        """The file of PCM."""
        return self._folder / job / "audio.pcm"

    def reference(self, job: Job) -> Reference | None:
        """The recording that came with the job, if one did; raises InvalidRequestError when the job was deleted."""
        if not job.request.get("recorded"):
            return None
        try:
            return Reference(self._recording(job.id).read_bytes(), job.request.get("ref_text"))
        except FileNotFoundError as error:
            raise InvalidRequestError("The job was deleted.", code="job_not_found") from error

    def _recording(self, job: str) -> Path:
        return self._folder / job / "recording.wav"

    def cues(self, job: Job, chapter: int | None = None) -> list[Cue]:
        """The sentences that are spoken, in seconds from the beginning of the job or of a chapter."""
        lines = [
            (line.text, line.begins, line.ends)
            for line in self.sentences(job.id)
            if line.begins is not None and line.ends is not None and chapter in (None, line.chapter)
        ]
        if not lines or job.rate is None:
            return []
        start = 0 if chapter is None else lines[0][1]
        return [
            Cue(shown(text), (begins - start) / job.rate, (ends - start) / job.rate) for text, begins, ends in lines
        ]

    def span(self, job: Job, chapter: int | None) -> tuple[int, int] | None:
        """The bytes of the audio of the whole job or of a chapter; None unless all of it is spoken."""
        lines = [line for line in self.sentences(job.id) if chapter in (None, line.chapter)]
        if not lines or any(line.ends is None for line in lines):
            return None
        first, last = lines[0].begins, lines[-1].ends
        assert first is not None
        assert last is not None
        return first * BYTES_PER_SAMPLE, last * BYTES_PER_SAMPLE


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        tenant=row["tenant"],
        created=row["created"],
        finished=row["finished"],
        state=row["state"],
        request=json.loads(row["request"]),
        total=row["total"],
        spoken=row["spoken"],
        bytes=row["bytes"],
        rate=row["rate"],
        error=None if row["error"] is None else json.loads(row["error"]),
        warnings=json.loads(row["warnings"]),
    )
