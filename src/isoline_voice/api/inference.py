"""The form routes of CosyVoice's own server, for the scripts that were written for it.

The original answers headerless int16 PCM and tells nobody the rate; here the Content-Type and X-Sample-Rate do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from isoline_voice.api.bodies import Form, read_fields
from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import AudioResponse
from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.fields import MAX_INSTRUCTIONS, SpokenFields
from isoline_voice.api.openapi import ERRORS, SPOKEN_HEADERS, request_schema
from isoline_voice.api.prompting import like_recording
from isoline_voice.api.studio import studio_of
from isoline_voice.audio.finishing import OUTPUT_RATE
from isoline_voice.engines.protocol import Speech
from isoline_voice.styles import parse_style

NEEDS: dict[str, tuple[str, ...]] = {
    "sft": (),
    "zero_shot": ("prompt_wav", "prompt_text"),
    "cross_lingual": ("prompt_wav",),
    "instruct": ("instruct_text",),
    "instruct2": ("instruct_text", "prompt_wav"),
}
"""What each mode cannot do without, beside `tts_text`."""

router = APIRouter(tags=["speech"])


class InferenceFields(SpokenFields):
    """The forms' text fields."""

    tts_text: str = Field(min_length=1, description="The text to speak.")
    spk_id: str = Field("", max_length=256, description="A voice's id or name; an unknown one is an error.")
    prompt_text: str = Field("", max_length=2000, description="What is said in the recording.")
    instruct_text: str = Field("", max_length=MAX_INSTRUCTIONS, description="How to say it, in your own words.")


class RawResponse(AudioResponse):
    """PCM whose type tells its rate."""

    def type_of_body(self) -> str:
        """L16 would be big-endian."""
        return f"audio/pcm; rate={OUTPUT_RATE}; channels=1; encoding=s16le"

    def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces as they are."""
        assert speech.rate == OUTPUT_RATE
        return pcm


@router.api_route(
    "/inference_{mode}",
    methods=["POST"],
    summary="CosyVoice's own forms",
    description="`mode` is sft, zero_shot, cross_lingual, instruct or instruct2. Answers with int16 PCM without a"
    f" header, little-endian, mono, {OUTPUT_RATE} Hz, while it is spoken.",
    response_class=Response,
    responses={200: {"description": "PCM.", "headers": SPOKEN_HEADERS, "content": {"audio/pcm": {}}}, **ERRORS},
    openapi_extra=request_schema(InferenceFields, form=True),
)
async def infer(request: Request, mode: str) -> Response:
    """Speak the form's `tts_text`."""
    studio = studio_of(request)
    if mode not in NEEDS:
        raise ApiError(404, Fault(f"There is no mode {mode!r}; there are {', '.join(NEEDS)}.", None, "unknown_url"))
    settings = studio.settings
    form = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    fields = InferenceFields.parse(form.fields)
    _check(mode, form, fields)
    speech = replace(
        fields.to_speech(fields.tts_text),
        voice=fields.spk_id or fields.voice,
        style=parse_style(fields.instruct_text or fields.instructions),
    )
    warnings = fields.warnings(studio.service.engine)
    if audio := form.files.get("prompt_wav"):
        speech, found = await like_recording(speech, audio, fields.prompt_text, param="prompt_wav")
        warnings = (*warnings, *found)
    route = f"/inference_{mode}"
    return RawResponse(
        studio,
        speech,
        route=route,
        audio_format="pcm",
        caller=caller_of(request),
        warnings=warnings,
        text_field="tts_text",
    )


def _check(mode: str, form: Form, fields: InferenceFields) -> None:
    given = {
        "prompt_wav": bool(form.files.get("prompt_wav")),
        "prompt_text": bool(fields.prompt_text.strip()),
        "instruct_text": bool(fields.instruct_text.strip()),
    }
    missing = [
        Fault(f"Missing required parameter: {name!r}; {mode} needs it.", name, "missing_required_parameter")
        for name in NEEDS[mode]
        if not given[name]
    ]
    if missing:
        raise ApiError(400, *missing)
