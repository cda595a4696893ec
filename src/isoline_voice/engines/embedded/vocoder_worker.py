"""The vocoder's worker program: requests on standard input, answers on standard output, until the studio goes away.

A request is a frame of JSON and a frame of bytes: `{"shape": …, "rate": …}` with PCM, or `{}` with a recording. So is
an answer: `{}` with PCM, `{"timbre": …}`, or `{"error": …}`. A frame is its length and its bytes.
"""

from __future__ import annotations

import io
import json
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

import soundfile

from isoline_voice.audio.levels import from_int16, to_int16
from isoline_voice.audio.world import Shape, Timbre, reshape, timbre_of

LENGTH = struct.Struct("<I")
REFERENCE_SECONDS = 12.0
"""More of a recording tells nothing more of the voice."""


def frames(told: dict[str, Any], data: bytes) -> bytes:
    """A request or an answer as it goes over the pipe."""
    text = json.dumps(told).encode()
    return LENGTH.pack(len(text)) + text + LENGTH.pack(len(data)) + data


def timbre_from(told: dict[str, Any]) -> Timbre:
    """A timbre out of JSON."""
    return Timbre(told["pitch"], told["spread"], tuple(told["spectrum"]))


def main() -> None:
    """Run until standard input ends; Ctrl-C in the terminal is the studio's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while (request := _frame(asked)) is not None:
        data = _frame(asked) or b""
        answers.write(frames(*_answered(json.loads(request), data)))
        answers.flush()


def _answered(told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    if "shape" not in told:
        return _timbre(data), b""
    like = told["shape"].pop("like")
    shape = Shape(**told["shape"], like=None if like is None else timbre_from(like))
    return {}, to_int16(reshape(from_int16(data), told["rate"], shape))


def _timbre(audio: bytes) -> dict[str, Any]:
    try:
        with soundfile.SoundFile(io.BytesIO(audio)) as file:
            rate = int(file.samplerate)
            samples = file.read(int(REFERENCE_SECONDS * rate), dtype="float32", always_2d=True).mean(axis=1)
    except soundfile.LibsndfileError:
        return {"error": "The recording cannot be read as audio; send a WAV file."}
    timbre = timbre_of(samples, rate)
    if timbre is None:
        return {"error": "No voice can be heard in the recording; record it anew, closer and without music."}
    return {"timbre": asdict(timbre)}


def _frame(stream: BinaryIO) -> bytes | None:
    header = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(header)[0]) if len(header) == LENGTH.size else None


if __name__ == "__main__":
    main()
