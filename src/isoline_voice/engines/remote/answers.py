"""What a speech server answers with: raw PCM, or server-sent events with base64 in them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator

import aiohttp

from isoline_voice.errors import SynthesisError

LONGEST_EVENT = 8 * 1024 * 1024
LONGEST_MESSAGE = 300


async def pcm_of(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The int16 PCM of a 200 answer as it comes, whole samples only; raises SynthesisError for an error event."""
    source = _events(response) if response.content_type == "text/event-stream" else response.content.iter_any()
    odd = b""
    async for data in source:
        joined = odd + data
        whole = len(joined) & ~1
        odd = joined[whole:]
        if whole:
            yield joined[:whole]


async def reason_of(response: aiohttp.ClientResponse) -> str:
    """What an error answer says, in one short line; these servers use OpenAI's shape, FastAPI's, or plain text."""
    text = (await response.content.read(16_384)).decode(errors="replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    if isinstance(body, dict):
        body = body.get("error", body.get("detail", body.get("message", body)))
    if isinstance(body, dict):
        body = body.get("message", body)
    return " ".join(str(body).split())[:LONGEST_MESSAGE]


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    held = b""
    async for chunk in response.content.iter_any():
        *lines, held = (held + chunk).split(b"\n")
        if len(held) > LONGEST_EVENT:
            raise SynthesisError("The speech server sent an event without an end.")
        for line in lines:
            if line.startswith(b"data:") and (audio := _audio_of(line[5:].strip())):
                yield audio


def _audio_of(data: bytes) -> bytes:
    if data in (b"", b"[DONE]"):
        return b""
    try:
        event = json.loads(data)
        if event.get("type") == "speech.audio.error":
            raise SynthesisError(f"The speech server failed: {str(event.get('error', event))[:LONGEST_MESSAGE]}.")
        return base64.b64decode(event.get("audio") or "", validate=True)
    except (ValueError, AttributeError, TypeError, binascii.Error) as error:
        raise SynthesisError("The speech server sent an event that is not one of a speech stream.") from error
