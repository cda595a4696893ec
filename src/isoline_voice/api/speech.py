"""POST /v1/audio/speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from isoline_voice.api.bodies import read_json
from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import AudioResponse, Common, EventResponse, SpeechResponse
from isoline_voice.api.fields import SpeechFields
from isoline_voice.api.openapi import ERRORS, SPOKEN_HEADERS, request_schema
from isoline_voice.api.prompting import like_recording
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.api.timed import SubtitleResponse, TimedEventResponse, WordTimesResponse
from isoline_voice.audio.encoders import MEDIA_TYPES, Format
from isoline_voice.engines.protocol import SpeechRequest
from isoline_voice.subtitles import MEDIA_TYPES as SUBTITLE_TYPES
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

**When it is heard.** With `timestamp_granularities` (`sentence`, `word`) and `stream_format: sse`, an event
`speech.audio.timestamps` follows the audio of each sentence, with `sentences` and `words` (`text`, `start`, `end` in
seconds; those of words are estimated). `response_format: srt` or `vtt` answers with the subtitles instead of the audio;
audio and times of one and the same speech come as events. `word_timestamps: true` gives vllm-omni's header
X-Word-Timestamps.
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
        **{media_type: {"schema": {"type": "string"}} for media_type in SUBTITLE_TYPES.values()},
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
    common: Common = {
        "route": PATH,
        "audio_format": fields.audio_format or accepted_format(request.headers.get("accept", "")),
        "caller": caller_of(request),
        "warnings": warnings,
    }
    return _answer(studio, speech, fields, common)


def _answer(studio: Studio, speech: SpeechRequest, fields: SpeechFields, common: Common) -> SpeechResponse:
    if fields.subtitle_format is not None:
        asked = fields.subtitle_format
        return SubtitleResponse(studio, speech, subtitle_format=asked, timed=fields.timed, **common)
    if fields.stream_format == "sse":
        if fields.timed:
            return TimedEventResponse(studio, speech, timed=fields.timed, **common)
        return EventResponse(studio, speech, **common)
    return (WordTimesResponse if fields.word_timestamps else AudioResponse)(studio, speech, **common)


def accepted_format(accept: str) -> Format:
    """The format for a request that names none: the Accept header's first audio type that we write, else mp3."""
    for media_range in accept.split(","):
        media_type = media_range.partition(";")[0].strip().lower()
        if media_type in ACCEPTED_TYPES:
            return ACCEPTED_TYPES[media_type]
    return "mp3"
