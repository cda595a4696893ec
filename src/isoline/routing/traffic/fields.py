"""Every setting: how it is compiled, and what it changes.

A setting changes one of three things: the filters of a route (its word is the attribute of `ir.Traffic` of the same
name), how a route forwards, or the clusters behind it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from isoline.routing import ir
from isoline.routing.traffic import (
    answers,
    certificates,
    claims,
    credentials,
    failover,
    load,
    login,
    requests,
    upstreams,
)
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
    Field("api_keys", credentials.compile_api_keys, guards=True),
    Field("basic_auth", credentials.compile_basic_auth, guards=True),
    Field("oidc", login.compile_oidc, guards=True),
    Field("jwt_claims", claims.compile_claims, guards=True),
    # Which ways in are alternatives is found by looking at all of them.
    Field("any_credential", lambda value, _place: value),
    Field("compression", load.compile_compression),
    Field("bandwidth", load.compile_bandwidth),
    Field("adaptive_concurrency", load.compile_adaptive_concurrency),
    Field("http3", answers.compile_http3),
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
    (Field("endpoint_concurrency", load.compile_endpoint_concurrency), load.with_endpoint_concurrency),
    (Field("client_certificate", certificates.compile_client_certificate), certificates.with_client_certificate),
    (Field("failover", failover.compile_failover), failover.with_failover),
)

FIELDS = (*FILTERS, *(field for field, _ in FORWARDING), *(field for field, _ in CLUSTERS))
