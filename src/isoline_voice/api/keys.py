"""Keys: who has none is turned away, and each client keeps to its rate."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Iterable
from http import HTTPStatus

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from isoline_voice.api.callers import STATE_KEY, Caller
from isoline_voice.api.errors import Fault, error_body
from isoline_voice.api.forwarded import path_of
from isoline_voice.settings import Client

PROTECTED = ("/v1/", "/predict", "/inference_", "/gradio")
SUBPROTOCOL = "openai-insecure-api-key."
"""How browsers, which cannot set headers of a WebSocket, send a key to OpenAI."""

CLOSE_POLICY = 1008


class RequireKeys:
    """Lets requests to the API through that carry the key of one of `clients`; all of them where there are none."""

    def __init__(self, app: ASGIApp, *, clients: Iterable[Client]) -> None:
        self._app = app
        self._clients = tuple(clients)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the caller for the routes, or refuse."""
        protected = scope["type"] in ("http", "websocket") and path_of(scope).startswith(PROTECTED)
        if not self._clients or not protected:
            await self._app(scope, receive, send)
            return
        client = self._client(Headers(scope=scope))
        refusal = _UNKNOWN if client is None else self._refusal(client)
        if client is None or refusal is not None:
            await _refuse(refusal or _UNKNOWN, scope, receive, send)
            return
        scope.setdefault("state", {})[STATE_KEY] = Caller(client.name, client.name)
        await self._app(scope, receive, send)

    def _client(self, headers: Headers) -> Client | None:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            offered = [each.strip() for each in headers.get("sec-websocket-protocol", "").split(",")]
            key = next((each.removeprefix(SUBPROTOCOL) for each in offered if each.startswith(SUBPROTOCOL)), "")
        digest = hashlib.sha256(key.strip().encode()).digest()
        found = [client for client in self._clients if hmac.compare_digest(client.key_sha256, digest)]
        return found[0] if found else None

    def _refusal(self, client: Client) -> Response | None:
        if client.requests_per_minute is None:
            return None
        limit = RateLimitItemPerMinute(client.requests_per_minute)
        if self._limiter.hit(limit, client.name):
            return None
        again = self._limiter.get_window_stats(limit, client.name).reset_time
        fault = Fault(f"{client.requests_per_minute} requests a minute are allowed.", None, "rate_limit_exceeded")
        return _answer(
            fault, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(max(1, math.ceil(again - time.time())))}
        )


def _answer(fault: Fault, status: HTTPStatus, headers: dict[str, str]) -> Response:
    return JSONResponse(error_body((fault,), status=status), status, headers=headers)


_UNKNOWN = _answer(
    Fault("A valid key is needed: Authorization: Bearer …", None, "invalid_api_key"),
    HTTPStatus.UNAUTHORIZED,
    {"WWW-Authenticate": "Bearer"},
)


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": CLOSE_POLICY, "reason": "a valid key is needed"})
        return
    await refusal(scope, receive, send)
