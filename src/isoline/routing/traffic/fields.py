"""Every setting: how it is compiled, and what it changes.

A setting changes one of three things: the filters of a route (its word is the attribute of `ir.Traffic` of the same
name), how a route forwards, or the clusters behind it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from isoline.routing import ir
from isoline.routing.traffic import answers, requests, upstreams
from isoline.routing.traffic.place import Place


class Field(NamedTuple):
    """`name` is the attribute of the spec. `compile` returns a word, or raises Fault."""

    name: str
    compile: Callable[[Any, Place], Any]
    guards: bool = False
    """It keeps somebody away: where it cannot be compiled, its routes answer 503."""


FILTERS = (
    Field("request_body", requests.compile_body),
    Field("request_headers", requests.compile_headers),
    Field("rate_limits", requests.compile_rate_limits),
    Field("error_pages", answers.compile_error_pages),
    Field("session_cookie", upstreams.compile_session_cookie),
    Field("access_log", answers.compile_access_log),
    Field("request_id", answers.compile_request_id),
)

FORWARDING: tuple[tuple[Field, Callable[[ir.Forward, Any], ir.Forward]], ...] = (
    (Field("timeouts", upstreams.compile_timeouts), upstreams.with_timeouts),
    (Field("retry", upstreams.compile_retry), upstreams.with_retries),
    # After the retries that it needs.
    (Field("hedging", upstreams.compile_hedging), upstreams.with_hedging),
    (Field("path_rewrite", requests.compile_rewrite), requests.with_rewrite),
)

CLUSTERS: tuple[tuple[Field, Callable[[ir.Cluster, Any], ir.Cluster]], ...] = (
    (Field("outlier_detection", upstreams.compile_outliers), upstreams.with_outliers),
)

FIELDS = (*FILTERS, *(field for field, _ in FORWARDING), *(field for field, _ in CLUSTERS))
