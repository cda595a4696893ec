"""POST /predict: a form or JSON in, one WAV file out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from isoline_voice.api.bodies import read_fields
from isoline_voice.api.delivery import WholeWavResponse
from isoline_voice.api.fields import PredictFields
from isoline_voice.api.openapi import ERRORS, SPOKEN_HEADERS, request_schema
from isoline_voice.api.studio import studio_of
from isoline_voice.engines.protocol import SpeechWarning

PATH = "/predict"

NO_CLONING = SpeechWarning(
    code="cloning_unsupported",
    en="This engine cannot take a voice from a recording, which was ignored; cloning needs a CosyVoice3 engine.",
    zh="本引擎不能模仿录音中的声音，录音已忽略；复刻声音需要 CosyVoice3 引擎。",
)

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
    data, file_bytes = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    fields = PredictFields.parse(data)
    warnings = fields.warnings(studio.service.engine)
    if (file_bytes or fields.prompt_wav or fields.audio) and not studio.service.capabilities.cloning:
        warnings = (NO_CLONING, *warnings)
    speech = fields.to_speech(fields.text)
    return WholeWavResponse(studio, speech, route=PATH, audio_format="wav", warnings=warnings, text_field="text")
