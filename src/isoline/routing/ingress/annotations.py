"""The annotations of an Ingress, in Contour's words and with Contour's defaults.

What an annotation says wrongly is left out with a warning, and the route serves without it (Contour's rule).
"""

from collections.abc import Mapping
from typing import NamedTuple

from isoline.routing import ir
from isoline.routing.httpproxy import retries
from isoline.routing.httpproxy.scope import Report, Scope
from isoline.routing.httpproxy.timeouts import parse_timeout

PREFIX = "projectcontour.io/"
FORCE_HTTPS = "ingress.kubernetes.io/force-ssl-redirect"
ALLOW_HTTP = "kubernetes.io/ingress.allow-http"
RESPONSE_TIMEOUTS = (f"{PREFIX}response-timeout", f"{PREFIX}request-timeout")
"""The second is Contour's older name for the same."""
RETRY_ON = f"{PREFIX}retry-on"
RETRIES = f"{PREFIX}num-retries"
PER_TRY_TIMEOUT = f"{PREFIX}per-try-timeout"
WEBSOCKETS = f"{PREFIX}websocket-routes"


class Wishes(NamedTuple):
    """What the annotations ask for, of every route of the Ingress."""

    force_https: bool = False
    allow_http: bool = True
    https: bool = True
    """Whether its routes are for clients on HTTPS, too, where the host is served there."""
    timeout: float | None = None
    retry: ir.Retry | None = None
    websockets: frozenset[str] = frozenset()
    """Paths as the rules write them."""


NONE = Wishes()


def wishes(annotations: Mapping[str, str], report: Report) -> Wishes:
    """Return what the annotations ask for; what they say wrongly is in the report."""
    if not annotations:
        return NONE
    return Wishes(
        force_https=annotations.get(FORCE_HTTPS) == "true",
        allow_http=annotations.get(ALLOW_HTTP) != "false",
        timeout=_response_timeout(annotations, report),
        retry=_retry(annotations, report),
        websockets=frozenset(path.strip() for path in annotations.get(WEBSOCKETS, "").split(",")) - {""},
    )


def _response_timeout(annotations: Mapping[str, str], report: Report) -> float | None:
    for name in RESPONSE_TIMEOUTS:
        if annotations.get(name):
            return _timeout(name, annotations, report)
    return None


def _retry(annotations: Mapping[str, str], report: Report) -> ir.Retry | None:
    conditions = [word for each in annotations.get(RETRY_ON, "").split(",") if (word := each.strip())]
    known = tuple(each for each in conditions if each in retries.CONDITIONS)
    for condition in conditions:
        if condition not in retries.CONDITIONS:
            _scope(RETRY_ON, report).warn("RouteError", f"{condition!r} is none of Envoy's conditions to try again")
    count = _count(annotations, report)
    if not known or count < 0:
        return None
    # "No limit" and "not said" are the same for one try: the route's own timeout ends it.
    per_try = _timeout(PER_TRY_TIMEOUT, annotations, report) or None
    return ir.Retry(on=known, count=count or 1, per_try_timeout=per_try)


def _count(annotations: Mapping[str, str], report: Report) -> int:
    text = annotations.get(RETRIES, "").strip()
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and int(digits) <= retries.MAXIMUM_COUNT:
        return int(text)
    if text:
        _scope(RETRIES, report).warn("RouteError", f"{text!r} is no number of retries; 1 is used")
    return 0


def _timeout(name: str, annotations: Mapping[str, str], report: Report) -> float | None:
    try:
        return parse_timeout(annotations.get(name, ""))
    except ValueError as error:
        _scope(name, report).warn("RouteError", f"{error}; the default holds")
        return None


def _scope(name: str, report: Report) -> Scope:
    return Scope(report, f"metadata.annotations[{name}]")
