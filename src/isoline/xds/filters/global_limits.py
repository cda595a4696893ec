"""How many requests may come, by what a rate-limit service says. It stands there when the gateway has one."""

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import config_source_pb2
from envoy.config.route.v3 import route_components_pb2 as components
from envoy.extensions.filters.http.ratelimit.v3 import rate_limit_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters.place import Place
from isoline.xds.matches import header_matcher
from isoline.xds.messages import duration, packed

NAME = "isoline.global_limits"

_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def applies(place: Place) -> bool:
    return place.gateway.rate_limits is not None


def http_filter(place: Place) -> Any:
    source = place.gateway.rate_limits
    assert source is not None
    message = rate_limit_pb2.RateLimit(
        domain=source.domain,
        timeout=duration(source.timeout),
        failure_mode_deny=not source.fail_open,
        rate_limited_as_resource_exhausted=source.resource_exhausted_code,
        enable_x_ratelimit_headers="DRAFT_VERSION_03" if source.headers else "OFF",
    )
    message.rate_limit_service.transport_api_version = config_source_pb2.V3
    message.rate_limit_service.grpc_service.envoy_grpc.cluster_name = source.cluster
    return hcm.HttpFilter(name=NAME, typed_config=packed(message))


def own_service(source: ir.RateLimitService) -> cluster_pb2.Cluster:
    """The cluster of the service that the control plane itself runs."""
    message = cluster_pb2.Cluster(name=source.cluster, connect_timeout=duration(source.timeout))
    http2 = http_protocol_options_pb2.HttpProtocolOptions()
    http2.explicit_http_config.http2_protocol_options.SetInParent()
    message.typed_extension_protocol_options[_PROTOCOL_OPTIONS].CopyFrom(packed(http2))
    message.load_assignment.cluster_name = source.cluster
    endpoint = message.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.pipe.path = source.socket
    return message


def per_route(source: ir.GlobalLimit) -> any_pb2.Any:
    """What a route or a virtual host says. Envoy asks nobody about redirects and direct answers."""
    message = rate_limit_pb2.RateLimitPerRoute()
    for descriptor in source.descriptors:
        actions = message.rate_limits.add().actions
        for key in descriptor:
            _set_action(actions.add(), key)
    return packed(message)


def _set_action(action: components.RateLimit.Action, key: ir.LimitKey) -> None:
    match key.source:
        case "constant":
            action.generic_key.descriptor_key = key.key
            action.generic_key.descriptor_value = key.value
        case "header":
            action.request_headers.header_name = key.header
            action.request_headers.descriptor_key = key.key
        case "header_match":
            action.header_value_match.descriptor_value = key.value
            action.header_value_match.expect_match.value = key.expect_match
            action.header_value_match.headers.extend(header_matcher(header) for header in key.matches)
        case "address":
            action.remote_address.SetInParent()
