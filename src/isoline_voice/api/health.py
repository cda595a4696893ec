"""GET /healthz, /readyz and /metrics."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from isoline_voice.api.studio import studio_of

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive", response_class=JSONResponse)
async def alive() -> Response:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Ready",
    response_class=JSONResponse,
    responses={503: {"description": "Not now; `detail` says why."}},
)
async def ready(request: Request) -> Response:
    """200 when the engine takes work, 503 with the reason when it does not or the studio is about to stop."""
    studio = studio_of(request)
    if studio.draining:
        ok, detail = False, "stopping"
    else:
        ok, detail = (health := await studio.service.ready()).ok, health.detail
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "ready" if ok else "unready", "detail": detail}, status)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """The studio's figures in Prometheus' text format."""
    return Response(studio_of(request).metrics.render(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
