"""What the studio and its GPU worker say to each other over a socket: a kind, a length, a payload."""

from __future__ import annotations

import json
import struct
from typing import Any, Literal, NamedTuple

JOB, CANCEL, READY, AUDIO, DONE, FAILED = range(6)
HEADER = struct.Struct("<BI")

Mode = Literal["zero_shot", "cross_lingual", "instruct"]


class Job(NamedTuple):
    """A piece of text to speak with the voice of the WAV file at `recording`.

    `said` is the recording's transcript for "zero_shot" and the instruction for "instruct".
    """

    mode: Mode
    text: str
    recording: str
    said: str = ""
    seed: int | None = None


def frame(kind: int, payload: bytes = b"") -> bytes:
    """A frame as it goes over the socket."""
    return HEADER.pack(kind, len(payload)) + payload


def json_frame(kind: int, value: Any) -> bytes:
    """A frame with JSON in it."""
    return frame(kind, json.dumps(value).encode())


def job_of(payload: bytes) -> Job:
    """The job of a JOB frame."""
    return Job(**json.loads(payload))
