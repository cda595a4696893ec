"""IR to resources: pure, one site at a time."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from isoline.routing import ir
from isoline.xds import (
    access_logs,
    clusters,
    listeners,
    names,
    own_chains,
    quic,
    routes,
    scopes,
    secrets,
    tracing,
    tunnels,
    types,
)
from isoline.xds.filters import global_limits
from isoline.xds.managers import managers_of
from isoline.xds.messages import as_resource
from isoline.xds.resources import Name, Resource
from isoline.xds.traffic import login

_CHECK_SLACK = 0.1
"""Seconds beyond its timeout after which a cluster's first health check is over for certain."""


def render_site(site: ir.Site, gateway: ir.Gateway) -> list[Resource]:
    """Scopes, route configurations and clusters of one site. Sites that share a cluster each return it: equal names
    mean equal content."""
    rendered = [_cluster(each, gateway) for each in site.clusters]
    endpoints_of = {each.name: each.endpoints for each in site.clusters if each.dns is None}
    if site.http:
        if not _holds_for_redirects(site) and routes.is_plain_redirect(site.http):
            rendered.append(_scope("http", site.host, names.REDIRECT_ROUTES))
        elif routes.serve_both(site):
            rendered.append(_scope("http", site.host, names.scope("https", site.host)))
        else:
            rendered += _own_routes(site, "http", gateway, endpoints_of)
    if site.https:
        rendered += _own_routes(site, "https", gateway, endpoints_of)
    elif site.tls is not None and site.tunnel is None:
        rendered.append(_scope("https", site.host, names.NOT_FOUND_ROUTES))
    if site.fallback:
        found = names.scope("https", site.host) if site.https else names.NOT_FOUND_ROUTES
        rendered.append(_scope("fallback", site.host, found))
    if site.tunnel is not None:
        rendered.append(tunnels.tunnel(site.host, site.tunnel, gateway))
    if site.tls is not None and site.tls.clients is not None:
        digest = own_chains.clients_digest(site.tls.clients, site.host)
        rendered.append(secrets.secret(names.clients(digest), secrets.validation(site.tls.clients)))
    rendered += _login_secrets(site)
    return rendered


def _login_secrets(site: ir.Site) -> Iterator[Resource]:
    asked = dict.fromkeys((site.traffic, *(route.traffic for route in (*site.http, *site.https))))
    for traffic in asked:
        if traffic is not None:
            yield from login.login_secrets(traffic)


def render_endpoints(endpoints: ir.Endpoints) -> Resource:
    """What fills every cluster that names it."""
    message = clusters.endpoints(endpoints)
    return as_resource(types.ENDPOINTS, endpoints.name, message, empty=not message.endpoints)


def render_gateway(
    gateway: ir.Gateway,
    chains: Mapping[str, own_chains.OwnChain],
    *,
    fallback: ir.Fallback | None = None,
    used: frozenset[str] = frozenset(),
    http3: Iterable[ir.Chain] = (),
) -> list[Resource]:
    """What holds for all sites: listeners and shared routes.

    `chains` are those of hosts that do not just use the shared one, `fallback` what strangers get on HTTPS. `used`
    are the names of the filters that some site needs, `http3` the chains of hosts on HTTP/3 as well.
    """
    rendered = [
        as_resource(types.ROUTES, names.REDIRECT_ROUTES, routes.redirect_routes(gateway)),
        as_resource(types.ROUTES, names.NOT_FOUND_ROUTES, routes.not_found_routes()),
    ]
    if gateway.rate_limits is not None and gateway.rate_limits.socket:
        counter = global_limits.own_service(gateway.rate_limits)
        rendered.append(as_resource(types.CLUSTER, gateway.rate_limits.cluster, counter))
    own_clusters: tuple[Name, ...] = ()
    if gateway.tracing is not None:
        collector = as_resource(types.CLUSTER, tracing.CLUSTER, tracing.cluster(gateway.tracing, gateway))
        rendered.append(collector)
        own_clusters = (collector.name,)
    for named in gateway.named_logs:
        if named.collector is not None:
            name = access_logs.collector_name(named)
            rendered.append(as_resource(types.CLUSTER, name, clusters.collector(name, named.collector, gateway)))
            own_clusters = (*own_clusters, rendered[-1].name)
    if gateway.http is not None:
        listener = listeners.http_listener(gateway.http, gateway, used)
        rendered.append(as_resource(types.LISTENER, names.HTTP_LISTENER, listener, needs=own_clusters))
    if gateway.https is not None:
        hosts = own_chains.by_host(chains, gateway)
        managers = managers_of((own for own in hosts.values() if own is not None), gateway, used, own_clusters)
        rendered += managers.values()
        managed = {manner: manager.name.name for manner, manager in managers.items()}
        listener = listeners.https_listener(gateway.https, gateway, hosts, managed, fallback, used)
        over_quic = sorted(http3, key=lambda chain: chain.host) if gateway.http3 else []
        if over_quic:
            message = quic.http3_listener(gateway.https, gateway, over_quic, used)
            rendered.append(as_resource(types.LISTENER, names.HTTP3_LISTENER, message, needs=own_clusters))
        rendered.append(as_resource(types.LISTENER, names.HTTPS_LISTENER, listener, needs=own_clusters))
    return rendered


def _holds_for_redirects(site: ir.Site) -> bool:
    """Whether the host as a whole says something about every request, also about those that are redirected."""
    return site.addresses is not None or site.local_limit is not None or site.global_limit is not None


@lru_cache(maxsize=1024)
def _cluster(source: ir.Cluster, gateway: ir.Gateway) -> Resource:
    """Many sites share few clusters: each is rendered once, and is one object in memory."""
    brings = (Name(types.ENDPOINTS, source.endpoints),) if source.dns is None else ()
    check = source.health_check
    settles = 0.0 if check is None else check.timeout + _CHECK_SLACK
    return as_resource(types.CLUSTER, source.name, clusters.cluster(source, gateway), brings=brings, settles=settles)


def _own_routes(
    site: ir.Site, scheme: names.Scheme, gateway: ir.Gateway, endpoints_of: dict[str, str]
) -> Iterator[Resource]:
    name = names.scope(scheme, site.host)
    yield _scope(scheme, site.host, name)
    used = [*_clusters_of(site.http if scheme == "http" else site.https), *_clusters_of_guards(site)]
    used += () if site.traffic is None else site.traffic.clusters
    needs = [Name(types.CLUSTER, cluster) for cluster in used if cluster != ir.NO_CLUSTER]
    needs += [Name(types.ENDPOINTS, endpoints_of[cluster]) for cluster in used if cluster in endpoints_of]
    message = routes.site_routes(site, scheme, gateway)
    yield as_resource(types.ROUTES, name, message, needs=tuple(dict.fromkeys(needs)))


def _clusters_of(source: Iterable[ir.Route]) -> list[str]:
    used: dict[str, None] = {}
    for route in source:
        if isinstance(route.action, ir.Forward):
            used.update((share.cluster, None) for share in route.action.shares if share.weight > 0)
            if route.action.mirror is not None:
                used[route.action.mirror.cluster] = None
        if route.traffic is not None:
            used.update(dict.fromkeys(route.traffic.clusters))
    return list(used)


def _clusters_of_guards(site: ir.Site) -> Iterator[str]:
    if site.authorization is not None:
        yield site.authorization.cluster
    for provider in () if site.tokens is None else site.tokens.providers:
        if isinstance(provider.keys, ir.RemoteKeys):
            yield provider.keys.cluster


def _scope(scheme: names.Scheme, host: str, routes_name: str) -> Resource:
    return scopes.scope(names.scope(scheme, host), routes_name)
