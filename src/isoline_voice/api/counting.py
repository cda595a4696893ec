"""Counting requests by route and status."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isoline_voice.metrics import Metrics


class CountRequests:
    """Counts each answered request under its route's pattern, never its path: a stranger must not choose our labels."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._requests = metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on and count the status line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(_pattern(scope), str(message["status"])).inc()
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            # The answer to a crash is made outside of us.
            self._requests.labels(_pattern(scope), "500").inc()
            raise


def _pattern(scope: Scope) -> str:
    route = scope.get("route")
    return str(getattr(route, "path", None) or "other")
