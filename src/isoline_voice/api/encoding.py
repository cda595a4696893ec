"""POST /v1/audio/encode: audio that somebody has heard already, as a file of another format."""

from __future__ import annotations

import tempfile
from http import HTTPStatus
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from isoline_voice.api.bodies import spool
from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.studio import studio_of
from isoline_voice.audio.encoders import FORMATS, MEDIA_TYPES, Format
from isoline_voice.audio.files import encoded_span
from isoline_voice.audio.provenance import provenance

LARGEST = 256 * 1024 * 1024
"""An hour and a half at 24 000 Hz; longer texts are jobs, whose audio stays with the studio."""
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000

router = APIRouter(tags=["speech"])

_PCM = {"type": "string", "format": "binary"}


@router.post(
    "/v1/audio/encode",
    summary="Encode what was heard",
    description="The body is what came over the WebSocket or as `pcm`: mono, little-endian int16. The answer is the"
    " same audio as a file that says that its voice is synthetic. Nothing is kept.",
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"audio/pcm": {"schema": _PCM}}}},
)
async def encode(
    request: Request,
    response_format: Annotated[str, Query(description=f"One of {', '.join(FORMATS)}.")] = "mp3",
    rate: Annotated[int, Query(ge=LOWEST_RATE, le=HIGHEST_RATE, description="Samples a second.")] = 24_000,
) -> Response:
    """The body's PCM in a format."""
    studio = studio_of(request)
    audio_format = _format(response_format)
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (the answer closes it)
    try:
        taken = await spool(request, file, limit=LARGEST)
        if not taken or taken % 2:
            message = "The body has to be int16 samples, two bytes each, at least one of them."
            raise ApiError(HTTPStatus.BAD_REQUEST, Fault(message, None, "malformed_body"))
    except BaseException:
        file.close()
        raise
    metadata = provenance(studio.service.engine) if studio.settings.provenance else {}
    return StreamingResponse(
        encoded_span(file, (0, taken), audio_format, rate, metadata),
        media_type=MEDIA_TYPES[audio_format],
        headers={"Cache-Control": "no-store"},
    )


def _format(name: str) -> Format:
    for audio_format in FORMATS:
        if audio_format == name:
            return audio_format
    message = f"The format is one of {', '.join(FORMATS)}."
    raise ApiError(HTTPStatus.BAD_REQUEST, Fault(message, "response_format", "unsupported_value"))
