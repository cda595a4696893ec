"""Who asks, and what they may."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

STATE_KEY = "caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """`tenant` owns voices, jobs and usage, and is "" where no keys are asked for; `client` takes turns with others."""

    tenant: str
    client: str


def caller_of(connection: HTTPConnection) -> Caller:
    """The caller that the key named, or for want of keys the address that the request came from."""
    named = connection.scope.get("state", {}).get(STATE_KEY)
    if isinstance(named, Caller):
        return named
    return Caller("", connection.client.host if connection.client else "")
