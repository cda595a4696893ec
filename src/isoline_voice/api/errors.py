"""Every error leaves in the shape that OpenAI's clients read.

The shape is `{"error": {"message", "type", "param", "code"}}`; where several fields are wrong, `details` lists all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from isoline_voice.errors import (
    EngineBusyError,
    EngineUnavailableError,
    InvalidRequestError,
    QueueFullError,
    SynthesisTimeoutError,
    VoiceError,
)


class Fault(NamedTuple):
    """One thing that is wrong: the field, a stable code and a sentence that says what to do, perhaps in Chinese too."""

    message: str
    param: str | None
    code: str
    message_zh: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """As `details` has it."""
        told = {"message": self.message, "param": self.param, "code": self.code}
        return told if self.message_zh is None else {**told, "message_zh": self.message_zh}


class ApiError(Exception):
    """A request that cannot be answered, with everything that is wrong with it and the HTTP status."""

    def __init__(self, status: int, *faults: Fault) -> None:
        super().__init__(faults[0].message)
        self.status = status
        self.faults = faults


def error_body(faults: tuple[Fault, ...], *, status: int) -> dict[str, Any]:
    """The JSON for some faults; the first gives `param` and `code`, all of them the message."""
    first = faults[0]
    error: dict[str, Any] = {
        "message": " ".join(fault.message for fault in faults),
        "type": "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error",
        "param": first.param,
        "code": first.code,
    }
    if len(faults) > 1:
        error["details"] = [fault.to_json() for fault in faults]
    elif first.message_zh is not None:
        error["message_zh"] = first.message_zh
    return {"error": error}


def faults_of(error: Exception) -> tuple[int, tuple[Fault, ...]]:
    """The HTTP status and the faults of an error of ours."""
    match error:
        case ApiError():
            return error.status, error.faults
        case VoiceError():
            return _status(error), (Fault(error.message, error.param, error.code, error.message_zh),)
        case _:
            message = "The studio failed to answer; the reason is in its log."
            return HTTPStatus.INTERNAL_SERVER_ERROR, (Fault(message, None, "internal_error"),)


def _status(error: VoiceError) -> int:
    match error:
        case InvalidRequestError():
            return HTTPStatus.BAD_REQUEST
        case QueueFullError():
            return HTTPStatus.TOO_MANY_REQUESTS
        case EngineBusyError() | EngineUnavailableError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case SynthesisTimeoutError():
            return HTTPStatus.GATEWAY_TIMEOUT
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def error_response(error: Exception) -> Response:
    """The answer for an error; a 429 or 503 says in Retry-After when to come back, in whole seconds."""
    status, faults = faults_of(error)
    headers: dict[str, str] = {}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = error.retry_after if isinstance(error, EngineBusyError | EngineUnavailableError) else 1.0
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return JSONResponse(error_body(faults, status=status), status, headers=headers)


def validation_faults(error: ValidationError) -> tuple[Fault, ...]:
    """One fault for each field that pydantic refused."""
    return tuple(_fault(detail) for detail in error.errors(include_url=False))


ANY_VALIDATION_CODE = "invalid_type"
VALIDATION_CODES: Mapping[str, str] = {
    "missing": "missing_required_parameter",
    "literal_error": "unsupported_value",
    "combination": "unsupported_value",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "value_error": "empty_string",  # the only rule of ours is that a text has words
    "string_too_long": "string_above_max_length",
}


def _fault(detail: ErrorDetails) -> Fault:
    field, path = (str(detail["loc"][0]), _path(detail["loc"])) if detail["loc"] else (None, None)
    if detail["type"] == "missing":
        return Fault(f"Missing required parameter: {path!r}.", field, VALIDATION_CODES["missing"])
    found = repr(detail["input"])
    found = found if len(found) <= 60 else found[:57] + "…"
    reason = detail["msg"].removeprefix("Value error, ")
    return Fault(
        f"Invalid {path!r}: {reason} (got {found}).", field, VALIDATION_CODES.get(detail["type"], ANY_VALIDATION_CODE)
    )


def _path(location: tuple[int | str, ...]) -> str | None:
    """`chapters[2].input`; of a union, which names its branches in the path (voice.str), the field alone."""
    path = None
    for before, part in itertools.pairwise((None, *location)):
        if isinstance(part, int):
            path = f"{path}[{part}]"
        elif before is None or isinstance(before, int):
            path = part if path is None else f"{path}.{part}"
        else:
            break
    return path


async def _on_error(_request: Request, error: Exception) -> Response:
    return error_response(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    route = f"{request.method} {request.url.path}"
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            fault = Fault(f"Unknown request URL: {route}. See /openapi.json for what there is.", None, "unknown_url")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_methods(request))
            fault = Fault(f"Not allowed: {route}. Use {allowed}.", None, "method_not_allowed")
            return JSONResponse(error_body((fault,), status=405), 405, headers={"Allow": allowed})
        case _:
            fault = Fault(str(error.detail), None, "invalid_request")
    body = error_body((fault,), status=error.status_code)
    return JSONResponse(body, error.status_code, headers=dict(error.headers or {}))


def _methods(request: Request) -> list[str]:
    """Of all routes at the address: the framework tells those of the first only."""
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


async def _on_query_error(_request: Request, error: Exception) -> Response:
    """What FastAPI refuses of a path or a query, in the same shape as everything else."""
    assert isinstance(error, RequestValidationError)
    faults = tuple(
        Fault(
            f"Invalid {detail['loc'][-1]!r}: {detail['msg']}.",
            str(detail["loc"][-1]),
            VALIDATION_CODES.get(detail["type"], ANY_VALIDATION_CODE),
        )
        for detail in error.errors()
    )
    return error_response(ApiError(HTTPStatus.BAD_REQUEST, *faults))


async def _on_client_gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads it: the server drops what is sent to a closed connection.
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def install(app: FastAPI) -> None:
    """Answer every error of `app` in OpenAI's shape, unknown URLs and unforeseen crashes included."""
    app.add_exception_handler(ApiError, _on_error)
    app.add_exception_handler(VoiceError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_query_error)
    app.add_exception_handler(ClientDisconnect, _on_client_gone)
    app.add_exception_handler(Exception, _on_error)
