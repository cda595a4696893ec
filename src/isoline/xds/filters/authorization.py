"""External authorization: a server is asked about each request, and what it refuses goes no further.

A gRPC server is told a context that routes may change, which Envoy takes per route for a filter that stands in the
chain; whether such a filter lets requests pass when nobody answers, and how it sends bodies, Envoy does not. So the
chain holds a filter of each sort, made only for requests whose site has set its mark (see `guards`). An HTTP server
has no context, and settings that are all the filter's: each site brings the whole filter with its routes.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.http.composite.v3 import composite_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.matching.common_inputs.network.v3 import network_inputs_pb2
from envoy.type.matcher.v3 import string_pb2
from envoy.type.v3 import http_status_pb2
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2

from isoline.routing import ir
from isoline.xds.filters import site_filters
from isoline.xds.filters.place import Place
from isoline.xds.messages import duration, extension, packed

NAME = "isoline.authorization"
MARK = "isoline.authorization"
"""The filter state that says which sort of filter is wanted."""

NOBODY = "nobody"
"""No cluster. Where a route does not say whom to ask, asking fails, and the request with it."""


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=_sorts())


def mark_of(source: ir.Authorization) -> str:
    """Which sort of filter asks a gRPC server; empty for an HTTP server."""
    if not source.grpc:
        return ""
    return _mark(fail_open=source.fail_open, as_bytes=source.body is not None and source.body.as_bytes)


def per_host(source: ir.Authorization) -> any_pb2.Any:
    """What a virtual host says whose routes are asked about unless they say otherwise."""
    return _grpc(source, source.context) if source.grpc else _http(source)


def per_route(source: ir.Authorization, route: ir.Route) -> any_pb2.Any | None:
    """What a route says that differs from its host. Nobody is asked about a redirect to https."""
    own = route.authorization
    if isinstance(route.action, ir.HttpsRedirect) or (own is not None and not own.asked):
        return unasked(source)
    if own is None or not source.grpc or own.context == source.context:
        return None
    return _grpc(source, own.context)


def unasked(source: ir.Authorization) -> any_pb2.Any:
    """What a route says about which nobody is asked, where its host asks."""
    if source.grpc:
        return packed(ext_authz_pb2.ExtAuthzPerRoute(disabled=True))
    return site_filters.per_route(())


def _mark(*, fail_open: bool, as_bytes: bool) -> str:
    return f"{'open' if fail_open else 'closed'}{'-bytes' if as_bytes else ''}"


@lru_cache(maxsize=1)
def _sorts() -> any_pb2.Any:
    message = extension_matcher_pb2.ExtensionWithMatcher()
    message.extension_config.CopyFrom(extension("composite", composite_pb2.Composite()))
    tree = message.xds_matcher.matcher_tree
    state = packed(network_inputs_pb2.FilterStateInput(key=MARK))
    tree.input.CopyFrom(extension_pb2.TypedExtensionConfig(name="mark", typed_config=state))
    for fail_open in (False, True):
        for as_bytes in (False, True):
            config = _filter(fail_open=fail_open)
            config.grpc_service.envoy_grpc.cluster_name = NOBODY
            config.with_request_body.pack_as_bytes = as_bytes
            config.with_request_body.max_request_bytes = 1
            mark = _mark(fail_open=fail_open, as_bytes=as_bytes)
            tree.exact_match_map.map[mark].CopyFrom(site_filters.executed([("ext_authz", config)]))
    message.xds_matcher.on_no_match.CopyFrom(site_filters.skipped())
    return packed(message)


def _filter(*, fail_open: bool) -> Any:
    return ext_authz_pb2.ExtAuthz(
        transport_api_version="V3",
        failure_mode_allow=fail_open,
        status_on_error=http_status_pb2.HttpStatus(code=403),
        # What the server adds may choose the route.
        clear_route_cache=True,
        include_peer_certificate=True,
    )


def _grpc(source: ir.Authorization, context: Iterable[tuple[str, str]]) -> any_pb2.Any:
    message = ext_authz_pb2.ExtAuthzPerRoute()
    settings = message.check_settings
    settings.grpc_service.envoy_grpc.cluster_name = source.cluster
    settings.grpc_service.envoy_grpc.authority = source.authority
    settings.grpc_service.timeout.CopyFrom(duration(source.timeout))
    settings.context_extensions.update(context)
    if source.body is None:
        settings.disable_request_body_buffering = True
    else:
        settings.with_request_body.max_request_bytes = source.body.maximum
        settings.with_request_body.allow_partial_message = source.body.allow_partial
        settings.with_request_body.pack_as_bytes = source.body.as_bytes
    return packed(message)


def _http(source: ir.Authorization) -> any_pb2.Any:
    config = _filter(fail_open=source.fail_open)
    service = config.http_service
    service.server_uri.uri = "http://authorization/"
    service.server_uri.cluster = source.cluster
    service.server_uri.timeout.CopyFrom(duration(source.timeout))
    service.path_prefix = source.path_prefix
    # Envoy refuses empty lists.
    for each in source.request_headers:
        config.allowed_headers.patterns.append(_pattern(each))
    for each in source.upstream_headers:
        service.authorization_response.allowed_upstream_headers.patterns.append(_pattern(each))
    if source.body is not None:
        config.with_request_body.max_request_bytes = source.body.maximum
        config.with_request_body.allow_partial_message = source.body.allow_partial
        config.with_request_body.pack_as_bytes = True
    return site_filters.per_route([("ext_authz", config)])


def _pattern(source: ir.NameMatch) -> Any:
    matcher = string_pb2.StringMatcher(ignore_case=source.ignore_case)
    for kind in ("exact", "prefix", "suffix", "contains"):
        if value := getattr(source, kind):
            setattr(matcher, kind, value)
    return matcher
