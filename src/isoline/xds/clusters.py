"""Upstreams: clusters, and the endpoints that fill them."""

import ipaddress
from functools import lru_cache

from envoy.config.cluster.v3 import cluster_pb2, outlier_detection_pb2
from envoy.config.core.v3 import health_check_pb2 as health
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.extensions.load_balancing_policies.common.v3 import common_pb2 as common_balancing_pb2
from envoy.extensions.load_balancing_policies.least_request.v3 import least_request_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.v3 import http_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.messages import ads, duration, packed

_UNLIMITED_ENOUGH = 65_536
"""Envoy's 1 024 requests, and 3 retries, at once a cluster would end WebSockets and every failover of a busy app."""

BUFFER_BYTES = 256 * 1024
"""Held for a connection before its sender is told to wait. Envoy's guide for edges has 32 KiB, which stops and starts
a body of 100 kB to 1 MB of audio many times over; 1 MiB, the default, lets few slow clients hold much memory."""

_STREAM_WINDOW = 1024 * 1024
_CONNECTION_WINDOW = 16 * 1024 * 1024
_HTTP2 = frozenset({ir.Upstream.H2, ir.Upstream.H2C})
_BYTES = frozenset({ir.Upstream.TCP, ir.Upstream.TCP_TLS})
_ENDS_TLS = frozenset({ir.Upstream.TLS, ir.Upstream.H2, ir.Upstream.TCP_TLS})
_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_IP_ADDRESS = common_pb2.SubjectAltNameMatcher.IP_ADDRESS
_DNS_FAMILY = {
    ir.DnsFamily.AUTO: cluster_pb2.Cluster.AUTO,
    ir.DnsFamily.V4: cluster_pb2.Cluster.V4_ONLY,
    ir.DnsFamily.V6: cluster_pb2.Cluster.V6_ONLY,
    ir.DnsFamily.ALL: cluster_pb2.Cluster.ALL,
}
_LB_POLICY = {
    ir.Balance.ROUND_ROBIN: cluster_pb2.Cluster.ROUND_ROBIN,
    ir.Balance.RANDOM: cluster_pb2.Cluster.RANDOM,
    ir.Balance.RING_HASH: cluster_pb2.Cluster.RING_HASH,
}


def cluster(source: ir.Cluster, gateway: ir.Gateway) -> cluster_pb2.Cluster:
    """An upstream whose endpoints come by EDS, or by DNS."""
    message = cluster_pb2.Cluster(
        name=source.name,
        connect_timeout=duration(gateway.connect_timeout if source.connect_timeout is None else source.connect_timeout),
        # An endpoint that left is gone, whatever its last health check said.
        ignore_health_on_host_removal=True,
    )
    _set_source(message, source)
    message.per_connection_buffer_limit_bytes.value = BUFFER_BYTES
    # No panic: traffic to endpoints that are known to be bad helps nobody.
    message.common_lb_config.healthy_panic_threshold.value = 0.0
    if source.protocol not in _BYTES:
        message.typed_extension_protocol_options[_PROTOCOL_OPTIONS].CopyFrom(
            _protocol_options(
                source.protocol,
                source.idle_timeout,
                gateway.upstream_requests_per_connection,
                source.limits.requests_per_endpoint,
            )
        )
    _set_balance(message, source.balance, source.slow_start)
    _set_limits(message, source, gateway.upstream_limits)
    if source.outliers is not None:
        message.outlier_detection.CopyFrom(_outlier_detection(source.outliers))
    if source.health_check is not None:
        message.health_checks.append(_health_check(source.health_check, source.protocol))
    if source.protocol in _ENDS_TLS:
        message.transport_socket.name = "envoy.transport_sockets.tls"
        message.transport_socket.typed_config.CopyFrom(
            _upstream_tls(source.protocol, source.sni, source.trust, source.client_certificate)
        )
    return message


def _set_source(message: cluster_pb2.Cluster, source: ir.Cluster) -> None:
    if source.dns is None:
        message.type = cluster_pb2.Cluster.EDS
        message.eds_cluster_config.eds_config.CopyFrom(ads())
        message.eds_cluster_config.service_name = source.endpoints
        return
    message.type = cluster_pb2.Cluster.STRICT_DNS
    message.dns_lookup_family = _DNS_FAMILY[source.dns.family]
    message.respect_dns_ttl = True
    # A name that resolves slowly, or never, holds up nobody else's clusters.
    message.wait_for_warm_on_init.value = False
    message.load_assignment.cluster_name = source.name
    endpoint = message.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.hostname = source.dns.hostname
    endpoint.address.socket_address.address = source.dns.hostname
    endpoint.address.socket_address.port_value = source.dns.port
    if source.dns.health_port is not None:
        endpoint.health_check_config.port_value = source.dns.health_port


def collector(name: str, dns: ir.Dns, gateway: ir.Gateway) -> cluster_pb2.Cluster:
    """Who takes spans or lines of a log by OTLP over gRPC."""
    return cluster(ir.Cluster(name=name, endpoints="", dns=dns, protocol=ir.Upstream.H2C), gateway)


def _set_balance(message: cluster_pb2.Cluster, balance: ir.Balance, slow_start: ir.SlowStart | None) -> None:
    if balance is not ir.Balance.LEAST_REQUEST:
        message.lb_policy = _LB_POLICY[balance]
        if slow_start is not None:
            _set_slow_start(message.round_robin_lb_config.slow_start_config, slow_start)
        return
    policy = message.load_balancing_policy.policies.add().typed_extension_config
    policy.name = "envoy.load_balancing_policies.least_request"
    policy.typed_config.CopyFrom(_least_request(slow_start))


@lru_cache(maxsize=256)
def _least_request(slow_start: ir.SlowStart | None) -> any_pb2.Any:
    """Looks at every endpoint: two drawn by lot are the same one half of the time where there are two replicas, and a
    second job of ten seconds then waits beside an idle replica."""
    message = least_request_pb2.LeastRequest(selection_method=least_request_pb2.LeastRequest.FULL_SCAN)
    if slow_start is not None:
        _set_slow_start(message.slow_start_config, slow_start)
    return packed(message)


def _set_slow_start(
    message: cluster_pb2.Cluster.SlowStartConfig | common_balancing_pb2.SlowStartConfig, source: ir.SlowStart
) -> None:
    message.slow_start_window.CopyFrom(duration(source.window))
    message.aggression.default_value = source.aggression
    # Envoy insists on the name of a runtime value that nobody sets.
    message.aggression.runtime_key = "isoline.slow_start.aggression"
    message.min_weight_percent.value = source.minimum_percent


@lru_cache(maxsize=256)
def _protocol_options(
    protocol: ir.Upstream, idle_timeout: float | None, requests_per_connection: int | None, at_a_time: int | None
) -> any_pb2.Any:
    options = http_protocol_options_pb2.HttpProtocolOptions()
    if protocol in _HTTP2:
        http2 = options.explicit_http_config.http2_protocol_options
        http2.initial_stream_window_size.value = _STREAM_WINDOW
        http2.initial_connection_window_size.value = _CONNECTION_WINDOW
        http2.allow_connect = True
        if at_a_time is not None:
            http2.max_concurrent_streams.value = at_a_time
    else:
        options.explicit_http_config.http_protocol_options.SetInParent()
    if idle_timeout is not None:
        options.common_http_protocol_options.idle_timeout.CopyFrom(duration(idle_timeout))
    if requests_per_connection is not None:
        options.common_http_protocol_options.max_requests_per_connection.value = requests_per_connection
    return packed(options)


@lru_cache(maxsize=256)
def _upstream_tls(protocol: ir.Upstream, sni: str, trust: ir.Trust | None, certificate: str) -> any_pb2.Any:
    context = tls_pb2.UpstreamTlsContext(sni=sni)
    common = context.common_tls_context
    if protocol is not ir.Upstream.TCP_TLS:
        common.alpn_protocols.append("h2" if protocol is ir.Upstream.H2 else "http/1.1")
    common.tls_params.tls_minimum_protocol_version = common_pb2.TlsParameters.TLSv1_2
    common.tls_params.tls_maximum_protocol_version = common_pb2.TlsParameters.TLSv1_3
    if certificate:
        common.tls_certificate_sds_secret_configs.add(name=certificate, sds_config=ads())
    if trust is not None:
        _set_trust(common.validation_context, trust)
    return packed(context)


def _set_trust(message: common_pb2.CertificateValidationContext, trust: ir.Trust) -> None:
    message.trusted_ca.inline_bytes = trust.authorities
    for name in trust.names:
        matcher = message.match_typed_subject_alt_names.add()
        matcher.san_type = _IP_ADDRESS if _is_address(name) else common_pb2.SubjectAltNameMatcher.DNS
        matcher.matcher.exact = name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _set_limits(message: cluster_pb2.Cluster, source: ir.Cluster, default: ir.Limits) -> None:
    own = source.limits
    thresholds = message.circuit_breakers.thresholds.add()
    thresholds.max_connections.value = own.connections or default.connections or _UNLIMITED_ENOUGH
    thresholds.max_pending_requests.value = own.pending_requests or default.pending_requests or _UNLIMITED_ENOUGH
    thresholds.max_requests.value = own.requests or default.requests or _UNLIMITED_ENOUGH
    thresholds.max_retries.value = own.retries or default.retries or _UNLIMITED_ENOUGH
    per_endpoint = own.connections_per_endpoint or default.connections_per_endpoint
    if own.requests_per_endpoint is not None:
        # One connection carries one request at a time; with HTTP/2 all of them, and counts them itself.
        per_endpoint = 1 if source.protocol in _HTTP2 else own.requests_per_endpoint
    if per_endpoint is not None:
        per_host = message.circuit_breakers.per_host_thresholds.add()
        per_host.max_connections.value = per_endpoint


def _outlier_detection(source: ir.OutlierDetection) -> outlier_detection_pb2.OutlierDetection:
    message = outlier_detection_pb2.OutlierDetection(
        interval=duration(source.interval),
        base_ejection_time=duration(source.base_ejection_time),
        max_ejection_time=duration(source.max_ejection_time),
    )
    message.consecutive_5xx.value = source.consecutive_errors
    message.max_ejection_percent.value = source.max_ejection_percent
    # Envoy also ejects what answers less well than its neighbours; only what was asked for counts.
    message.enforcing_success_rate.value = 0
    if source.consecutive_gateway_errors is not None:
        message.consecutive_gateway_failure.value = source.consecutive_gateway_errors
        message.enforcing_consecutive_gateway_failure.value = 100
    return message


def _health_check(check: ir.HealthCheck, protocol: ir.Upstream) -> health.HealthCheck:
    message = health.HealthCheck(interval=duration(check.interval), timeout=duration(check.timeout))
    message.unhealthy_threshold.value = check.unhealthy_threshold
    message.healthy_threshold.value = check.healthy_threshold
    if check.path is None:
        message.tcp_health_check.SetInParent()
        return message
    message.http_health_check.path = check.path
    message.http_health_check.host = check.host
    if protocol in _HTTP2:
        message.http_health_check.codec_client_type = http_pb2.HTTP2
    for start, end in check.expected_statuses:
        message.http_health_check.expected_statuses.add(start=start, end=end)
    return message


def endpoints(source: ir.Endpoints) -> endpoint_pb2.ClusterLoadAssignment:
    """The addresses behind clusters. One that is not ready is left out, unless it drains: it keeps what it has."""
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=source.name)
    serving = [endpoint for endpoint in source.endpoints if endpoint.ready or endpoint.draining]
    if not serving:
        return message
    # A priority without endpoints stands there as well: the next one counts from it.
    localities = [message.endpoints.add(priority=each) for each in range(max(e.priority for e in serving) + 1)]
    for endpoint in serving:
        entry = localities[endpoint.priority].lb_endpoints.add()
        address = entry.endpoint.address.socket_address
        address.address, address.port_value = endpoint.address, endpoint.port
        entry.endpoint.hostname = endpoint.hostname
        if endpoint.weight != 1:
            entry.load_balancing_weight.value = endpoint.weight
        if endpoint.health_port is not None:
            entry.endpoint.health_check_config.port_value = endpoint.health_port
        if endpoint.draining:
            entry.health_status = health.DRAINING
    return message
