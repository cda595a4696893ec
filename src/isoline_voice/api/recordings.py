"""POST /v1/audio/voices/check: what is good and bad about a recording, before anybody speaks with it or keeps it."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from isoline_voice.api.bodies import read_fields
from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.openapi import file_schema
from isoline_voice.api.studio import studio_of
from isoline_voice.api.voices import FILE_FIELDS
from isoline_voice.voices.checking import Checked, check
from isoline_voice.voices.decoding import decode

router = APIRouter(tags=["voices"])


@router.post(
    "/v1/audio/voices/check",
    summary="Check a recording",
    description="The file `audio_sample` of a multipart form, in any audio format. Nothing is kept. `findings` are in"
    " English and Chinese; `recording` is the prepared recording (trimmed, at most 30 s, one loudness) as a WAV file in"
    " base64, which a request for speech takes as `ref_audio`; it is null for a recording that cannot be used.",
    openapi_extra=file_schema("audio_sample"),
)
async def check_recording(request: Request) -> dict[str, Any]:
    """The findings, how many seconds are left after trimming, and the prepared recording."""
    settings = studio_of(request).settings
    form = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    audio = next((form.files[name] for name in FILE_FIELDS if form.files.get(name)), b"")
    if not audio:
        message = "Missing the recording; send it as the file 'audio_sample' of a multipart form."
        raise ApiError(HTTPStatus.BAD_REQUEST, Fault(message, "audio_sample", "missing_required_parameter"))
    return await asyncio.to_thread(_checked, audio)


def _checked(audio: bytes) -> dict[str, Any]:
    checked: Checked = check(decode(audio))
    return {
        "usable": checked.usable,
        "seconds": round(checked.seconds, 2),
        "findings": [finding.to_json() for finding in checked.findings],
        "recording": base64.b64encode(checked.wav()).decode() if checked.usable else None,
    }
