"""/v1/audio/jobs: long texts, spoken in the background."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, get_args
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from isoline_voice.api.bodies import read_json
from isoline_voice.api.callers import caller_of
from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.headers import warnings_json
from isoline_voice.api.job_fields import JobFields
from isoline_voice.api.openapi import request_schema
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.audio.encoders import FORMATS, MEDIA_TYPES, Format
from isoline_voice.audio.files import encoded_span
from isoline_voice.audio.provenance import provenance
from isoline_voice.jobs.planning import Chapter, chapters, spoken_sentences
from isoline_voice.jobs.store import Job
from isoline_voice.subtitles import MEDIA_TYPES as SUBTITLE_TYPES
from isoline_voice.subtitles import SubtitleFormat, subtitles, timed
from isoline_voice.text.tags import check_tags
from isoline_voice.voices.prompts import from_text, prepare

PATH = "/v1/audio/jobs"
MOST_UNFINISHED = 100

router = APIRouter(tags=["jobs"])

ChapterNumber = Annotated[int | None, Query(ge=1, description="A chapter by its number; left out: all of it.")]


@router.post(
    PATH,
    summary="Speak a book",
    description="Answers at once; GET the job for its progress. It goes on after a restart. `input` with headings, or"
    " `chapters`; the other fields are those of a request for speech. A recording (`ref_audio`) is kept with the job,"
    " and deleted with it.",
    status_code=HTTPStatus.ACCEPTED,
    response_class=JSONResponse,
    openapi_extra=request_schema(JobFields),
)
async def create_job(request: Request) -> Response:
    """Queue a text."""
    studio, caller = studio_of(request), caller_of(request)
    settings = studio.settings
    # Base64 is a third longer than what it holds.
    limit = settings.max_body + settings.max_prompt_audio * 4 // 3
    fields = JobFields.parse(await read_json(request, limit=limit))
    if fields.webhook is not None:
        _check_webhook(studio, fields.webhook)
    parts = [Chapter(part.title, part.input) for part in fields.chapters] or chapters(fields.input)
    spoken = await asyncio.to_thread(lambda: any(next(spoken_sentences(part.text), None) for part in parts))
    if not spoken:
        raise _fault("There is nothing to say; send `input` or `chapters` with words.", "input", "text_empty")
    for part in parts:
        check_tags(part.text)
    if await asyncio.to_thread(studio.jobs.unfinished, caller.tenant) >= MOST_UNFINISHED:
        message = f"{MOST_UNFINISHED} of your jobs are not finished; wait for some or cancel them."
        raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, Fault(message, None, "too_many_jobs"))
    prompt = None
    if fields.ref_audio is not None:
        audio = from_text(fields.ref_audio, param="ref_audio")
        prompt = await asyncio.to_thread(prepare, audio, fields.ref_text, param="ref_audio")
    warnings = (*fields.warnings(studio.service.engine), *(() if prompt is None else prompt.warnings))
    job = await asyncio.to_thread(
        studio.jobs.add,
        caller.tenant,
        fields.request_json(),
        parts,
        recording=None if prompt is None else prompt.reference.audio,
        warnings=warnings_json(warnings),
    )
    studio.runner.wake()
    headers = {"Location": f"{request.scope.get('root_path', '')}{PATH}/{job.id}"}
    return JSONResponse(job.to_json(), HTTPStatus.ACCEPTED, headers=headers)


@router.get(PATH, summary="Your jobs", response_class=JSONResponse)
async def list_jobs(request: Request) -> Response:
    """The latest first."""
    jobs = await asyncio.to_thread(studio_of(request).jobs.of_tenant, caller_of(request).tenant)
    return JSONResponse({"object": "list", "data": [job.to_json() for job in jobs]})


@router.get(f"{PATH}/{{job}}", summary="A job and its progress", response_class=JSONResponse)
async def get_job(request: Request, job: str) -> Response:
    """`status` is queued, running, succeeded, failed or cancelled; `progress` goes from 0 to 1."""
    return JSONResponse((await _own(request, job)).to_json())


@router.post(f"{PATH}/{{job}}/cancel", summary="Stop a job", response_class=JSONResponse)
async def cancel_job(request: Request, job: str) -> Response:
    """What is spoken already stays until the job is deleted."""
    own = await _own(request, job)
    await studio_of(request).runner.cancel(own)
    return JSONResponse((await _own(request, job)).to_json())


@router.delete(f"{PATH}/{{job}}", summary="Delete a job", response_class=JSONResponse)
async def delete_job(request: Request, job: str) -> Response:
    """Stop it, and remove its text and audio."""
    own, studio = await _own(request, job), studio_of(request)
    await studio.runner.cancel(own)
    await asyncio.to_thread(studio.jobs.delete, own)
    return JSONResponse({"id": own.id, "object": "audio.job.deleted", "deleted": True})


@router.get(
    f"{PATH}/{{job}}/audio",
    summary="The audio of a job",
    description="All of it when the job has succeeded, or a `chapter` as soon as that is spoken.",
    response_class=Response,
)
async def get_audio(
    request: Request,
    job: str,
    response_format: Annotated[str | None, Query(description="Left out: what the job asked for.")] = None,
    chapter: ChapterNumber = None,
) -> Response:
    """The audio in any format, encoded while it is sent."""
    own, studio = await _own(request, job), studio_of(request)
    audio_format = _format(response_format or own.request["response_format"])
    span = await asyncio.to_thread(studio.jobs.span, own, _index(own, chapter))
    if span is None or own.rate is None:
        raise ApiError(HTTPStatus.CONFLICT, Fault("That is not spoken yet; see `status`.", "chapter", "not_ready"))
    metadata = provenance(studio.service.engine) if studio.settings.provenance else {}
    body = encoded_span(studio.jobs.audio(own.id).open("rb"), span, audio_format, own.rate, metadata)
    name = f"{own.id}{'' if chapter is None else f'-{chapter}'}.{audio_format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(body, media_type=MEDIA_TYPES[audio_format], headers=headers)


@router.get(f"{PATH}/{{job}}/timestamps", summary="When each sentence is heard", response_class=JSONResponse)
async def get_timestamps(request: Request, job: str, chapter: ChapterNumber = None) -> Response:
    """Seconds; those of sentences are measured, those of words estimated."""
    own = await _own(request, job)
    cues = await asyncio.to_thread(studio_of(request).jobs.cues, own, _index(own, chapter))
    return JSONResponse(timed(cues))


@router.get(f"{PATH}/{{job}}/subtitles.{{subtitle_format}}", summary="Subtitles", response_class=PlainTextResponse)
async def get_subtitles(request: Request, job: str, subtitle_format: str, chapter: ChapterNumber = None) -> Response:
    """`srt` or `vtt`, as far as the job is spoken."""
    own = await _own(request, job)
    known: tuple[SubtitleFormat, ...] = get_args(SubtitleFormat)
    chosen = next((each for each in known if each == subtitle_format), None)
    if chosen is None:
        raise _fault(f"Subtitles are {' or '.join(known)}.", "subtitle_format", "unsupported_value")
    cues = await asyncio.to_thread(studio_of(request).jobs.cues, own, _index(own, chapter))
    return Response(subtitles(cues, chosen), media_type=f"{SUBTITLE_TYPES[chosen]}; charset=utf-8")


async def _own(request: Request, job: str) -> Job:
    found = await asyncio.to_thread(studio_of(request).jobs.find, caller_of(request).tenant, job)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND, Fault(f"You have no job {job!r}.", "job", "job_not_found"))
    return found


def _index(job: Job, chapter: int | None) -> int | None:
    count = len(job.request["chapters"])
    if chapter is not None and chapter > count:
        raise _fault(f"The job has {count} chapters.", "chapter", "out_of_range")
    return None if chapter is None else chapter - 1


def _format(name: str) -> Format:
    for audio_format in FORMATS:
        if audio_format == name:
            return audio_format
    raise _fault(f"The format is one of {', '.join(FORMATS)}.", "response_format", "unsupported_value")


def _check_webhook(studio: Studio, url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise _fault("The webhook is no URL.", "webhook", "invalid_url") from error
    if parts.scheme not in ("http", "https") or host not in studio.settings.webhooks:
        allowed = ", ".join(studio.settings.webhooks) or "none"
        raise _fault(
            f"Webhooks go to allowed hosts only ({allowed}); the operator adds one with ISOLINE_VOICE_WEBHOOKS.",
            "webhook",
            "webhook_not_allowed",
        )


def _fault(message: str, param: str, code: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, Fault(message, param, code))
