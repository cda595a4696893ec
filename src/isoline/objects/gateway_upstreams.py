"""What a GatewayConfig says of every upstream: its connections, and the headers that it gets and gives."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.httpproxy_policies import HeadersPolicy
from isoline.objects.model import Model

Count = Annotated[int, Meta(ge=1, le=2**32 - 1)]


class DefaultCircuitBreakers(Model, frozen=True, kw_only=True):
    """Limits of each cluster whose Service has no annotation for them."""

    max_connections: Annotated[Count | None, Meta(description="Open connections.")] = None
    max_pending_requests: Annotated[Count | None, Meta(description="Requests that wait for a connection.")] = None
    max_requests: Annotated[Count | None, Meta(description="Requests under way.")] = None
    max_retries: Annotated[Count | None, Meta(description="Requests that are being tried again.")] = None
    per_host_max_connections: Annotated[Count | None, Meta(description="Open connections to one endpoint.")] = None


class ClusterDefaults(Model, frozen=True, kw_only=True):
    """Connections to upstreams."""

    dns_lookup_family: Annotated[
        Literal["auto", "all", "v4", "v6"], Meta(description="Addresses of Services of type ExternalName.")
    ] = "auto"
    max_requests_per_connection: Annotated[
        Count | None, Meta(description="Requests that one connection may carry; no limit when unset.")
    ] = None
    circuit_breakers: Annotated[
        DefaultCircuitBreakers, Meta(description="Limits where a Service or ExtensionService sets none.")
    ] = DefaultCircuitBreakers()


class DefaultPolicy(Model, frozen=True, kw_only=True):
    """Headers of every service of an HTTPProxy, where neither it nor its route says otherwise."""

    request_headers_policy: Annotated[
        HeadersPolicy | None, Meta(description="What is set and removed on requests to upstreams.")
    ] = None
    response_headers_policy: Annotated[
        HeadersPolicy | None,
        Meta(description="What is set and removed on answers; also on redirects and direct responses."),
    ] = None
    apply_to_ingress: Annotated[bool, Meta(description="Whether it holds for Ingresses as well.")] = False
