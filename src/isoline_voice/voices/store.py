"""The voices that people have made, with their recordings and consents."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError
from isoline_voice.state.database import Database
from isoline_voice.voices.checking import Checked, check
from isoline_voice.voices.decoding import decode

MOST_VOICES = 1000
"""Of one tenant; a recording takes up to 1.5 MB."""
LONGEST_NAME, LONGEST_TEXT = 64, 2000

_ID = re.compile(r"voice_[0-9a-f]{24}")


class RecordingRefusedError(InvalidRequestError):
    """No voice can be taken from the recording; `findings` holds each reason (HTTP 400)."""

    code = "recording_refused"

    def __init__(self, checked: Checked) -> None:
        errors = [finding.message for finding in checked.findings if finding.level == "error"]
        super().__init__(" ".join(errors), param="audio_sample")
        self.findings = checked.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agreed that the voice is used, in which words, and when (seconds since 1970)."""

    by: str
    words: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVoice:
    """A voice of a tenant; `language` is a BCP 47 tag or "mul", `seconds` the length of its recording."""

    id: str
    name: str
    language: str
    description: str
    transcript: str | None
    consent: Consent
    created: float
    seconds: float
    findings: list[dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        """As the API answers, with OpenAI's fields and those of other speech servers."""
        return {
            "id": self.id,
            "object": "audio.voice",
            "type": "audio_sample",
            "name": self.name,
            "created_at": int(self.created),
            "language": self.language,
            "engine": "recording",
            "description": self.description,
            "ref_text": self.transcript,
            "consent": {"by": self.consent.by, "words": self.consent.words, "at": int(self.consent.at)},
            "seconds": round(self.seconds, 2),
            "findings": self.findings,
        }


class VoiceStore:
    """Voices in a database and a folder of WAV files.

    Methods block for the time of a file's writing, `add` for that of decoding: call them in a thread.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def list(self, tenant: str) -> list[StoredVoice]:
        """The tenant's voices by name."""
        rows = self._database.run("SELECT * FROM voices WHERE tenant = ? ORDER BY name", (tenant,))
        return [_voice(row) for row in rows]

    def find(self, tenant: str, voice: str) -> StoredVoice | None:
        """The tenant's voice with an id or a name."""
        rows = self._database.run(
            "SELECT * FROM voices WHERE tenant = ?1 AND (id = ?2 OR name = ?2) ORDER BY id = ?2 DESC", (tenant, voice)
        )
        return _voice(rows[0]) if rows else None

    def reference(self, voice: StoredVoice) -> Reference:
        """The recording to hand to an engine; raises InvalidRequestError when the voice was deleted meanwhile."""
        try:
            return Reference(self._file(voice.id).read_bytes(), voice.transcript)
        except FileNotFoundError as error:
            raise InvalidRequestError("The voice was deleted.", param="voice", code="voice_not_found") from error

    def add(
        self,
        tenant: str,
        *,
        name: str,
        audio: bytes,
        consent: Consent,
        transcript: str | None = None,
        language: str = "mul",
        description: str = "",
    ) -> StoredVoice:
        """Make a voice from a file of audio.

        Raises RecordingRefusedError with every reason, or InvalidRequestError for a file that is no audio or a name
        that is taken.
        """
        [[count]] = self._database.run("SELECT count(*) FROM voices WHERE tenant = ?", (tenant,))
        if count >= MOST_VOICES:
            raise InvalidRequestError(
                f"There are {MOST_VOICES} voices already; delete one first.", param="name", code="too_many_voices"
            )
        checked = check(decode(audio))
        if not checked.usable:
            raise RecordingRefusedError(checked)
        voice = StoredVoice(
            id=f"voice_{secrets.token_hex(12)}",
            name=name,
            language=language,
            description=description,
            transcript=transcript,
            consent=consent,
            created=time.time(),
            seconds=checked.seconds,
            findings=[finding.to_json() for finding in checked.findings],
        )
        self._file(voice.id).write_bytes(checked.wav())
        try:
            self._insert(tenant, voice)
        except sqlite3.IntegrityError as error:
            self._file(voice.id).unlink()
            raise _name_taken(name) from error
        return voice

    def rename(self, tenant: str, voice: StoredVoice, name: str) -> None:
        """Give a voice another name; raises InvalidRequestError if it is taken."""
        try:
            self._database.run("UPDATE voices SET name = ? WHERE tenant = ? AND id = ?", (name, tenant, voice.id))
        except sqlite3.IntegrityError as error:
            raise _name_taken(name) from error

    def delete(self, tenant: str, voice: StoredVoice) -> None:
        """Remove a voice, its consent and its recording; nothing of it is left in the folder."""
        with contextlib.suppress(FileNotFoundError):
            self._file(voice.id).unlink()
        self._database.run("DELETE FROM voices WHERE tenant = ? AND id = ?", (tenant, voice.id))
        # The log would keep the words of the consent until it is overwritten.
        self._database.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def _insert(self, tenant: str, voice: StoredVoice) -> None:
        self._database.run(
            "INSERT INTO voices (id, tenant, name, language, description, transcript, consent_by, consent_words,"
            " consent_at, created, seconds, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                voice.id,
                tenant,
                voice.name,
                voice.language,
                voice.description,
                voice.transcript,
                voice.consent.by,
                voice.consent.words,
                voice.consent.at,
                voice.created,
                voice.seconds,
                json.dumps(voice.findings, ensure_ascii=False),
            ),
        )

    def _file(self, voice: str) -> Path:
        assert _ID.fullmatch(voice), "an id of ours is the only name that a file gets"
        return self._folder / f"{voice}.wav"


def _voice(row: sqlite3.Row) -> StoredVoice:
    return StoredVoice(
        id=row["id"],
        name=row["name"],
        language=row["language"],
        description=row["description"],
        transcript=row["transcript"],
        consent=Consent(by=row["consent_by"], words=row["consent_words"], at=row["consent_at"]),
        created=row["created"],
        seconds=row["seconds"],
        findings=json.loads(row["findings"]),
    )


def _name_taken(name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"There is a voice named {name!r} already; choose another name.", param="name", code="name_taken"
    )
