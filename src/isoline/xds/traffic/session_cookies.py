"""A cookie of the gateway's that brings a client back to the endpoint that answered it first."""

from typing import Any

from envoy.extensions.filters.http.stateful_session.v3 import stateful_session_pb2
from envoy.extensions.http.stateful_session.cookie.v3 import cookie_pb2

from isoline.routing import ir
from isoline.xds.messages import duration, extension, packed

NAME = "isoline.session_cookie"


def configuration(traffic: ir.Traffic) -> Any | None:
    source = traffic.session_cookie
    if source is None:
        return None
    state = cookie_pb2.CookieBasedSessionState()
    state.cookie.name = source.name
    state.cookie.path = source.path
    state.cookie.ttl.CopyFrom(duration(source.ttl or 0.0))
    for name, value in _attributes(source):
        state.cookie.attributes.add(name=name, value=value)
    message = stateful_session_pb2.StatefulSession(strict=source.strict)
    message.session_state.CopyFrom(extension("envoy.http.stateful_session.cookie", state))
    return packed(message)


def _attributes(source: ir.SessionCookie) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if source.same_site is not None:
        found.append(("SameSite", source.same_site))
    if source.secure:
        found.append(("Secure", ""))
    return found
