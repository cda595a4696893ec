"""POST /v1/audio/speech/batch: several texts at once, as vllm-omni and sglang-omni take them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from isoline_voice.api.batch_fields import LONGEST_ITEM, MOST_ITEMS, BatchFields
from isoline_voice.api.bodies import read_json
from isoline_voice.api.callers import Caller, caller_of
from isoline_voice.api.delivery import Meter, encoded_whole, usage
from isoline_voice.api.errors import ApiError, error_body, faults_of
from isoline_voice.api.headers import style_json, warnings_json
from isoline_voice.api.listening import while_listened
from isoline_voice.api.openapi import ERRORS, request_schema
from isoline_voice.api.prompting import References
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.audio.encoders import MEDIA_TYPES
from isoline_voice.errors import VoiceError

log = logging.getLogger(__name__)

PATH = "/v1/audio/speech/batch"
AT_A_TIME = 4
"""Items that are spoken while an earlier one is; it bounds the audio that waits to be sent."""

router = APIRouter(tags=["speech"])

_RESULTS: dict[str, Any] = {
    "description": "The results in the order of the items: `status` is `success` or `error`.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


@router.post(
    PATH,
    summary="Speak several texts",
    description=f"`items` (1 to {MOST_ITEMS}, each of at most {LONGEST_ITEM} characters) have `input` and any other"
    " field of a request for speech; beside `items` stand the defaults of all. Answers with base64 audio (`audio_data`)"
    " in the order of the items. What is wrong with one item is its result's `error` and holds up no other.",
    response_class=Response,
    responses={200: _RESULTS, **ERRORS},
    openapi_extra=request_schema(BatchFields),
)
async def speak_batch(request: Request) -> Response:
    """Speak the body's `items`."""
    studio = studio_of(request)
    settings = studio.settings
    limit = settings.max_body + settings.max_prompt_audio * 4 // 3
    fields = BatchFields.parse(await read_json(request, limit=limit))
    return BatchResponse(studio, fields, caller=caller_of(request))


class BatchResponse(Response):
    """The JSON of a batch, sent item by item."""

    def __init__(self, studio: Studio, fields: BatchFields, *, caller: Caller) -> None:
        super().__init__(media_type="application/json", headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._studio = studio
        self._fields = fields
        self._caller = caller
        self._references = References()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Speak and send; ends early when the client leaves."""
        await while_listened(self._studio, PATH, receive, self._answer(send))

    async def _answer(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with contextlib.aclosing(self._body()) as body:
            async for part in body:
                await send({"type": "http.response.body", "body": part.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _body(self) -> AsyncGenerator[str]:
        succeeded = total = 0
        yield f'{{"id":"speech-batch-{secrets.token_hex(12)}","results":['
        async with contextlib.aclosing(self._results()) as results:
            async for result in results:
                yield ("," if total else "") + _json(result)
                total += 1
                succeeded += result["status"] == "success"
        counts = {"total": total, "succeeded": succeeded, "failed": total - succeeded}
        warnings = warnings_json(self._fields.warnings(self._studio.service.engine))
        yield f"],{_json({**counts, 'warnings': warnings})[1:]}"

    async def _results(self) -> AsyncGenerator[dict[str, Any]]:
        """In order, with some items spoken ahead."""
        under_way: deque[asyncio.Task[dict[str, Any]]] = deque()
        try:
            for index in range(len(self._fields.items)):
                if len(under_way) == AT_A_TIME:
                    yield await under_way.popleft()
                under_way.append(asyncio.create_task(self._result(index)))
            while under_way:
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _result(self, index: int) -> dict[str, Any]:
        try:
            return {"index": index, "status": "success", **await self._spoken(index)}
        except (ApiError, VoiceError) as error:
            status, faults = faults_of(error)
        except Exception as error:
            log.exception("an item of a batch broke")
            status, faults = faults_of(error)
        return {"index": index, "status": "error", **error_body(faults, status=status)}

    async def _spoken(self, index: int) -> dict[str, Any]:
        fields = self._fields.item(index)
        speech, found = await self._references.take(fields.to_speech(fields.input), fields.ref_audio, fields.ref_text)
        meter = Meter(self._studio.metrics.audio.labels(PATH))
        audio_format = fields.audio_format or self._fields.response_format
        spoken = await self._studio.speak(replace(speech, priority="batch"), self._caller)
        async with contextlib.aclosing(spoken):
            try:
                pcm = meter.measure(spoken)
                audio = await encoded_whole(spoken, pcm, audio_format, self._studio.metadata_of(spoken))
            finally:
                if meter.seconds:
                    characters, seconds = len(fields.input), meter.seconds
                    self._studio.usage.add(self._caller.tenant, characters=characters, seconds=seconds)
        unknown = fields.warnings(self._studio.service.engine)
        return {
            "audio_data": base64.b64encode(audio).decode(),
            "format": audio_format,
            "media_type": MEDIA_TYPES[audio_format],
            "engine": spoken.voice.engine,
            "style": style_json(spoken.style),
            "warnings": warnings_json((*unknown, *found, *spoken.warnings)),
            "usage": usage(len(fields.input), meter.seconds),
        }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
