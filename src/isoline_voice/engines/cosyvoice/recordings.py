"""Recordings as files, which is how the model takes them; checked first."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import soundfile

from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError

LONGEST_SECONDS = 30.0
LOWEST_RATE = 16_000


class Recordings:
    """Writes each recording once into `folder`, under the hash of its bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, reference: Reference) -> str:
        """The recording's file; raises InvalidRequestError when it is no audio, too long or of too low a rate."""
        file = self._folder / f"{hashlib.sha256(reference.audio).hexdigest()}.wav"
        if not file.exists():
            _check(reference.audio)
            file.write_bytes(reference.audio)
        return str(file)


def _check(audio: bytes) -> None:
    try:
        info = soundfile.info(io.BytesIO(audio))
    except soundfile.LibsndfileError as error:
        raise _refused("cannot be read as audio; send a WAV file") from error
    if info.duration > LONGEST_SECONDS:
        raise _refused(f"lasts {info.duration:.0f} s; the model takes {LONGEST_SECONDS:.0f} s, so cut it")
    if info.samplerate < LOWEST_RATE:
        raise _refused(f"has {info.samplerate} Hz; the model needs {LOWEST_RATE} Hz or more, so record it anew")


def _refused(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"The recording {why}.", param="voice", code="reference_unusable")
