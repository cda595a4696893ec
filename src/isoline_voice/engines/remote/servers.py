"""What sglang-omni 0.1.9 and vllm-omni 0.30.0 want in a request for CosyVoice3, and what they do not take.

| | sglang-omni | vllm-omni |
|---|---|---|
| recording | required | required, 1 to 30 s |
| transcript | makes it zero-shot; excludes instructions | required |
| instructions | honoured | ignored by this model |
| streamed as | raw PCM or events, with `stream` | events with `stream`, raw PCM with `stream_format=audio` as well |
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError

LARGEST_REFERENCE = 10 * 1024 * 1024


class Server(NamedTuple):
    """A kind of server: its name, whether it follows instructions, and how its request looks."""

    name: str
    instructed: bool
    body: Callable[[str, Reference, str | None], dict[str, Any]]


def _sglang(text: str, reference: Reference, instruction: str | None) -> dict[str, Any]:
    body = {"input": text, "ref_audio": _data_url(reference), "response_format": "pcm", "stream": True}
    if instruction is not None:
        return body | {"instructions": instruction}
    return body if reference.transcript is None else body | {"ref_text": reference.transcript}


def _vllm(text: str, reference: Reference, _instruction: str | None) -> dict[str, Any]:
    if reference.transcript is None:
        raise InvalidRequestError(
            "This engine needs to know what is said in the recording; give its transcript with the voice.",
            param="voice",
            code="transcript_required",
        )
    return {
        "input": text,
        "ref_audio": _data_url(reference),
        "ref_text": reference.transcript,
        "response_format": "pcm",
        "stream": True,
        "stream_format": "audio",
    }


SERVERS: dict[str, Server] = {
    "sglang": Server("sglang", True, _sglang),
    "vllm": Server("vllm", False, _vllm),
}


def _data_url(reference: Reference) -> str:
    if len(reference.audio) > LARGEST_REFERENCE:
        raise InvalidRequestError(
            f"The recording has {len(reference.audio)} bytes; the engine takes {LARGEST_REFERENCE}.",
            param="voice",
            code="reference_too_large",
        )
    return f"data:audio/wav;base64,{base64.b64encode(reference.audio).decode()}"
