"""The rate-limit service of a GatewayConfig: whose it is, and what our own limits."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Duration, Name, Positive
from isoline.objects.httpproxy_rate_limits import GlobalRateLimitPolicy
from isoline.objects.model import Model


class ExtensionServiceName(Model, frozen=True, kw_only=True):
    """An ExtensionService."""

    namespace: Annotated[Name, Meta(description="Its namespace.")]
    name: Annotated[Name, Meta(description="Its name.")]


class RateLimitEntry(Model, frozen=True, kw_only=True):
    """One entry of a descriptor."""

    key: Annotated[str, Meta(min_length=1, description="Its key, such as generic_key or remote_address.")]
    value: Annotated[str | None, Meta(description="Its value; when unset any, and each is counted for itself.")] = None


class RateLimit(Model, frozen=True, kw_only=True):
    """How many requests of one kind may come."""

    entries: Annotated[
        tuple[RateLimitEntry, ...],
        Meta(min_length=1, description="The entries, all of them and in order, of the descriptors that it is for."),
    ]
    requests: Annotated[Positive, Meta(description="How many a unit of time.")]
    unit: Annotated[Literal["second", "minute", "hour", "day"], Meta(description="The unit.")]


class RateLimitServiceConfig(Model, frozen=True, kw_only=True):
    """Who is asked about the requests that HTTPProxies limit globally."""

    extension_service: Annotated[
        ExtensionServiceName | None,
        Meta(description="A service that speaks Envoy's protocol. Unset: Isoline's own, on one machine."),
    ] = None
    domain: Annotated[str, Meta(min_length=1, description="What the service knows this gateway's limits by.")] = (
        "contour"
    )
    fail_open: Annotated[
        bool,
        Meta(description="Whether requests pass when the service fails; else 500. With Isoline's own they always do."),
    ] = False
    enable_x_rate_limit_headers: Annotated[
        bool, Meta(description="Tell clients what is left, in the headers x-ratelimit-*.")
    ] = False
    enable_resource_exhausted_code: Annotated[
        bool, Meta(description="Answer gRPC calls that are limited with RESOURCE_EXHAUSTED instead of UNAVAILABLE.")
    ] = False
    response_timeout: Annotated[Duration, Meta(description="Until the service counts as failed.")] = "200ms"
    default_global_rate_limit_policy: Annotated[
        GlobalRateLimitPolicy | None,
        Meta(description="For virtual hosts without rateLimitPolicy.global of their own."),
    ] = None
    limits: Annotated[tuple[RateLimit, ...], Meta(description="What Isoline's own service limits.")] = ()
    storage: Annotated[
        str,
        Meta(
            pattern=r"^(memory|rediss?://\S+)$",
            description="Where Isoline's own service counts: memory, or redis://host:port/number, which several share.",
        ),
    ] = "memory"
