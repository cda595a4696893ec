"""Who may use an HTTPProxy: address filters, CORS, external authorization, JWT."""

from msgspec import field

from isoline.objects.httpproxy_policies import UpstreamValidation
from isoline.objects.model import Model

VERIFIED_KEYS = "isoline.dev/verified-jwks"
"""Annotation of an HTTPProxy: "true" checks https servers of keys that have no `validation` by what the gateway's
machine trusts."""


class IPFilterPolicy(Model, frozen=True, kw_only=True):
    """`source` is Peer (the connection) or Remote (after trusted proxies); `cidr` may be a bare address."""

    source: str
    cidr: str


class CORSPolicy(Model, frozen=True, kw_only=True):
    allow_origin: tuple[str, ...]
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: str = ""
    allow_credentials: bool = False
    allow_private_network: bool = False


class AuthorizationPolicy(Model, frozen=True, kw_only=True):
    disabled: bool = False
    context: dict[str, str] = field(default_factory=dict)


class ExtensionServiceReference(Model, frozen=True, kw_only=True):
    api_version: str = ""
    namespace: str = ""
    name: str = ""


class HTTPAuthorizationServerAllowedHeaders(Model, frozen=True, kw_only=True):
    """A match on header names; exactly one kind is set."""

    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    contains: str = ""
    ignore_case: bool = False


class HTTPAuthorizationServerSettings(Model, frozen=True, kw_only=True):
    path_prefix: str = ""
    allowed_authorization_headers: tuple[HTTPAuthorizationServerAllowedHeaders, ...] = ()
    allowed_upstream_headers: tuple[HTTPAuthorizationServerAllowedHeaders, ...] = ()


class AuthorizationServerBufferSettings(Model, frozen=True, kw_only=True):
    max_request_bytes: int = 1024
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


class AuthorizationServer(Model, frozen=True, kw_only=True):
    """External authorization. `service_type`: grpc or http."""

    extension_ref: ExtensionServiceReference = ExtensionServiceReference()
    service_type: str = "grpc"
    http_settings: HTTPAuthorizationServerSettings | None = None
    auth_policy: AuthorizationPolicy | None = None
    response_timeout: str = ""
    fail_open: bool = False
    with_request_body: AuthorizationServerBufferSettings | None = None


class RemoteJWKS(Model, frozen=True, kw_only=True):
    """`timeout` empty means 1 s, `cache_duration` empty means 5 min; `dns_lookup_family`: auto, v4, v6."""

    uri: str
    validation: UpstreamValidation | None = None
    timeout: str = ""
    cache_duration: str = ""
    dns_lookup_family: str = ""


class LocalJWKS(Model, frozen=True, kw_only=True):
    secret_name: str
    key: str


class JWTProvider(Model, frozen=True, kw_only=True):
    name: str
    default: bool = False
    issuer: str = ""
    audiences: tuple[str, ...] = ()
    remote_jwks: RemoteJWKS | None = None
    local_jwks: LocalJWKS | None = None
    forward_jwt: bool = False


class JWTVerificationPolicy(Model, frozen=True, kw_only=True):
    require: str = ""
    disabled: bool = False
