"""A voice as one file, to take it to another studio: a ZIP of `voice.json` and `recording.wav`."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import asdict
from typing import Any

from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError
from isoline_voice.voices.store import Consent, StoredVoice

DESCRIPTION, RECORDING = "voice.json", "recording.wav"
LARGEST_DESCRIPTION = 64 * 1024
LARGEST_RECORDING = 4 * 1024 * 1024
"""30 s at 48 kHz in stereo are less; a member that unpacks to more is refused before it is unpacked."""


def pack(voice: StoredVoice, reference: Reference) -> bytes:
    """The archive of a voice."""
    told = asdict(voice)
    del told["id"], told["findings"]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DESCRIPTION, json.dumps(told, ensure_ascii=False, indent=2))
        archive.writestr(RECORDING, reference.audio)
    return written.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], Consent, bytes]:
    """The description, the consent and the recording of an archive; raises InvalidRequestError.

    Only the two members are read, by their names and within their bounds; nothing is written to disk.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            told = json.loads(_member(archive, DESCRIPTION, LARGEST_DESCRIPTION))
            recording = _member(archive, RECORDING, LARGEST_RECORDING)
        return told, _consent(told["consent"]), recording
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise InvalidRequestError(
            "The file is no exported voice; send what GET /v1/audio/voices/{voice}/export gave.",
            param="archive",
            code="archive_unreadable",
        ) from error


def _consent(told: dict[str, Any]) -> Consent:
    by, words, at = told["by"], told["words"], float(told["at"])
    if not (isinstance(by, str) and isinstance(words, str) and math.isfinite(at)):
        raise ValueError("who agreed, in which words and when is not told")
    return Consent(by=by, words=words, at=at)


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as member:
        content = member.read(limit + 1)  # whatever length the archive claims
    if len(content) > limit:
        raise InvalidRequestError(
            f"{name} in the archive is larger than {limit} bytes.", param="archive", code="request_too_large"
        )
    return content
