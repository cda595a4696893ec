"""isoline.dev/v1alpha1 GatewayConfig: the gateway's own settings. There is one, named `default`; it is read live."""

from typing import Annotated, Literal

from msgspec import Meta, field

from isoline.objects.formats import Address, Duration, Name, Natural, Port, Positive, Quantity
from isoline.objects.gateway_access_logs import NamedAccessLog
from isoline.objects.gateway_rate_limits import RateLimitServiceConfig
from isoline.objects.gateway_tracing import Tracing
from isoline.objects.gateway_upstreams import ClusterDefaults, DefaultPolicy
from isoline.objects.httpproxy_access import AuthorizationServer
from isoline.objects.issuers import IssuerReference
from isoline.objects.meta import Condition, Object
from isoline.objects.model import Model, constant


class Listener(Model, frozen=True, kw_only=True):
    """Where the gateway accepts connections. Unset parts are chosen when it starts."""

    port: Annotated[Port | None, Meta(description="TCP port.")] = None
    address: Annotated[Address | None, Meta(description="IP address to bind; all addresses when unset.")] = None
    more_addresses: Annotated[
        tuple[Address, ...], Meta(description="Further IP addresses to bind, on the same port.")
    ] = ()
    proxy_protocol: Annotated[
        bool,
        Meta(description="Every connection begins with a PROXY line, which tells the client; others are refused."),
    ] = False


class SecureListener(Listener, frozen=True, kw_only=True):
    """Where the gateway accepts HTTPS."""

    http3: Annotated[
        bool,
        Meta(
            description="Whether HTTP/3 is spoken on the UDP port of the same number, at the hosts whose TrafficPolicy "
            "says so."
        ),
    ] = False


class Listeners(Model, frozen=True, kw_only=True):
    """The two listeners of a gateway."""

    http: Annotated[Listener, Meta(description="Plain HTTP; 80, or 8080 where that cannot be bound.")] = Listener()
    https: Annotated[SecureListener, Meta(description="HTTPS; 443, or 8443 where that cannot be bound.")] = (
        SecureListener()
    )


TLSVersion = Literal["1.2", "1.3"]


CipherSuite = Literal[
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "AES128-GCM-SHA256",
    "AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA",
]
Curve = Literal["X25519MLKEM768", "X25519", "P-256", "P-384", "P-521"]


HTTPVersion = Literal["HTTP/1.1", "HTTP/2"]


class SecretReference(Model, frozen=True, kw_only=True):
    """A Secret of any namespace."""

    name: Annotated[Name, Meta(description="Name of the Secret.")]
    namespace: Annotated[Name, Meta(description="Its namespace.")]


class GatewayTLS(Model, frozen=True, kw_only=True):
    """TLS of every site."""

    self_signed: Annotated[
        bool | None,
        Meta(description="Have the local CA issue missing certificates. Unset: yes on one machine, else no."),
    ] = None
    issuer: Annotated[
        IssuerReference | None,
        Meta(description="In a cluster, the cert-manager issuer of Apps that say nothing of their certificate."),
    ] = None
    minimum_version: Annotated[TLSVersion, Meta(description="Lowest TLS version accepted.")] = "1.2"
    maximum_version: Annotated[TLSVersion, Meta(description="Highest TLS version accepted.")] = "1.3"
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        Meta(
            description="Cipher suites of TLS 1.2, the best first; those of one rank in brackets. Envoy's when empty."
        ),
    ] = ()
    curves: Annotated[
        tuple[Curve, ...], Meta(description="Curves of the key exchange, the best first. Envoy's when empty.")
    ] = ()
    fallback_certificate: Annotated[
        SecretReference | None,
        Meta(
            description="Certificate for clients that name no known host in the handshake, on the hosts that enable "
            "it. The Secret must be delegated to the namespaces of their HTTPProxies."
        ),
    ] = None


class GatewayTimeouts(Model, frozen=True, kw_only=True):
    """Go durations; `infinity` switches one off."""

    request: Annotated[Duration, Meta(description="Until a whole request has arrived.")] = "infinity"
    request_headers: Annotated[Duration, Meta(description="Until a request's headers have arrived.")] = "10s"
    stream_idle: Annotated[Duration, Meta(description="Longest silence on a stream.")] = "5m"
    connection_idle: Annotated[Duration, Meta(description="How long a client's idle connection stays open.")] = "1h"
    connect: Annotated[Duration, Meta(description="Until a connection to an upstream stands.")] = "2s"
    response: Annotated[
        Duration, Meta(description="Until an answer is whole, of routes that do not say. An App's have no limit.")
    ] = "15s"
    connection_lifetime: Annotated[
        Duration, Meta(description="How long a client's connection lives, busy or not; it is then drained.")
    ] = "infinity"
    delayed_close: Annotated[
        Duration, Meta(description="How long a client may take to read the last bytes of a connection that ends.")
    ] = "1s"
    drain: Annotated[Duration, Meta(description="How long open requests may go on when the gateway stops.")] = "60s"


class GatewayLimits(Model, frozen=True, kw_only=True):
    """What clients together, and one client's connection, may take."""

    connections: Annotated[Positive, Meta(description="Open connections of clients; more are refused.")] = 50000
    heap: Annotated[Quantity, Meta(description="Memory that Envoy may use before it sheds load.")] = "1Gi"
    concurrent_streams: Annotated[Positive, Meta(description="HTTP/2 streams of one connection.")] = 100
    request_headers_kib: Annotated[
        int, Meta(ge=1, le=8192, description="Size of a request's headers in KiB; more is 431.")
    ] = 60
    request_headers_count: Annotated[Positive, Meta(description="Header lines of a request; more is 431.")] = 100
    requests_per_connection: Annotated[
        Positive | None, Meta(description="Requests that one connection of a client may make; no limit when unset.")
    ] = None


class GatewayHeaders(Model, frozen=True, kw_only=True):
    """Treatment of unusual request headers."""

    underscores: Annotated[
        Literal["Reject", "Drop", "Allow"], Meta(description="What to do with header names that hold an underscore.")
    ] = "Reject"
    server: Annotated[
        Literal["PassThrough", "AppendIfAbsent", "Overwrite"],
        Meta(description='The answer\'s Server: the app\'s own, the app\'s or else "envoy", always "envoy".'),
    ] = "PassThrough"


class GatewayPaths(Model, frozen=True, kw_only=True):
    """Normalisation of request paths before routes are matched."""

    escaped_slashes: Annotated[
        Literal["KeepUnchanged", "Reject", "UnescapeAndForward", "UnescapeAndRedirect"],
        Meta(description="What to do with %2F and %5C in a path."),
    ] = "UnescapeAndRedirect"
    merge_slashes: Annotated[bool, Meta(description="Whether // counts as /.")] = True


class AccessLog(Model, frozen=True, kw_only=True):
    """A line for each request."""

    enabled: Annotated[bool, Meta(description="Whether requests are logged.")] = True
    path: Annotated[str, Meta(description="File, or stdout.")] = "stdout"
    format: Annotated[Literal["json", "text"], Meta(description="Form of a line.")] = "json"


class GatewayConfigSpec(Model, frozen=True, kw_only=True):
    """Every setting has a safe default."""

    listeners: Annotated[Listeners, Meta(description="Where connections are accepted.")] = Listeners()
    tls: Annotated[GatewayTLS, Meta(description="TLS of every site.")] = GatewayTLS()
    ingress_class_name: Annotated[
        str,
        Meta(
            description='Class of the objects that are served. Unset: those without one, and those of class "contour".'
        ),
    ] = ""
    trusted_hops: Annotated[Natural, Meta(description="Proxies in front whose X-Forwarded-For is believed.")] = 0
    timeouts: Annotated[GatewayTimeouts, Meta(description="How long things may take.")] = GatewayTimeouts()
    limits: Annotated[GatewayLimits, Meta(description="What clients may take.")] = GatewayLimits()
    headers: Annotated[GatewayHeaders, Meta(description="Treatment of unusual headers.")] = GatewayHeaders()
    paths: Annotated[GatewayPaths, Meta(description="Normalisation of paths.")] = GatewayPaths()
    access_log: Annotated[AccessLog, Meta(description="A line for each request.")] = AccessLog()
    access_logs: Annotated[
        tuple[NamedAccessLog, ...], Meta(description="Logs that sites choose in place of it, by TrafficPolicies.")
    ] = ()
    tracing: Annotated[Tracing | None, Meta(description="Spans of requests; none when unset.")] = None
    rate_limit_service: Annotated[
        RateLimitServiceConfig | None,
        Meta(description="Who counts the requests that HTTPProxies limit globally; nobody when unset."),
    ] = None
    global_external_authorization: Annotated[
        AuthorizationServer | None,
        Meta(
            description="Who is asked about the requests of every host that has no authorization server of its own, "
            "as virtualhost.authorization of an HTTPProxy says it; nobody when unset."
        ),
    ] = None
    enable_external_name_service: Annotated[
        bool,
        Meta(description="Whether Services of type ExternalName may be used, which lead anywhere that a name does."),
    ] = False
    disable_permit_insecure: Annotated[bool, Meta(description="Whether permitInsecure of HTTPProxies is ignored.")] = (
        False
    )
    cluster: Annotated[ClusterDefaults, Meta(description="Connections to upstreams.")] = ClusterDefaults()
    policy: Annotated[DefaultPolicy, Meta(description="Headers of every HTTPProxy.")] = DefaultPolicy()
    default_http_versions: Annotated[
        tuple[HTTPVersion, ...], Meta(description="What clients may speak; both when empty.")
    ] = field(default=(), name="defaultHTTPVersions")
    root_namespaces: Annotated[
        tuple[Name, ...], Meta(description="Namespaces in which a root HTTPProxy may be; all when empty.")
    ] = ()


class GatewayConfigStatus(Model, frozen=True, kw_only=True):
    """What has become of the settings."""

    addresses: Annotated[tuple[str, ...], Meta(description="Where the gateway listens, as address:port.")] = ()
    conditions: Annotated[tuple[Condition, ...], Meta(description="What is in order and what is not.")] = ()
    observed_generation: Annotated[int, Meta(description="Generation of the spec that this status is of.")] = 0


class GatewayConfig(Object, frozen=True, kw_only=True):
    """Settings of the gateway. The one named `default` counts."""

    api_version: Literal["isoline.dev/v1alpha1"] = constant("isoline.dev/v1alpha1")
    kind: Literal["GatewayConfig"] = constant("GatewayConfig")
    spec: GatewayConfigSpec = GatewayConfigSpec()
    status: GatewayConfigStatus = GatewayConfigStatus()
