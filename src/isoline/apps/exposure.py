"""How an App is reached: its Service, and an HTTPProxy for each host."""

from collections.abc import Iterator

from isoline.apps import access
from isoline.apps.defaults import affinity
from isoline.apps.names import PORT_NAME, metadata, port, proxy_name, selector, tls_secret_name
from isoline.apps.profile import Profile
from isoline.objects import core, httpproxy
from isoline.objects.app import App, Limits
from isoline.objects.app_access import Access
from isoline.objects.httpproxy import (
    HeaderMatchCondition,
    HTTPProxy,
    HTTPProxySpec,
    IPFilterPolicy,
    LoadBalancerPolicy,
    LocalRateLimitPolicy,
    MatchCondition,
    RateLimitPolicy,
    RequestHashPolicy,
    RetryPolicy,
    TimeoutPolicy,
    VirtualHost,
)

SELF_SIGNED = "isoline.dev/self-signed"
"""Annotation of an HTTPProxy: "true" or "false" beats the gateway's `tls.selfSigned`."""
DEFAULT_IDLE = "300s"
RETRIES = 3

# RFC 9110, 9.2.2: asking twice has the effect of asking once.
IDEMPOTENT = MatchCondition(header=HeaderMatchCondition(name=":method", regex="GET|HEAD|OPTIONS|TRACE|PUT|DELETE"))
# A replica that ends between two requests is no reason for an error: what cannot have had an effect is sent to another
# one. A request that changes something is sent again only if the first replica never got all of it.
UNSENT = RetryPolicy(count=RETRIES, retry_on=("connect-failure", "refused-stream", "reset-before-request"))
REPEATABLE = RetryPolicy(
    count=RETRIES,
    retry_on=("connect-failure", "refused-stream", "reset", "retriable-status-codes"),
    retriable_status_codes=(503,),
)


def service(app: App, profile: Profile | None) -> core.Service:
    """Return the Service of an App: its one port, by the number that the app knows it by."""
    number = port(app, profile)
    return core.Service(
        metadata=metadata(app, app.metadata.name),
        spec=core.ServiceSpec(
            selector=selector(app),
            ports=(core.ServicePort(name=PORT_NAME, port=number, target_port=PORT_NAME),),
        ),
    )


def proxies(app: App, profile: Profile | None) -> list[HTTPProxy]:
    """Return an HTTPProxy for each host: TLS, WebSockets, no limit on how long an answer takes, and retries."""
    routes = tuple(_routes(app, profile))
    annotations = access.annotations(app)
    if app.spec.tls is not None and app.spec.tls.self_signed is not None:
        annotations[SELF_SIGNED] = "true" if app.spec.tls.self_signed else "false"
    return [
        HTTPProxy(
            metadata=metadata(app, proxy_name(app, host), annotations=annotations),
            spec=HTTPProxySpec(virtualhost=_virtual_host(app, host), routes=routes),
        )
        for host in app.spec.hosts
    ]


def _virtual_host(app: App, host: str) -> VirtualHost:
    lists, limits = app.spec.access or Access(), app.spec.limits
    return VirtualHost(
        # The API server of a cluster takes no capitals.
        fqdn=host.lower(),
        tls=httpproxy.TLS(secret_name=tls_secret_name(app)),
        ip_allow_policy=_filters(lists.allow),
        ip_deny_policy=_filters(lists.deny),
        jwt_providers=access.providers(app),
        rate_limit_policy=None
        if limits is None or limits.rate is None
        else RateLimitPolicy(
            local=LocalRateLimitPolicy(requests=limits.rate.requests, unit=limits.rate.per, burst=limits.rate.burst)
        ),
    )


def _filters(networks: tuple[str, ...]) -> tuple[IPFilterPolicy, ...]:
    return tuple(IPFilterPolicy(source="Remote", cidr=network) for network in networks)


def _routes(app: App, profile: Profile | None) -> Iterator[httpproxy.Route]:
    for path in _paths(app):
        yield _route(app, profile, (path, IDEMPOTENT), REPEATABLE)
        yield _route(app, profile, (path,), UNSENT)


def _paths(app: App) -> Iterator[MatchCondition]:
    """The path conditions that an App opens.

    HTTPProxy prefixes know no segments, and an allow-list that says /v1 must not open /v1-internal.
    """
    for path in dict.fromkeys((*app.spec.paths, *access.paths(app)) if app.spec.paths else ("/",)):
        if not path.endswith("/"):
            yield MatchCondition(exact=path)
        yield MatchCondition(prefix=path if path.endswith("/") else f"{path}/")


def _route(
    app: App, profile: Profile | None, conditions: tuple[MatchCondition, ...], retries: RetryPolicy
) -> httpproxy.Route:
    limits = app.spec.limits or Limits()
    default_idle = profile.idle if profile is not None else DEFAULT_IDLE
    return httpproxy.Route(
        conditions=conditions,
        services=(httpproxy.Service(name=app.metadata.name, port=port(app, profile), weight=100),),
        enable_websockets=True,
        timeout_policy=TimeoutPolicy(response=limits.timeout or "infinity", idle=limits.idle or default_idle),
        retry_policy=retries,
        load_balancer_policy=_balancing(app, profile),
    )


def _balancing(app: App, profile: Profile | None) -> LoadBalancerPolicy:
    match affinity(app, profile):
        case "ClientIP":
            policies = (RequestHashPolicy(hash_source_ip=True, terminal=True),)
            return LoadBalancerPolicy(strategy="RequestHash", request_hash_policies=policies)
        case _:
            # One request may take a hundred times as long as another: the replica with the fewest is the one to ask.
            # A cookie that keeps clients with their replicas is the TrafficPolicy's.
            return LoadBalancerPolicy(strategy="WeightedLeastRequest")
