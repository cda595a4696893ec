"""projectcontour.io/v1 HTTPProxy, every field, with the defaults of its schema.

Enumerations and patterns are plain strings on purpose: an object from a directory may break them, and then the
compiler answers with the status words that the API's users know. For the same reason `fqdn`, a service's `port`
and a health check's `path` may be absent.
"""

from typing import Literal

from isoline.objects.core import LoadBalancerStatus
from isoline.objects.httpproxy_access import (
    AuthorizationPolicy,
    AuthorizationServer,
    AuthorizationServerBufferSettings,
    CORSPolicy,
    ExtensionServiceReference,
    HTTPAuthorizationServerAllowedHeaders,
    HTTPAuthorizationServerSettings,
    IPFilterPolicy,
    JWTProvider,
    JWTVerificationPolicy,
    LocalJWKS,
    RemoteJWKS,
)
from isoline.objects.httpproxy_policies import (
    CookieDomainRewrite,
    CookiePathRewrite,
    CookieRewritePolicy,
    HeaderHashOptions,
    HeaderMatchCondition,
    HeadersPolicy,
    HeaderValue,
    HealthCheckPolicy,
    HTTPDirectResponsePolicy,
    HTTPInternalRedirectPolicy,
    HTTPRequestRedirectPolicy,
    HTTPStatusRange,
    LoadBalancerPolicy,
    MatchCondition,
    PathRewritePolicy,
    QueryParameterHashOptions,
    QueryParameterMatchCondition,
    ReplacePrefix,
    RequestHashPolicy,
    RetryPolicy,
    SlowStartPolicy,
    TCPHealthCheckPolicy,
    TimeoutPolicy,
    UpstreamValidation,
)
from isoline.objects.httpproxy_rate_limits import (
    GenericKeyDescriptor,
    GlobalRateLimitPolicy,
    LocalRateLimitPolicy,
    RateLimitDescriptor,
    RateLimitDescriptorEntry,
    RateLimitPolicy,
    RemoteAddressDescriptor,
    RequestHeaderDescriptor,
    RequestHeaderValueMatchDescriptor,
)
from isoline.objects.meta import Condition, Object
from isoline.objects.model import Model, constant

__all__ = [
    "TLS",
    "AuthorizationPolicy",
    "AuthorizationServer",
    "AuthorizationServerBufferSettings",
    "CORSPolicy",
    "CookieDomainRewrite",
    "CookiePathRewrite",
    "CookieRewritePolicy",
    "DetailedCondition",
    "DownstreamValidation",
    "ExtensionServiceReference",
    "ForwardClientCertificate",
    "GenericKeyDescriptor",
    "GlobalRateLimitPolicy",
    "HTTPAuthorizationServerAllowedHeaders",
    "HTTPAuthorizationServerSettings",
    "HTTPDirectResponsePolicy",
    "HTTPInternalRedirectPolicy",
    "HTTPProxy",
    "HTTPProxySpec",
    "HTTPProxyStatus",
    "HTTPRequestRedirectPolicy",
    "HTTPStatusRange",
    "HeaderHashOptions",
    "HeaderMatchCondition",
    "HeaderValue",
    "HeadersPolicy",
    "HealthCheckPolicy",
    "IPFilterPolicy",
    "Include",
    "JWTProvider",
    "JWTVerificationPolicy",
    "LoadBalancerPolicy",
    "LocalJWKS",
    "LocalRateLimitPolicy",
    "MatchCondition",
    "PathRewritePolicy",
    "QueryParameterHashOptions",
    "QueryParameterMatchCondition",
    "RateLimitDescriptor",
    "RateLimitDescriptorEntry",
    "RateLimitPolicy",
    "RemoteAddressDescriptor",
    "RemoteJWKS",
    "ReplacePrefix",
    "RequestHashPolicy",
    "RequestHeaderDescriptor",
    "RequestHeaderValueMatchDescriptor",
    "RetryPolicy",
    "Route",
    "Service",
    "SlowStartPolicy",
    "SubCondition",
    "TCPHealthCheckPolicy",
    "TCPProxy",
    "TCPProxyInclude",
    "TimeoutPolicy",
    "UpstreamValidation",
    "VirtualHost",
]


class ForwardClientCertificate(Model, frozen=True, kw_only=True):
    """Parts of the client's certificate that the upstream gets in X-Forwarded-Client-Cert."""

    subject: bool = False
    cert: bool = False
    chain: bool = False
    dns: bool = False
    uri: bool = False


class DownstreamValidation(Model, frozen=True, kw_only=True):
    """Client certificates: the CA bundle they must lead to and the lists that revoke them."""

    ca_secret: str = ""
    skip_client_cert_validation: bool = False
    optional_client_certificate: bool = False
    forward_client_certificate: ForwardClientCertificate | None = None
    crl_secret: str = ""
    crl_only_verify_leaf_cert: bool = False


class TLS(Model, frozen=True, kw_only=True):
    """TLS of a virtual host. `secret_name` may be `namespace/name` where a delegation permits it."""

    secret_name: str = ""
    minimum_protocol_version: str = ""
    maximum_protocol_version: str = ""
    passthrough: bool = False
    client_validation: DownstreamValidation | None = None
    enable_fallback_certificate: bool = False


class VirtualHost(Model, frozen=True, kw_only=True):
    """What makes an HTTPProxy a root: its host name and the policies of the whole host."""

    fqdn: str = ""
    tls: TLS | None = None
    authorization: AuthorizationServer | None = None
    cors_policy: CORSPolicy | None = None
    rate_limit_policy: RateLimitPolicy | None = None
    jwt_providers: tuple[JWTProvider, ...] = ()
    ip_allow_policy: tuple[IPFilterPolicy, ...] = ()
    ip_deny_policy: tuple[IPFilterPolicy, ...] = ()


class Service(Model, frozen=True, kw_only=True):
    """An upstream: a Service of the HTTPProxy's namespace. `protocol`: h2, h2c or tls."""

    name: str
    port: int = 0
    health_port: int = 0
    protocol: str | None = None
    weight: int = 0
    mirror: bool = False
    validation: UpstreamValidation | None = None
    request_headers_policy: HeadersPolicy | None = None
    response_headers_policy: HeadersPolicy | None = None
    cookie_rewrite_policies: tuple[CookieRewritePolicy, ...] = ()
    slow_start_policy: SlowStartPolicy | None = None


class Route(Model, frozen=True, kw_only=True):
    """Conditions, and exactly one of services, a redirect and a direct response."""

    conditions: tuple[MatchCondition, ...] = ()
    services: tuple[Service, ...] = ()
    request_redirect_policy: HTTPRequestRedirectPolicy | None = None
    direct_response_policy: HTTPDirectResponsePolicy | None = None
    enable_websockets: bool = False
    permit_insecure: bool = False
    auth_policy: AuthorizationPolicy | None = None
    timeout_policy: TimeoutPolicy | None = None
    retry_policy: RetryPolicy | None = None
    health_check_policy: HealthCheckPolicy | None = None
    load_balancer_policy: LoadBalancerPolicy | None = None
    path_rewrite_policy: PathRewritePolicy | None = None
    request_headers_policy: HeadersPolicy | None = None
    response_headers_policy: HeadersPolicy | None = None
    cookie_rewrite_policies: tuple[CookieRewritePolicy, ...] = ()
    rate_limit_policy: RateLimitPolicy | None = None
    internal_redirect_policy: HTTPInternalRedirectPolicy | None = None
    jwt_verification_policy: JWTVerificationPolicy | None = None
    ip_allow_policy: tuple[IPFilterPolicy, ...] = ()
    ip_deny_policy: tuple[IPFilterPolicy, ...] = ()


class Include(Model, frozen=True, kw_only=True):
    """Another HTTPProxy whose routes join this one's under more conditions; namespace "" is the same one."""

    name: str
    namespace: str = ""
    conditions: tuple[MatchCondition, ...] = ()


class TCPProxyInclude(Model, frozen=True, kw_only=True):
    name: str
    namespace: str = ""


class TCPProxy(Model, frozen=True, kw_only=True):
    """A TLS stream handed to services, or to another HTTPProxy; `includes` is the old name of `include`."""

    services: tuple[Service, ...] = ()
    include: TCPProxyInclude | None = None
    includes: TCPProxyInclude | None = None
    load_balancer_policy: LoadBalancerPolicy | None = None
    health_check_policy: TCPHealthCheckPolicy | None = None


class HTTPProxySpec(Model, frozen=True, kw_only=True):
    virtualhost: VirtualHost | None = None
    routes: tuple[Route, ...] = ()
    includes: tuple[Include, ...] = ()
    tcpproxy: TCPProxy | None = None
    ingress_class_name: str = ""


class SubCondition(Model, frozen=True, kw_only=True):
    """One error or warning: a type such as RouteError and a reason such as HeaderMatchConditionsNotValid."""

    type: str
    status: str
    reason: str
    message: str


class DetailedCondition(Condition, frozen=True, kw_only=True):
    errors: tuple[SubCondition, ...] = ()
    warnings: tuple[SubCondition, ...] = ()


class HTTPProxyStatus(Model, frozen=True, kw_only=True):
    """`current_status` is valid, invalid or orphaned; NotReconciled before the first status is written."""

    current_status: str = "NotReconciled"
    description: str = "Waiting for controller"
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[DetailedCondition, ...] = ()


class HTTPProxy(Object, frozen=True, kw_only=True):
    api_version: Literal["projectcontour.io/v1"] = constant("projectcontour.io/v1")
    kind: Literal["HTTPProxy"] = constant("HTTPProxy")
    spec: HTTPProxySpec
    status: HTTPProxyStatus = HTTPProxyStatus()
