"""The part of the GatewayConfig that compiling depends on, and no more: equal settings recompile nothing."""

import msgspec

from isoline.objects import GatewayConfig, GatewayConfigSpec, Key
from isoline.objects.gateway_rate_limits import RateLimitServiceConfig
from isoline.objects.httpproxy import AuthorizationServer, GlobalRateLimitPolicy, HeadersPolicy
from isoline.routing.ir import DnsFamily, TlsVersion

GATEWAY_CONFIG = Key("GatewayConfig", "", "default")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    ingress_class: str = ""
    """Empty: objects without a class, and those of class `contour`."""
    self_signed: bool = False
    """Whether the local CA issues what is missing."""
    foreseen: bool = False
    """Whether what it is about to issue counts as there: for what a change comes to in the end."""
    root_namespaces: frozenset[str] = frozenset()
    """Where root HTTPProxies may be; everywhere when empty."""
    tls_minimum: TlsVersion = TlsVersion.V1_2
    tls_maximum: TlsVersion = TlsVersion.V1_3
    fallback_certificate: str = ""
    """`<namespace>/<secret>`, for clients that name no known host; empty: there is none."""
    rate_limits: bool = False
    """Whether there is a rate-limit service."""
    rate_limit_extension: Key | None = None
    """Its ExtensionService; None: there is none, or it is our own."""
    authorization: AuthorizationServer | None = None
    """Who is asked about the requests of hosts that have no server of their own."""
    external_names: bool = False
    """Whether Services of type ExternalName may be used."""
    dns_family: DnsFamily = DnsFamily.AUTO
    """Of the names that those give."""
    permit_insecure: bool = True
    """Whether permitInsecure of routes counts."""
    request_headers: HeadersPolicy | None = None
    """For every service whose own policy does not say otherwise."""
    response_headers: HeadersPolicy | None = None
    headers_of_ingresses: bool = False
    """Whether those two are for Ingresses as well."""
    access_logs: frozenset[str] = frozenset()
    """The names of the logs that sites may choose."""
    default_global_limit: GlobalRateLimitPolicy | None = None
    """Of virtual hosts that have no rateLimitPolicy.global."""


def foreseen(settings: Settings) -> Settings:
    """Return the settings by which it is seen what a change comes to."""
    return msgspec.structs.replace(settings, foreseen=True)


def _extension(limits: RateLimitServiceConfig | None) -> Key | None:
    if limits is None or limits.extension_service is None:
        return None
    return Key("ExtensionService", limits.extension_service.namespace, limits.extension_service.name)


def settings_from_config(config: GatewayConfig | None, *, one_machine: bool) -> Settings:
    """Return the settings that a GatewayConfig, or its absence, means.

    On one machine missing certificates are self-signed unless the config says no; elsewhere only if it says yes.
    """
    spec = GatewayConfigSpec() if config is None else config.spec
    limits = spec.rate_limit_service
    self_signed, fallback = spec.tls.self_signed, spec.tls.fallback_certificate
    return Settings(
        ingress_class=spec.ingress_class_name,
        self_signed=one_machine if self_signed is None else self_signed,
        root_namespaces=frozenset(spec.root_namespaces),
        tls_minimum=TlsVersion(spec.tls.minimum_version),
        tls_maximum=TlsVersion(spec.tls.maximum_version),
        access_logs=frozenset(log.name for log in spec.access_logs),
        authorization=spec.global_external_authorization,
        rate_limits=limits is not None and (one_machine or limits.extension_service is not None),
        rate_limit_extension=_extension(limits),
        external_names=spec.enable_external_name_service,
        dns_family=DnsFamily(spec.cluster.dns_lookup_family),
        permit_insecure=not spec.disable_permit_insecure,
        request_headers=spec.policy.request_headers_policy,
        response_headers=spec.policy.response_headers_policy,
        headers_of_ingresses=spec.policy.apply_to_ingress,
        default_global_limit=None if limits is None else limits.default_global_rate_limit_policy,
        fallback_certificate="" if fallback is None else f"{fallback.namespace}/{fallback.name}",
    )
