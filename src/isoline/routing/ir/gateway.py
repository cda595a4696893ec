"""What holds for every site."""

from typing import Literal

from isoline.routing.ir.base import IR, NEVER
from isoline.routing.ir.sites import TlsVersion
from isoline.routing.ir.upstreams import Dns, Limits


class Listener(IR, frozen=True, kw_only=True):
    address: str
    port: int
    more_addresses: tuple[str, ...] = ()
    """Other addresses with the same port."""
    proxy_protocol: bool = False
    """Connections begin with who the client is, as a proxy in front tells it."""


class AccessLog(IR, frozen=True, kw_only=True):
    path: str
    """A file, or /dev/stdout."""
    json: bool = True
    fields: tuple[str, ...] = ()
    """What is said of a request, by the names of `xds.access_logs`; empty: everything."""


class NamedLog(IR, frozen=True, kw_only=True):
    """A log of those sites that ask for it, in place of the gateway's own."""

    name: str
    log: AccessLog | None
    """A file; None: to the collector."""
    collector: Dns | None = None
    """Who takes its lines by OTLP."""
    fields: tuple[str, ...] = ()


class TraceTag(IR, frozen=True, kw_only=True):
    name: str
    literal: str = ""
    header: str = ""
    """The request header that holds the value; empty: the literal is the value."""


class Tracing(IR, frozen=True, kw_only=True):
    """Spans of requests, by OTLP."""

    collector: Dns
    service_name: str
    percent: float
    """Of the requests."""
    max_path_length: int
    tags: tuple[TraceTag, ...] = ()


RATE_LIMITS = "rate-limits"
"""The cluster of the rate-limit service: one name, whatever is behind it, so that no listener changes with it."""


class RateLimitService(IR, frozen=True, kw_only=True):
    """Who is asked about requests with a `GlobalLimit`."""

    cluster: str = RATE_LIMITS
    domain: str
    timeout: float
    """Seconds until it counts as failed."""
    fail_open: bool
    """Requests pass when it fails; else they get 500."""
    headers: bool = False
    """Answers say what is left (`x-ratelimit-*`)."""
    resource_exhausted_code: bool = False
    """gRPC calls that are limited get RESOURCE_EXHAUSTED instead of UNAVAILABLE."""
    socket: str = ""
    """Where our own service listens; empty: the cluster is one that a site brings."""


class Gateway(IR, frozen=True, kw_only=True):
    """What holds for every site."""

    http: Listener | None
    https: Listener | None
    public_https_port: int = 443
    """The port that redirects to https name; 443 is left out of addresses."""
    http3: bool = False
    """Whether hosts that ask for it are served over HTTP/3, on the UDP port of the number of HTTPS's."""
    tls_minimum: TlsVersion = TlsVersion.V1_2
    tls_maximum: TlsVersion = TlsVersion.V1_3
    tls_ciphers: tuple[str, ...] = ()
    """Of TLS 1.2, in BoringSSL's names, the best first; those of equal rank as `[A|B]`. Empty: Envoy's."""
    tls_curves: tuple[str, ...] = ()
    """For the key exchange, the best first. Empty: Envoy's."""
    trusted_hops: int = 0
    request_timeout: float = 3600.0
    """Time to receive a whole request."""
    request_headers_timeout: float = 10.0
    stream_idle_timeout: float = 3600.0
    connection_idle_timeout: float = 3600.0
    drain_timeout: float = 600.0
    route_timeout: float = 15.0
    """Of a route that does not say; `NEVER` for none."""
    connect_timeout: float = 2.0
    max_concurrent_streams: int = 100
    max_request_headers_kib: int = 62
    max_request_headers: int = 100
    max_connections: int | None = None
    headers_with_underscores: Literal["allow", "drop", "reject"] = "reject"
    escaped_slashes: Literal["keep", "reject", "redirect", "forward"] = "redirect"
    merge_slashes: bool = True
    connection_lifetime: float = NEVER
    delayed_close_timeout: float = 1.0
    """From the last byte that the gateway writes to the end of the connection, if the client does not end it first."""
    max_requests_per_connection: int | None = None
    server_header: Literal["keep", "add", "overwrite"] = "keep"
    """The upstream's; the gateway's own where the upstream says none; always the gateway's."""
    http_versions: tuple[Literal["1.1", "2"], ...] = ("1.1", "2")
    """What clients may speak."""
    upstream_limits: Limits = Limits()
    """Of clusters that do not say."""
    upstream_requests_per_connection: int | None = None
    tracing: Tracing | None = None
    access_log: AccessLog | None = None
    named_logs: tuple[NamedLog, ...] = ()
    rate_limits: RateLimitService | None = None
