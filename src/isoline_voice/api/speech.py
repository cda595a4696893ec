"""POST /v1/audio/speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from isoline_voice.api.bodies import read_json
from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import AudioResponse, EventResponse, SpeechResponse
from isoline_voice.api.fields import SpeechFields
from isoline_voice.api.openapi import ERRORS, SPOKEN_HEADERS, request_schema
from isoline_voice.api.prompting import like_recording
from isoline_voice.api.studio import studio_of
from isoline_voice.audio.encoders import MEDIA_TYPES, Format
from isoline_voice.voices.prompts import from_text

PATH = "/v1/audio/speech"

DESCRIPTION = """\
Speaks `input` and sends the audio while it is spoken: OpenAI's fields, and `language` and `seed` of ours.
`instructions` say how, in your own words, Chinese or English.

**Format.** `response_format` decides. Without it: an audio type that the Accept header names (`audio/flac`); `wav` when
the client accepts anything, as curl does (`Accept: */*`); `mp3` for everybody else, as OpenAI documents and as its
clients expect, which send `Accept: application/octet-stream`.

**Body.** JSON whatever the Content-Type says, so that `curl -d '{…}'` needs no header.

**Streaming.** The first bytes leave with the first piece of audio. A streamed WAV has an open length (0xFFFFFFFF) in
its header. When the client leaves, speaking stops. With `stream_format: sse` the answer is server-sent events:
`speech.audio.delta` with base64 `audio`, at the end `speech.audio.done` with `usage`, `style` and `warnings`, or
`speech.audio.error`. Of `usage`, a token in is a character and a token out 40 ms of audio.
"""

ACCEPTED_TYPES: Mapping[str, Format] = {
    **{media_type: name for name, media_type in MEDIA_TYPES.items()},
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mp3": "mp3",
    "audio/opus": "opus",
    "audio/x-flac": "flac",
    "audio/l16": "pcm",
    "*/*": "wav",
}

router = APIRouter(tags=["speech"])

_AUDIO: dict[str, Any] = {
    "description": "The audio, or events with `stream_format: sse`.",
    "headers": SPOKEN_HEADERS,
    "content": {
        **{media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()},
        "text/event-stream": {"schema": {"type": "string"}},
    },
}


@router.post(
    PATH,
    summary="Speak a text",
    description=DESCRIPTION,
    response_class=Response,
    responses={200: _AUDIO, **ERRORS},
    openapi_extra=request_schema(SpeechFields),
)
async def create_speech(request: Request) -> Response:
    """Speak the body's `input`."""
    studio = studio_of(request)
    settings = studio.settings
    # Base64 is a third longer than what it holds.
    limit = settings.max_body + settings.max_prompt_audio * 4 // 3
    fields = SpeechFields.parse(await read_json(request, limit=limit))
    speech, warnings = fields.to_speech(fields.input), fields.warnings(studio.service.engine)
    if fields.ref_audio is not None:
        audio = from_text(fields.ref_audio, param="ref_audio")
        speech, found = await like_recording(speech, audio, fields.ref_text, param="ref_audio")
        warnings = (*warnings, *found)
    answer: type[SpeechResponse] = EventResponse if fields.stream_format == "sse" else AudioResponse
    return answer(
        studio,
        speech,
        route=PATH,
        audio_format=fields.response_format or accepted_format(request.headers.get("accept", "")),
        caller=caller_of(request),
        warnings=warnings,
    )


def accepted_format(accept: str) -> Format:
    """The format for a request that names none: the Accept header's first audio type that we write, else mp3."""
    for media_range in accept.split(","):
        media_type = media_range.partition(";")[0].strip().lower()
        if media_type in ACCEPTED_TYPES:
            return ACCEPTED_TYPES[media_type]
    return "mp3"
