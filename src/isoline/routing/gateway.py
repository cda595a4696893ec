"""GatewayConfig → `ir.Gateway`: what holds for every site."""

from typing import Literal

from isoline.objects import GatewayConfig, GatewayConfigSpec, parse_go_duration
from isoline.objects.gateway_access_logs import NamedAccessLog
from isoline.objects.gateway_config import AccessLog, HTTPVersion, Listener
from isoline.objects.gateway_rate_limits import RateLimitServiceConfig
from isoline.objects.gateway_tracing import Tracing
from isoline.objects.gateway_upstreams import DefaultCircuitBreakers
from isoline.routing import ir

ANY_ADDRESS = "0.0.0.0"

_UNDERSCORES: dict[str, Literal["allow", "drop", "reject"]] = {"Allow": "allow", "Drop": "drop", "Reject": "reject"}
_SERVER: dict[str, Literal["keep", "add", "overwrite"]] = {
    "PassThrough": "keep",
    "AppendIfAbsent": "add",
    "Overwrite": "overwrite",
}
_ESCAPED_SLASHES: dict[str, Literal["keep", "reject", "redirect", "forward"]] = {
    "KeepUnchanged": "keep",
    "Reject": "reject",
    "UnescapeAndRedirect": "redirect",
    "UnescapeAndForward": "forward",
}


def gateway_from_config(
    config: GatewayConfig | None,
    *,
    http_port: int,
    https_port: int,
    public_https_port: int | None = None,
    rate_limit_socket: str = "",
) -> ir.Gateway:
    """Return the gateway that a GatewayConfig, or its absence, means.

    `http_port` and `https_port` hold where the config names none. `public_https_port` is the one that clients see, in
    redirects; by default the listener's own. `rate_limit_socket` is where a rate-limit service of our own listens.
    """
    spec = GatewayConfigSpec() if config is None else config.spec
    http, https = spec.listeners.http, spec.listeners.https
    secure_port = https.port or https_port
    timeouts, limits = spec.timeouts, spec.limits
    return ir.Gateway(
        http=_listener(http, http.port or http_port),
        https=_listener(https, secure_port),
        public_https_port=public_https_port or secure_port,
        http3=https.http3,
        tls_minimum=ir.TlsVersion(spec.tls.minimum_version),
        tls_maximum=ir.TlsVersion(spec.tls.maximum_version),
        tls_ciphers=spec.tls.cipher_suites,
        tls_curves=spec.tls.curves,
        trusted_hops=spec.trusted_hops,
        request_timeout=_seconds(timeouts.request),
        request_headers_timeout=_seconds(timeouts.request_headers),
        stream_idle_timeout=_seconds(timeouts.stream_idle),
        connection_idle_timeout=_seconds(timeouts.connection_idle),
        drain_timeout=_seconds(timeouts.drain),
        connect_timeout=_seconds(timeouts.connect),
        max_concurrent_streams=limits.concurrent_streams,
        max_request_headers_kib=limits.request_headers_kib,
        max_request_headers=limits.request_headers_count,
        max_connections=limits.connections,
        headers_with_underscores=_UNDERSCORES[spec.headers.underscores],
        escaped_slashes=_ESCAPED_SLASHES[spec.paths.escaped_slashes],
        merge_slashes=spec.paths.merge_slashes,
        access_log=_access_log(spec.access_log),
        named_logs=tuple(_named_log(log) for log in spec.access_logs),
        rate_limits=None
        if spec.rate_limit_service is None
        else _rate_limits(spec.rate_limit_service, rate_limit_socket),
        route_timeout=_seconds(timeouts.response),
        connection_lifetime=_seconds(timeouts.connection_lifetime),
        delayed_close_timeout=_seconds(timeouts.delayed_close),
        max_requests_per_connection=limits.requests_per_connection,
        server_header=_SERVER[spec.headers.server],
        http_versions=_http_versions(spec.default_http_versions),
        upstream_limits=_limits(spec.cluster.circuit_breakers),
        upstream_requests_per_connection=spec.cluster.max_requests_per_connection,
        tracing=None if spec.tracing is None else _tracing(spec.tracing),
    )


def _listener(source: Listener, port: int) -> ir.Listener:
    return ir.Listener(
        address=source.address or ANY_ADDRESS,
        port=port,
        more_addresses=tuple(dict.fromkeys(source.more_addresses)),
        proxy_protocol=source.proxy_protocol,
    )


def _http_versions(source: tuple[HTTPVersion, ...]) -> tuple[Literal["1.1", "2"], ...]:
    found: tuple[Literal["1.1", "2"], ...] = ()
    if not source or "HTTP/1.1" in source:
        found += ("1.1",)
    if not source or "HTTP/2" in source:
        found += ("2",)
    return found


def _limits(source: DefaultCircuitBreakers) -> ir.Limits:
    return ir.Limits(
        connections=source.max_connections,
        pending_requests=source.max_pending_requests,
        requests=source.max_requests,
        retries=source.max_retries,
        connections_per_endpoint=source.per_host_max_connections,
    )


def _tracing(source: Tracing) -> ir.Tracing:
    return ir.Tracing(
        collector=_endpoint(source.endpoint),
        service_name=source.service_name,
        percent=source.overall_sampling,
        max_path_length=source.max_path_tag_length,
        tags=tuple(
            ir.TraceTag(name=tag.tag_name, literal=tag.literal, header=tag.request_header_name.lower())
            for tag in source.custom_tags
        ),
    )


def _endpoint(text: str) -> ir.Dns:
    """What decoding has found to be `host:port`."""
    host, _, port = text.rpartition(":")
    return ir.Dns(hostname=host.strip("[]"), port=int(port))


def _rate_limits(source: RateLimitServiceConfig, socket: str) -> ir.RateLimitService | None:
    """The service; None where there is no ExtensionService, and no service of our own either."""
    own = source.extension_service is None
    if own and not socket:
        return None
    return ir.RateLimitService(
        cluster=ir.RATE_LIMITS,
        domain=source.domain,
        timeout=_seconds(source.response_timeout),
        # Our own ends with the control plane, which must not take traffic with it.
        fail_open=source.fail_open or own,
        headers=source.enable_x_rate_limit_headers,
        resource_exhausted_code=source.enable_resource_exhausted_code,
        socket=socket if own else "",
    )


def _seconds(text: str) -> float:
    """The seconds of a duration that decoding has checked."""
    return ir.NEVER if text == "infinity" else parse_go_duration(text)


def _access_log(log: AccessLog) -> ir.AccessLog | None:
    if not log.enabled:
        return None
    return ir.AccessLog(path=_file(log.path), json=log.format == "json")


def _file(path: str) -> str:
    return "/dev/stdout" if path == "stdout" else path


def _named_log(source: NamedAccessLog) -> ir.NamedLog:
    if source.otlp is not None:
        return ir.NamedLog(name=source.name, log=None, collector=_endpoint(source.otlp), fields=source.fields)
    log = ir.AccessLog(path=_file(source.path), json=source.format == "json", fields=source.fields)
    return ir.NamedLog(name=source.name, log=log)
