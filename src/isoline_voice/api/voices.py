"""The voices on offer and those that people have made from recordings."""

from __future__ import annotations

import asyncio
import dataclasses
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from isoline_voice.api.bodies import read_fields, read_json
from isoline_voice.api.callers import caller_of
from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.openapi import file_schema, request_schema
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.api.voice_fields import RenameFields, VoiceFields
from isoline_voice.errors import InvalidRequestError
from isoline_voice.voices.archive import pack, unpack
from isoline_voice.voices.checking import Finding
from isoline_voice.voices.prompts import from_text
from isoline_voice.voices.store import Consent, RecordingRefusedError, StoredVoice

PATH = "/v1/audio/voices"
FILE_FIELDS = ("audio_sample", "audio", "prompt_wav", "file")

router = APIRouter(tags=["voices"])


@router.get(PATH, summary="Voices", description="Your own voices by name, then the engine's, the default first.")
async def list_voices(request: Request) -> dict[str, Any]:
    """The voices, as OpenAI's lists are shaped (`data`) and where other speech servers' clients look (`voices`)."""
    studio = studio_of(request)
    own = await asyncio.to_thread(studio.voices.list, caller_of(request).tenant)
    offered = [dataclasses.asdict(voice) for voice in studio.service.voices()]
    voices = [*offered, *(voice.to_json() for voice in own)]
    return {"object": "list", "data": voices, "voices": voices}


@router.post(
    PATH,
    summary="Make a voice",
    description="From a recording of 3 to 30 s in any audio format: a multipart form with the file `audio_sample`,"
    " `name` and `consent`, the words in which the speaker agreed. `findings` tell what was found in the recording, and"
    " what to do about it; one of level `error` refuses it.",
    status_code=HTTPStatus.CREATED,
    response_class=JSONResponse,
    openapi_extra=request_schema(VoiceFields, form=True),
)
async def create_voice(request: Request) -> Response:
    """Store a voice of the caller's."""
    settings = studio_of(request).settings
    form = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    fields = VoiceFields.parse(form.fields)
    audio = next((form.files[name] for name in FILE_FIELDS if form.files.get(name)), b"")
    if not audio and fields.audio_sample:
        audio = from_text(fields.audio_sample, param="audio_sample")
    if not audio:
        message = "Missing the recording; send it as the file 'audio_sample' of a multipart form."
        raise ApiError(HTTPStatus.BAD_REQUEST, Fault(message, "audio_sample", "missing_required_parameter"))
    tenant = caller_of(request).tenant
    consent = Consent(by=fields.consent_by or tenant or "whoever sent the recording", words=fields.consent)
    return await _added(request, fields, audio, consent)


@router.get(f"{PATH}/{{voice}}", summary="One of your voices", response_class=JSONResponse)
async def get_voice(request: Request, voice: str) -> Response:
    """A voice by id or name, with its consent and what was found in its recording."""
    return JSONResponse(_own(request, voice).to_json())


@router.patch(
    f"{PATH}/{{voice}}",
    summary="Rename one of your voices",
    response_class=JSONResponse,
    openapi_extra=request_schema(RenameFields),
)
async def rename_voice(request: Request, voice: str) -> Response:
    """Another `name`; the id stays."""
    studio, own = studio_of(request), _own(request, voice)
    fields = RenameFields.parse(await read_json(request, limit=studio.settings.max_body))
    _refuse_offered_name(studio, fields.name)
    await asyncio.to_thread(studio.voices.rename, caller_of(request).tenant, own, fields.name)
    return JSONResponse(_own(request, own.id).to_json())


@router.delete(f"{PATH}/{{voice}}", summary="Delete one of your voices", response_class=JSONResponse)
async def delete_voice(request: Request, voice: str) -> Response:
    """The recording, the consent and the voice are gone when this answers."""
    own = _own(request, voice)
    await asyncio.to_thread(studio_of(request).voices.delete, caller_of(request).tenant, own)
    return JSONResponse({"id": own.id, "object": "audio.voice.deleted", "deleted": True, "success": True})


@router.get(f"{PATH}/{{voice}}/recording", summary="The recording of one of your voices", response_class=Response)
async def get_recording(request: Request, voice: str) -> Response:
    """The recording as it is used, a WAV file."""
    reference = await asyncio.to_thread(studio_of(request).voices.reference, _own(request, voice))
    return Response(reference.audio, media_type="audio/wav", headers={"Cache-Control": "no-store"})


@router.get(f"{PATH}/{{voice}}/export", summary="One of your voices as a file", response_class=Response)
async def export_voice(request: Request, voice: str) -> Response:
    """A ZIP file with the recording and the consent, for POST /v1/audio/voices/import."""
    own = _own(request, voice)
    reference = await asyncio.to_thread(studio_of(request).voices.reference, own)
    headers = {"Content-Disposition": f'attachment; filename="{own.id}.zip"', "Cache-Control": "no-store"}
    return Response(pack(own, reference), media_type="application/zip", headers=headers)


@router.post(
    f"{PATH}/import",
    summary="Take an exported voice",
    status_code=HTTPStatus.CREATED,
    response_class=JSONResponse,
    openapi_extra=file_schema("archive"),
)
async def import_voice(request: Request) -> Response:
    """The file `archive` of a multipart form. The recording is checked anew; the consent stays as it was given."""
    settings = studio_of(request).settings
    form = await read_fields(request, limit=settings.max_body, file_limit=settings.max_prompt_audio)
    archive = form.files.get("archive") or form.files.get("file") or b""
    told, consent, recording = await asyncio.to_thread(unpack, archive)
    kept = {name: told.get(name) for name in ("name", "language", "description", "transcript")}
    own_name = {"name": form.fields["name"]} if form.fields.get("name") else {}
    fields = VoiceFields.parse({**kept, **own_name, "consent": consent.words, "consent_by": consent.by})
    return await _added(request, fields, recording, consent)


async def _added(request: Request, fields: VoiceFields, audio: bytes, consent: Consent) -> Response:
    studio = studio_of(request)
    _refuse_offered_name(studio, fields.name)
    try:
        voice = await asyncio.to_thread(
            studio.voices.add,
            caller_of(request).tenant,
            name=fields.name,
            audio=audio,
            consent=consent,
            transcript=fields.ref_text or None,
            language=fields.language,
            description=fields.description,
        )
    except RecordingRefusedError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, *_faults(error.findings)) from error
    return JSONResponse(_answer(voice), HTTPStatus.CREATED)


def _own(request: Request, voice: str) -> StoredVoice:
    found = studio_of(request).voices.find(caller_of(request).tenant, voice)
    if found is None:
        message = f"You have no voice {voice!r}; GET {PATH} lists them."
        raise ApiError(HTTPStatus.NOT_FOUND, Fault(message, "voice", "voice_not_found"))
    return found


def _answer(voice: StoredVoice) -> dict[str, Any]:
    """`success` and `voice` are where clients of vllm-omni look."""
    told = voice.to_json()
    return {**told, "success": True, "voice": told}


def _refuse_offered_name(studio: Studio, name: str) -> None:
    if any(name.casefold() in (voice.id.casefold(), voice.name.casefold()) for voice in studio.service.voices()):
        raise InvalidRequestError(
            f"The engine has a voice {name!r}; choose another name.", param="name", code="name_taken"
        )


def _faults(findings: tuple[Finding, ...]) -> list[Fault]:
    return [
        Fault(finding.message, "audio_sample", finding.code, finding.message_zh)
        for finding in findings
        if finding.level == "error"
    ]
