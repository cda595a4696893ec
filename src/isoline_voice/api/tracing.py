"""Each request's span and the names under which its log lines are found."""

from __future__ import annotations

import re

from opentelemetry import trace
from opentelemetry.propagate import extract
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from isoline_voice.api.forwarded import path_of

QUIET = ("/healthz", "/readyz", "/metrics")
"""What probes and scrapers ask for every few seconds is no news."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class TraceRequests:
    """A span for each request and session, continuing the caller's trace (W3C traceparent)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("isoline_voice")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on within the span."""
        if scope["type"] not in ("http", "websocket") or path_of(scope) in QUIET:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        method = scope.get("method", "WEBSOCKET")
        span = self._tracer.start_span(method, context=extract(headers), kind=trace.SpanKind.SERVER)
        span.set_attribute("http.request.method", method)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(trace.StatusCode.ERROR)
            await send(message)

        try:
            # What an exception says may hold what somebody let the studio say.
            used = trace.use_span(span, record_exception=False, set_status_on_exception=False)
            with used, bound_contextvars(**_names(headers, span)):
                await self._app(scope, receive, told)
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
            span.end()


def _names(headers: Headers, span: trace.Span) -> dict[str, str]:
    names = {}
    request_id = headers.get("x-request-id", "")
    if _REQUEST_ID.fullmatch(request_id):
        names["request_id"] = request_id
    context = span.get_span_context()
    if context.is_valid:
        names["trace_id"] = trace.format_trace_id(context.trace_id)
    return names
