"""Where requests go: clusters and the endpoints that fill them."""

from enum import Enum

from isoline.routing.ir.base import IR


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
    TCP = "tcp"  # bytes as they are
    TCP_TLS = "tcp-tls"  # the same inside TLS that offers no protocol


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


class Limits(IR, frozen=True, kw_only=True):
    connections: int | None = None
    pending_requests: int | None = None
    requests: int | None = None
    retries: int | None = None
    connections_per_endpoint: int | None = None
    requests_per_endpoint: int | None = None
    """That one endpoint works on at a time; others wait."""


class SlowStart(IR, frozen=True, kw_only=True):
    """An endpoint that has just come gets a share that grows to its whole weight."""

    window: float
    """Seconds until its whole share."""
    aggression: float
    """1.0: linear; above: quicker at first."""
    minimum_percent: int
    """What it starts with, of its whole weight."""


class OutlierDetection(IR, frozen=True, kw_only=True):
    """An endpoint that fails too often in a row is left out for a while. Times are seconds."""

    consecutive_errors: int
    """Server errors and failed connections."""
    consecutive_gateway_errors: int | None
    """502, 503, 504 and failed connections; None: they do not count apart."""
    interval: float
    base_ejection_time: float
    max_ejection_time: float
    max_ejection_percent: int


class Trust(IR, frozen=True, kw_only=True):
    """Whom an upstream must prove to be before it gets a request."""

    authorities: bytes
    """Certificates, PEM, one of which the upstream's must lead to."""
    names: tuple[str, ...]
    """DNS names or addresses, one of which the upstream's certificate must have."""


class DnsFamily(Enum):
    AUTO = "auto"  # IPv6 if there is one, else IPv4
    V4 = "v4"
    V6 = "v6"
    ALL = "all"


class Dns(IR, frozen=True, kw_only=True):
    """Endpoints that a name resolves to, asked again as the answers say."""

    hostname: str
    """A name, or an address."""
    port: int
    family: DnsFamily = DnsFamily.AUTO
    health_port: int | None = None
    """Where health checks go, where that is not `port`."""


class Cluster(IR, frozen=True, kw_only=True):
    name: str
    """`<namespace>/<service>/<port>/<hash of everything below>`: two clusters with one name are one cluster."""
    endpoints: str
    """The name of the `Endpoints` that fill it; empty with `dns`."""
    dns: Dns | None = None
    """What fills it in place of `endpoints`."""
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
    outliers: OutlierDetection | None = None
    trust: Trust | None = None
    """None: TLS without looking at who answers."""
    client_certificate: str = ""
    """The name of the `Certificate` that the upstream is shown; empty: none is."""


class Endpoint(IR, frozen=True, kw_only=True):
    address: str
    port: int
    weight: int = 1
    ready: bool = True
    draining: bool = False
    hostname: str = ""
    health_port: int | None = None
    """Where health checks go, where that is not `port`: a replica's own, so it cannot be said once for a cluster."""
    priority: int = 0
    """Those of a higher number take over what those before them cannot serve."""


class Endpoints(IR, frozen=True, kw_only=True):
    name: str
    """`<namespace>/<service>/<port name or number>`, and `~<health port's name or number>` where that differs; of
    several that take over from one another, with `;` between."""
    endpoints: tuple[Endpoint, ...]
