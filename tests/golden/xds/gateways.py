"""What the IR says of gateways."""

from collections.abc import Mapping

from golden.xds.parts import GATEWAY
from isoline.routing import ir

GATEWAYS: Mapping[str, ir.Gateway] = {
    "gateway": GATEWAY,
    "gateway-by-hand": ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=80),
        https=None,
        tls_minimum=ir.TlsVersion.V1_3,
        trusted_hops=2,
        request_timeout=ir.NEVER,
        max_connections=1000,
        headers_with_underscores="drop",
        escaped_slashes="keep",
        merge_slashes=False,
        access_log=ir.AccessLog(path="/dev/stdout"),
        rate_limits=ir.RateLimitService(cluster="limits", domain="isoline", timeout=0.5, fail_open=True),
    ),
    "gateway-that-traces": ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=80, more_addresses=("::1",), proxy_protocol=True),
        https=None,
        connection_lifetime=3600.0,
        delayed_close_timeout=2.0,
        max_requests_per_connection=100,
        server_header="add",
        tracing=ir.Tracing(
            collector=ir.Dns(hostname="collector.example.com", port=4317),
            service_name="front",
            percent=12.5,
            max_path_length=64,
            tags=(ir.TraceTag(name="tier", literal="edge"), ir.TraceTag(name="class", header="x-class")),
        ),
    ),
    "gateway-of-chains": ir.Gateway(
        http=None,
        https=ir.Listener(address="0.0.0.0", port=8443),
        tls_maximum=ir.TlsVersion.V1_2,
        tls_ciphers=("ECDHE-ECDSA-AES256-GCM-SHA384",),
        tls_curves=("X25519", "P-256"),
        http_versions=("1.1",),
    ),
    "gateway-of-https-only": ir.Gateway(
        http=None,
        https=ir.Listener(address="::", port=443),
        headers_with_underscores="allow",
        escaped_slashes="forward",
        access_log=ir.AccessLog(path="access.log", json=False),
        named_logs=(
            ir.NamedLog(name="short", log=ir.AccessLog(path="/dev/stdout", json=False, fields=("method", "path"))),
            ir.NamedLog(
                name="collected",
                log=None,
                collector=ir.Dns(hostname="::1", port=4317),
                fields=("status", "duration_ms"),
            ),
        ),
    ),
}
