"""What holds for every site."""

from typing import Literal

from isoline.routing.ir.base import IR
from isoline.routing.ir.sites import TlsVersion


class Listener(IR, frozen=True, kw_only=True):
    address: str
    port: int


class AccessLog(IR, frozen=True, kw_only=True):
    path: str
    """A file, or /dev/stdout."""
    json: bool = True


class RateLimitService(IR, frozen=True, kw_only=True):
    """Who is asked about requests with a `GlobalLimit`."""

    cluster: str
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
    access_log: AccessLog | None = None
    rate_limits: RateLimitService | None = None
