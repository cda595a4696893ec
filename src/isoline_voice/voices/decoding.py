"""Any audio file to mono samples, without trusting the file."""

from __future__ import annotations

import io
from typing import NamedTuple

import av
import av.error
import numpy as np

from isoline_voice.audio.levels import Samples
from isoline_voice.errors import InvalidRequestError

RATE = 24_000
LONGEST_SECONDS = 120.0
"""More is not decoded, however long a small file says that it is."""

# What a stranger sends must not make the decoder open other files or addresses, as playlists do.
FORMATS = "wav,w64,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,aac,aiff,amr,caf,au,asf,opus"


class Recording(NamedTuple):
    """Mono `samples` at RATE, the `rate` in hertz at which the file had them, and whether more was `left` undecoded."""

    samples: Samples
    rate: int
    left: bool


def decode(audio: bytes) -> Recording:
    """The first audio stream of a file, at most LONGEST_SECONDS of it; raises InvalidRequestError."""
    if not audio:
        raise _unreadable("The recording is empty; send an audio file.")
    try:
        with av.open(
            io.BytesIO(audio), mode="r", options={"format_whitelist": FORMATS, "protocol_whitelist": "none"}
        ) as container:
            if not container.streams.audio:
                raise _unreadable("The file holds no audio; send a recording of a voice.")
            return _decoded(container)
    except (av.error.FFmpegError, ValueError, OSError, MemoryError) as error:
        raise _unreadable("The recording cannot be read as audio; send WAV, MP3, FLAC, Ogg, WebM or M4A.") from error


def _decoded(container: av.container.InputContainer) -> Recording:
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    parts: list[Samples] = []
    taken, rate, left = 0, 0, False
    for frame in container.decode(stream):
        rate = rate or frame.sample_rate
        for made in resampler.resample(frame):
            parts.append(made.to_ndarray().reshape(-1).astype(np.float32))
            taken += parts[-1].size
        if taken > LONGEST_SECONDS * RATE:
            left = True
            break
    parts.extend(made.to_ndarray().reshape(-1).astype(np.float32) for made in resampler.resample(None))
    if not parts:
        raise _unreadable("The file holds no audio; send a recording of a voice.")
    samples = np.nan_to_num(np.concatenate(parts), nan=0.0, posinf=1.0, neginf=-1.0)
    return Recording(samples.astype(np.float32), rate, left)


def _unreadable(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, param="audio_sample", code="recording_unreadable")
