"""GET /v1/models."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.fields import OPENAI_MODELS
from isoline_voice.api.studio import Studio, studio_of

router = APIRouter(tags=["models"])

# The engine is part of the program: it was made when the program was, and a constant keeps answers comparable.
CREATED = 1735689600


def _model(name: str, *, engine: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "isoline-voice", "engine": engine}


def _names(studio: Studio) -> list[str]:
    return [studio.service.engine, *sorted(OPENAI_MODELS)]


@router.get(
    "/v1/models", summary="Models", description="The engine that speaks, and OpenAI's names for which it stands in."
)
async def list_models(request: Request) -> dict[str, Any]:
    """The engine's name first, then OpenAI's names."""
    studio = studio_of(request)
    return {"object": "list", "data": [_model(name, engine=studio.service.engine) for name in _names(studio)]}


@router.get("/v1/models/{model}", summary="One model")
async def get_model(request: Request, model: str) -> dict[str, Any]:
    """One of the list; 404 for any other name."""
    studio = studio_of(request)
    names = _names(studio)
    if model not in names:
        message = f"The model {model!r} does not exist. Models: {', '.join(names)}."
        raise ApiError(HTTPStatus.NOT_FOUND, Fault(message, "model", "model_not_found"))
    return _model(model, engine=studio.service.engine)
