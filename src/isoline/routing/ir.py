"""What a gateway is to do, said without Kubernetes and without Envoy.

Frozen values only: two equal values mean the same traffic. The compiler makes them, the renderer reads them, neither
knows the other. Durations are seconds; `None` means "not said, the gateway's default holds", `NEVER` means "no limit".
"""

from enum import Enum
from typing import Literal

import msgspec

NEVER = 0.0


class IR(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The base of everything here."""


# --- matching ------------------------------------------------------------------------------------------------------


class PathKind(Enum):
    PREFIX = "prefix"  # by characters: /foo matches /foobar
    SEGMENTS = "segments"  # by whole segments: /foo matches /foo and /foo/bar
    EXACT = "exact"
    REGEX = "regex"  # the whole path, RE2


class PathMatch(IR, frozen=True, kw_only=True):
    kind: PathKind
    value: str


class ValueKind(Enum):
    PRESENT = "present"
    EXACT = "exact"
    CONTAINS = "contains"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"


class HeaderMatch(IR, frozen=True, kw_only=True):
    name: str
    kind: ValueKind
    value: str = ""
    invert: bool = False
    ignore_case: bool = False
    missing_as_empty: bool = False


class QueryMatch(IR, frozen=True, kw_only=True):
    name: str
    kind: ValueKind
    value: str = ""
    ignore_case: bool = False


class Match(IR, frozen=True, kw_only=True):
    path: PathMatch
    headers: tuple[HeaderMatch, ...] = ()
    query: tuple[QueryMatch, ...] = ()


# --- what happens to a request -------------------------------------------------------------------------------------


class Header(IR, frozen=True, kw_only=True):
    name: str
    value: str
    """In Envoy's format language: `%` operators are live, a literal percent is `%%`."""


class HeaderEdits(IR, frozen=True, kw_only=True):
    set: tuple[Header, ...] = ()
    remove: tuple[str, ...] = ()


class Backoff(IR, frozen=True, kw_only=True):
    base: float
    maximum: float


class Retry(IR, frozen=True, kw_only=True):
    on: tuple[str, ...]
    count: int
    per_try_timeout: float | None = None
    status_codes: tuple[int, ...] = ()
    backoff: Backoff | None = None


class HashBy(IR, frozen=True, kw_only=True):
    """One thing that a request is hashed by, to find its endpoint again."""

    source: Literal["header", "query", "address", "cookie"]
    name: str = ""
    terminal: bool = False
    cookie_ttl: float | None = None
    cookie_path: str = ""


class RegexRewrite(IR, frozen=True, kw_only=True):
    pattern: str
    substitution: str


class Share(IR, frozen=True, kw_only=True):
    """One cluster's part in a route."""

    cluster: str
    weight: int
    request_headers: HeaderEdits = HeaderEdits()
    response_headers: HeaderEdits = HeaderEdits()
    host_rewrite: str | None = None
    """The Host that this cluster sees; it beats the route's."""


class Mirror(IR, frozen=True, kw_only=True):
    """A cluster that gets copies of requests; what it answers is dropped."""

    cluster: str
    percent: int
    """Of the requests, from 1 to 100."""


class Forward(IR, frozen=True, kw_only=True):
    shares: tuple[Share, ...]
    """Never empty; weights are relative and at least one is above 0."""
    websocket: bool = False
    timeout: float | None = None
    idle_timeout: float | None = None
    retry: Retry | None = None
    hash_by: tuple[HashBy, ...] = ()
    prefix_rewrite: str | None = None
    regex_rewrite: RegexRewrite | None = None
    host_rewrite: str | None = None
    host_rewrite_header: str | None = None
    mirror: Mirror | None = None


class Redirect(IR, frozen=True, kw_only=True):
    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    status: Literal[301, 302, 303, 307, 308] = 302
    path: str | None = None
    prefix: str | None = None


class Respond(IR, frozen=True, kw_only=True):
    status: int
    body: str = ""


class HttpsRedirect(IR, frozen=True, kw_only=True):
    """301 to the same address with https, on the gateway's public https port."""


class AddressRange(IR, frozen=True, kw_only=True):
    """Clients of one range of addresses."""

    address: str
    prefix_length: int
    forwarded: bool
    """The client as trusted proxies tell it; else the other end of the connection."""


class AddressFilter(IR, frozen=True, kw_only=True):
    """Who may come; the others get 403."""

    allow: bool
    """Only those in a range may come; else everybody but those."""
    ranges: tuple[AddressRange, ...]


class Route(IR, frozen=True, kw_only=True):
    name: str
    """Unique within its site and never empty: an empty name means "no scope found" to the data plane. Logs show it."""
    match: Match
    action: Forward | Redirect | Respond | HttpsRedirect
    request_headers: HeaderEdits = HeaderEdits()
    response_headers: HeaderEdits = HeaderEdits()
    addresses: AddressFilter | None = None
    """Replaces the site's."""


# --- upstreams -----------------------------------------------------------------------------------------------------


class Balance(Enum):
    ROUND_ROBIN = "round_robin"
    RANDOM = "random"
    LEAST_REQUEST = "least_request"
    RING_HASH = "ring_hash"


class Upstream(Enum):
    HTTP1 = "http1"
    H2C = "h2c"
    H2 = "h2"
    TLS = "tls"


class HealthCheck(IR, frozen=True, kw_only=True):
    path: str | None
    """None: a TCP connect."""
    host: str
    interval: float
    timeout: float
    unhealthy_threshold: int
    healthy_threshold: int
    expected_statuses: tuple[tuple[int, int], ...] = ()
    """Half-open ranges [start, end)."""
    port: int | None = None


class Limits(IR, frozen=True, kw_only=True):
    connections: int | None = None
    pending_requests: int | None = None
    requests: int | None = None
    retries: int | None = None
    connections_per_endpoint: int | None = None


class SlowStart(IR, frozen=True, kw_only=True):
    """An endpoint that has just come gets a share that grows to its whole weight."""

    window: float
    """Seconds until its whole share."""
    aggression: float
    """1.0: linear; above: quicker at first."""
    minimum_percent: int
    """What it starts with, of its whole weight."""


class Trust(IR, frozen=True, kw_only=True):
    """Whom an upstream must prove to be before it gets a request."""

    authorities: bytes
    """Certificates, PEM, one of which the upstream's must lead to."""
    names: tuple[str, ...]
    """DNS names, one of which the upstream's certificate must have."""


class Cluster(IR, frozen=True, kw_only=True):
    name: str
    """`<namespace>/<service>/<port>/<hash of everything below>`: two clusters with one name are one cluster."""
    endpoints: str
    """The name of the `Endpoints` that fill it."""
    protocol: Upstream = Upstream.HTTP1
    balance: Balance = Balance.ROUND_ROBIN
    slow_start: SlowStart | None = None
    """Only with round robin and least request."""
    health_check: HealthCheck | None = None
    limits: Limits = Limits()
    idle_timeout: float | None = None
    """Of an unused upstream connection."""
    connect_timeout: float | None = None
    sni: str = ""
    """The server name of TLS to the upstream; empty: none is said."""
    trust: Trust | None = None
    """None: TLS without looking at who answers."""


class Endpoint(IR, frozen=True, kw_only=True):
    address: str
    port: int
    weight: int = 1
    ready: bool = True
    draining: bool = False
    hostname: str = ""
    health_port: int | None = None
    """Where health checks go, where that is not `port`: a replica's own, so it cannot be said once for a cluster."""


class Endpoints(IR, frozen=True, kw_only=True):
    name: str
    """`<namespace>/<service>/<port name or number>`, and `~<health port's name or number>` where that differs."""
    endpoints: tuple[Endpoint, ...]


# --- certificates, sites -------------------------------------------------------------------------------------------


class PrivateBytes(bytes):
    """Bytes that no log and no page may show."""

    def __repr__(self) -> str:
        return "<redacted>"

    __str__ = __repr__


class Certificate(IR, frozen=True, kw_only=True):
    """A certificate chain and its key, PEM. One Secret makes one."""

    name: str
    """`<namespace>/<secret>`."""
    chain: bytes
    key: PrivateBytes


class TlsVersion(Enum):
    V1_2 = "1.2"
    V1_3 = "1.3"


class Tls(IR, frozen=True, kw_only=True):
    """How a site ends TLS."""

    certificate: str
    """The name of a `Certificate`."""
    minimum: TlsVersion | None = None
    maximum: TlsVersion | None = None


class Site(IR, frozen=True, kw_only=True):
    """All that is served for one host in lower case: exact, or a wildcard of one label (`*.example.com`)."""

    host: str
    http: tuple[Route, ...] = ()
    """Routes on plain HTTP, in the order in which they are tried. Empty: the host is not known there."""
    https: tuple[Route, ...] = ()
    """Routes on HTTPS, in order. Empty: the host does not end TLS here."""
    tls: Tls | None = None
    """Set exactly when `https` is not empty or the site answers TLS at all."""
    own_chain: bool = False
    """It needs a filter chain of its own: a wildcard, TLS parameters unlike the shared chain's, or a wildcard's chain
    that would catch it with another certificate."""
    clusters: tuple[Cluster, ...] = ()
    """Every cluster that a route of this site names."""
    addresses: AddressFilter | None = None
    """Holds on both schemes for routes that have none of their own."""

    @property
    def wildcard(self) -> bool:
        return self.host.startswith("*")


# --- the gateway ---------------------------------------------------------------------------------------------------


class Listener(IR, frozen=True, kw_only=True):
    address: str
    port: int


class AccessLog(IR, frozen=True, kw_only=True):
    path: str
    """A file, or /dev/stdout."""
    json: bool = True


class Gateway(IR, frozen=True, kw_only=True):
    """What holds for every site."""

    http: Listener | None
    https: Listener | None
    public_https_port: int = 443
    """The port that redirects to https name; 443 is left out of addresses."""
    tls_minimum: TlsVersion = TlsVersion.V1_2
    tls_maximum: TlsVersion = TlsVersion.V1_3
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
