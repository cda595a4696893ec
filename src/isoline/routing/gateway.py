"""GatewayConfig → `ir.Gateway`: what holds for every site."""

from typing import Literal

from isoline.objects import GatewayConfig, GatewayConfigSpec, parse_go_duration
from isoline.objects.gateway_config import AccessLog
from isoline.routing import ir

ANY_ADDRESS = "0.0.0.0"

_UNDERSCORES: dict[str, Literal["allow", "drop", "reject"]] = {"Allow": "allow", "Drop": "drop", "Reject": "reject"}
_ESCAPED_SLASHES: dict[str, Literal["keep", "reject", "redirect", "forward"]] = {
    "KeepUnchanged": "keep",
    "Reject": "reject",
    "UnescapeAndRedirect": "redirect",
    "UnescapeAndForward": "forward",
}


def gateway_from_config(
    config: GatewayConfig | None, *, http_port: int, https_port: int, public_https_port: int | None = None
) -> ir.Gateway:
    """Return the gateway that a GatewayConfig, or its absence, means.

    `http_port` and `https_port` hold where the config names none. `public_https_port` is the one that clients see, in
    redirects; by default the listener's own.
    """
    spec = GatewayConfigSpec() if config is None else config.spec
    http, https = spec.listeners.http, spec.listeners.https
    secure_port = https.port or https_port
    timeouts, limits = spec.timeouts, spec.limits
    return ir.Gateway(
        http=ir.Listener(address=http.address or ANY_ADDRESS, port=http.port or http_port),
        https=ir.Listener(address=https.address or ANY_ADDRESS, port=secure_port),
        public_https_port=public_https_port or secure_port,
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
    )


def _seconds(text: str) -> float:
    """The seconds of a duration that decoding has checked."""
    return ir.NEVER if text == "infinity" else parse_go_duration(text)


def _access_log(log: AccessLog) -> ir.AccessLog | None:
    if not log.enabled:
        return None
    return ir.AccessLog(path="/dev/stdout" if log.path == "stdout" else log.path, json=log.format == "json")
