"""GET /v1/usage: what the caller has had."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from isoline_voice.api.callers import caller_of
from isoline_voice.api.studio import studio_of

router = APIRouter(tags=["usage"])


@router.get("/v1/usage", summary="Usage", description="By day (UTC), the latest first: requests, characters, seconds.")
async def get_usage(request: Request) -> dict[str, Any]:
    """The days on which the caller had any audio."""
    days = await asyncio.to_thread(studio_of(request).usage.days, caller_of(request).tenant)
    return {"object": "list", "data": [day.to_json() for day in days]}
