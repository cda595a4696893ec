"""POST /predict: a form or JSON in, one WAV file out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from isoline_voice.api.bodies import Form, read_fields
from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import WholeWavResponse
from isoline_voice.api.fields import PredictFields
from isoline_voice.api.openapi import ERRORS, SPOKEN_HEADERS, request_schema
from isoline_voice.api.prompting import like_recording
from isoline_voice.api.studio import studio_of
from isoline_voice.voices.prompts import from_text

PATH = "/predict"

router = APIRouter(tags=["speech"])


@router.post(
    PATH,
    summary="Speak a text, simply",
    description="`text` and, how to say it, `instruct`, as JSON or as a form (multipart or urlencoded), with an"
    " optional recording to take the voice from as the file `prompt_wav` or `audio`. Answers with one WAV file.",
    response_class=Response,
    responses={
        200: {
            "description": "The audio.",
            "headers": SPOKEN_HEADERS,
            "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
        },
        **ERRORS,
    },
    openapi_extra=request_schema(PredictFields, form=True),
)
async def predict(request: Request) -> Response:
    """Speak the body's `text`."""
    studio = studio_of(request)
    settings = studio.settings
    form = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    fields = PredictFields.parse(form.fields)
    warnings = fields.warnings(studio.service.engine)
    speech = fields.to_speech(fields.text)
    if (audio := _recording(form, fields)) is not None:
        speech, found = await like_recording(speech, audio, fields.prompt_text, param="prompt_wav")
        warnings = (*warnings, *found)
    return WholeWavResponse(
        studio,
        speech,
        route=PATH,
        audio_format="wav",
        caller=caller_of(request),
        warnings=warnings,
        text_field="text",
    )


def _recording(form: Form, fields: PredictFields) -> bytes | None:
    """The recording, a file before base64; browsers send an empty file for a field that was left empty."""
    for name in ("prompt_wav", "audio"):
        if form.files.get(name):
            return form.files[name]
    text = fields.prompt_wav or fields.audio
    return from_text(text, param="prompt_wav") if text else None
