"""How HTTP is spoken with clients. The hardening follows Envoy's guide for edge proxies, but for what it says."""

from envoy.config.core.v3 import protocol_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2

from isoline.routing import ir
from isoline.xds import names
from isoline.xds.access_logs import access_logs
from isoline.xds.filters.place import Place
from isoline.xds.filters.table import http_filters
from isoline.xds.messages import ads, duration, extension, header_option
from isoline.xds.tracing import tracing

_Manager = hcm.HttpConnectionManager

_STREAM_WINDOW = 1024 * 1024
"""The guide has 64 KiB: an upload over a line of 50 ms would then stop at 1.3 MB/s. A clip of 1 MB fits in whole."""
_CONNECTION_WINDOW = 4 * 1024 * 1024
"""What one connection may make the gateway hold, however many streams it opens."""

_CODECS: dict[tuple[str, ...], hcm.HttpConnectionManager.CodecType] = {("1.1",): _Manager.HTTP1, ("2",): _Manager.HTTP2}
_ESCAPED_SLASHES = {
    "keep": _Manager.KEEP_UNCHANGED,
    "reject": _Manager.REJECT_REQUEST,
    "redirect": _Manager.UNESCAPE_AND_REDIRECT,
    "forward": _Manager.UNESCAPE_AND_FORWARD,
}
_SERVER = {
    "keep": _Manager.PASS_THROUGH,
    "add": _Manager.APPEND_IF_ABSENT,
    "overwrite": _Manager.OVERWRITE,
}
_UNDERSCORES = {
    "allow": protocol_pb2.HttpProtocolOptions.ALLOW,
    "drop": protocol_pb2.HttpProtocolOptions.DROP_HEADER,
    "reject": protocol_pb2.HttpProtocolOptions.REJECT_REQUEST,
}


def connection_manager(place: Place) -> hcm.HttpConnectionManager:
    """The HTTP side of one filter chain."""
    gateway = place.gateway
    manager = _Manager(
        codec_type=_CODECS.get(gateway.http_versions, _Manager.AUTO),
        stat_prefix=place.scheme,
        scoped_routes=_scoped_routes(),
        http_filters=http_filters(place),
        early_header_mutation_extensions=[extension("isoline.request_headers", _early_mutation(place))],
        upgrade_configs=[_websocket_where_a_route_says_so(place)],
        server_header_transformation=_SERVER[gateway.server_header],
    )
    _set_limits(manager, gateway)
    _set_protocols(manager, gateway)
    _set_addresses(manager, gateway)
    _set_paths(manager, gateway)
    if place.forward is not None:
        _forward_certificate(manager, place.forward)
    if gateway.tracing is not None:
        manager.tracing.CopyFrom(tracing(gateway.tracing))
    manager.access_log.extend(access_logs(gateway))
    return manager


def _forward_certificate(manager: hcm.HttpConnectionManager, source: ir.ForwardedCertificate) -> None:
    """What clients say of their certificates themselves is dropped here, and everywhere else by default."""
    manager.forward_client_cert_details = _Manager.SANITIZE_SET
    details = manager.set_current_client_cert_details
    details.subject.value = source.subject
    details.cert, details.chain = source.certificate, source.chain
    details.dns, details.uri = source.dns, source.uri


def _scoped_routes() -> hcm.ScopedRoutes:
    """Equal on every chain, so that all of them share one subscription."""
    routes = hcm.ScopedRoutes(name="sites", rds_config_source=ads())
    routes.scoped_rds.scoped_rds_config_source.CopyFrom(ads())
    extractor = routes.scope_key_builder.fragments.add().header_value_extractor
    extractor.name = names.SCOPE_HEADER
    # Cuts off the port of a Host.
    extractor.element_separator = ":"
    extractor.index = 0
    return routes


def _early_mutation(place: Place) -> header_mutation_pb2.HeaderMutation:
    """Before anything reads the request: its scope, and no word of the client's about who forwarded it."""
    trusted = place.gateway.trusted_hops > 0
    mutation = header_mutation_pb2.HeaderMutation()
    if not trusted:
        mutation.mutations.add().remove_on_match.key_matcher.prefix = "x-forwarded-"
        for header in ("forwarded", "x-real-ip"):
            mutation.mutations.add().remove = header
    mutation.mutations.add().append.CopyFrom(header_option("x-forwarded-host", "%REQ(:AUTHORITY)%", keep=trusted))
    host = "%REQUESTED_SERVER_NAME%" if place.scheme == "https" else "%REQ(:AUTHORITY)%"
    mutation.mutations.add().append.CopyFrom(header_option(names.SCOPE_HEADER, names.scope(place.scheme, host)))
    return mutation


def _websocket_where_a_route_says_so(place: Place) -> hcm.HttpConnectionManager.UpgradeConfig:
    config = _Manager.UpgradeConfig(upgrade_type="websocket")
    config.enabled.value = False
    if place.upgrades_apart:
        config.filters.extend(http_filters(place._replace(upgrades_apart=False)))
    return config


def _set_limits(manager: hcm.HttpConnectionManager, gateway: ir.Gateway) -> None:
    manager.request_timeout.CopyFrom(duration(gateway.request_timeout))
    manager.request_headers_timeout.CopyFrom(duration(gateway.request_headers_timeout))
    manager.stream_idle_timeout.CopyFrom(duration(gateway.stream_idle_timeout))
    manager.drain_timeout.CopyFrom(duration(gateway.drain_timeout))
    manager.max_request_headers_kb.value = gateway.max_request_headers_kib
    common = manager.common_http_protocol_options
    common.idle_timeout.CopyFrom(duration(gateway.connection_idle_timeout))
    common.max_headers_count.value = gateway.max_request_headers
    if gateway.connection_lifetime != ir.NEVER:
        common.max_connection_duration.CopyFrom(duration(gateway.connection_lifetime))
    if gateway.max_requests_per_connection is not None:
        common.max_requests_per_connection.value = gateway.max_requests_per_connection
    manager.delayed_close_timeout.CopyFrom(duration(gateway.delayed_close_timeout))
    common.headers_with_underscores_action = _UNDERSCORES[gateway.headers_with_underscores]


def _set_protocols(manager: hcm.HttpConnectionManager, gateway: ir.Gateway) -> None:
    # Old clients and proxies say HTTP/1.0 and name a Host nevertheless; without one they get 400.
    manager.http_protocol_options.accept_http_10 = True
    http2 = manager.http2_protocol_options
    http2.max_concurrent_streams.value = gateway.max_concurrent_streams
    http2.initial_stream_window_size.value = _STREAM_WINDOW
    http2.initial_connection_window_size.value = _CONNECTION_WINDOW
    http2.allow_connect = True


def _set_addresses(manager: hcm.HttpConnectionManager, gateway: ir.Gateway) -> None:
    manager.use_remote_address.value = True
    manager.xff_num_trusted_hops = gateway.trusted_hops
    # Nobody is internal: a private address must not steer timeouts and retries by `x-envoy-` headers. An empty list
    # would mean Envoy's default, so it holds the one address that nobody can come from.
    manager.internal_address_config.cidr_ranges.add(address_prefix="0.0.0.0").prefix_len.value = 32


def _set_paths(manager: hcm.HttpConnectionManager, gateway: ir.Gateway) -> None:
    manager.normalize_path.value = True
    manager.merge_slashes = gateway.merge_slashes
    manager.path_with_escaped_slashes_action = _ESCAPED_SLASHES[gateway.escaped_slashes]
    manager.strip_trailing_host_dot = True
