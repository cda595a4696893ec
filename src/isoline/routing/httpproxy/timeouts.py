"""timeoutPolicy, and timeouts as HTTPProxy writes them."""

from typing import NamedTuple

from isoline.objects import parse_go_duration
from isoline.objects.httpproxy import TimeoutPolicy
from isoline.routing import ir, wording
from isoline.routing.httpproxy.scope import Scope

MAXIMUM_SECONDS = 9_223_372_035
"""Whole seconds in 64 bits of nanoseconds; Envoy refuses more."""


class Timeouts(NamedTuple):
    """Seconds; None is the gateway's default, `ir.NEVER` no limit."""

    response: float | None = None
    idle: float | None = None
    idle_connection: float | None = None


DEFAULT = Timeouts()
FAILED = "{}.timeoutPolicy failed to parse: "
_NAMES = {"response": "response", "idle": "idle", "idleConnection": "idle connection"}


def parse_timeout(text: str) -> float | None:
    """Return a timeout's seconds: None (the default) for "" and zero, `ir.NEVER` for infinity.

    Raises ValueError for what is no duration, and for one that is negative or over 292 years.
    """
    if not text:
        return None
    if text in {"infinity", "infinite"}:
        return ir.NEVER
    seconds = parse_go_duration(text)
    if seconds < 0:
        raise ValueError(f'"{text}" is negative')
    if seconds > MAXIMUM_SECONDS:
        raise ValueError(f'"{text}" is too long; write infinity for no limit')
    return seconds or None


def compile_timeouts(policy: TimeoutPolicy | None, scope: Scope) -> Timeouts:
    """Return the timeouts of a route and of its upstream connections. Raises Fault for what is no duration."""
    if policy is None:
        return DEFAULT
    scope = scope.at("timeoutPolicy")
    return Timeouts(
        _field(policy.response, scope, "response"),
        _field(policy.idle, scope, "idle"),
        _field(policy.idle_connection, scope, "idleConnection"),
    )


def _field(text: str, scope: Scope, field: str) -> float | None:
    try:
        return parse_timeout(text)
    except ValueError as error:
        words = f"error parsing {_NAMES[field]} timeout: {wording.bad_timeout(text)}"
        raise scope.at(field).fault(
            "RouteError", "TimeoutPolicyNotValid", str(error), words=f"{FAILED.format('route')}{words}"
        ) from error
