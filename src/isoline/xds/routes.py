"""Routes, and the route configurations in which a site's routes stand."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from envoy.config.route.v3 import route_components_pb2 as components
from envoy.config.route.v3 import route_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds import actions, names
from isoline.xds.filters import (
    addresses,
    authorization,
    cookies,
    cors,
    global_limits,
    guards,
    local_limits,
    site_filters,
)
from isoline.xds.filters.tokens import demanded
from isoline.xds.matches import route_match
from isoline.xds.messages import header_option
from isoline.xds.traffic import ways_in
from isoline.xds.traffic.table import site_filters as filters_of

_ENVOY_BODY_LIMIT = 4096


def route(source: ir.Route, gateway: ir.Gateway, authorized: ir.Authorization | None = None) -> components.Route:
    """One named route, of a site whose requests somebody is asked about or not, without its site's own filters."""
    message = components.Route(name=source.name, match=route_match(source.match))
    match source.action:
        case ir.Forward():
            message.route.CopyFrom(actions.forward(source.action, gateway))
        case ir.Redirect():
            message.redirect.CopyFrom(actions.redirect(source.action))
        case ir.HttpsRedirect():
            message.redirect.CopyFrom(actions.https_redirect(gateway))
        case ir.Respond():
            message.direct_response.CopyFrom(actions.respond(source.action))
    actions.set_header_edits(message, source.request_headers, source.response_headers)
    if source.addresses is not None:
        message.typed_per_filter_config[addresses.NAME].CopyFrom(addresses.per_route(source.addresses))
    if authorized is not None and (differs := authorization.per_route(authorized, source)) is not None:
        message.typed_per_filter_config[authorization.NAME].CopyFrom(differs)
    if source.local_limit is not None:
        message.typed_per_filter_config[local_limits.NAME].CopyFrom(local_limits.per_route(source.local_limit))
    if source.cookies:
        message.typed_per_filter_config[cookies.NAME].CopyFrom(cookies.per_route(source.cookies))
    if source.global_limit is not None:
        message.typed_per_filter_config[global_limits.NAME].CopyFrom(global_limits.per_route(source.global_limit))
    return message


def _routes(site: ir.Site, sources: Iterable[ir.Route], gateway: ir.Gateway) -> Iterator[components.Route]:
    """A site's routes, each with its own filters where they differ from its host's."""
    for source in sources:
        message = route(source, gateway, site.authorization)
        traffic = source.traffic
        if traffic is None and site.traffic is not None and _tokens(site, source) != _tokens(site):
            # Who brings a token is not let in by it where nobody looks at it.
            traffic = site.traffic if site.traffic.alternatives else None
        if traffic is not None:
            found = _site_filters(traffic, _tokens(site, source))
            message.typed_per_filter_config[site_filters.NAME].CopyFrom(found)
        yield message


def _tokens(site: ir.Site, source: ir.Route | None = None) -> ways_in.Tokens:
    """What becomes of tokens at a route, or at a site's routes that demand one."""
    if site.tokens is None or (source is not None and not demanded(source, site.tokens)):
        return ways_in.Tokens.NONE
    forwarded = any(provider.forward for provider in site.tokens.providers)
    return ways_in.Tokens.FORWARDED if forwarded else ways_in.Tokens.VERIFIED


@lru_cache(maxsize=1024)
def _site_filters(traffic: ir.Traffic, tokens: ways_in.Tokens = ways_in.Tokens.NONE) -> any_pb2.Any:
    branches, otherwise = ways_in.choices(traffic, filters_of(traffic), tokens)
    return site_filters.per_route_by(branches, otherwise) if branches else site_filters.per_route(otherwise)


def is_plain_redirect(routes: Iterable[ir.Route]) -> bool:
    """Whether these routes do nothing but redirect every path to https, so that the shared configuration will do."""
    catch_all = False
    for candidate in routes:
        if not isinstance(candidate.action, ir.HttpsRedirect) or candidate.response_headers != ir.HeaderEdits():
            return False
        match = candidate.match
        everything = match.path.kind in (ir.PathKind.PREFIX, ir.PathKind.SEGMENTS) and match.path.value == "/"
        catch_all = catch_all or (everything and not match.headers and not match.query)
    return catch_all


def serve_both(site: ir.Site) -> bool:
    """Whether what is served on HTTPS can be served on plain HTTP as it is: Envoy keeps it once, and a change of it is
    sent once."""
    if site.http != site.https or site.wildcard or site.catch_all or site.http3_chain is not None:
        return False
    # A followed redirect looks for its route by its Host, and on HTTPS alone another host is answered.
    return not any(_follows_redirects(source) for source in site.https)


def site_routes(site: ir.Site, scheme: names.Scheme, gateway: ir.Gateway) -> route_pb2.RouteConfiguration:
    """The routes of one site on one scheme.

    An exact site answers every path: a 404 of Envoy's own has no route name, which says "no such site" to the
    wildcard filter. On HTTPS, where the site was found by SNI, any other Host is answered with 421.
    """
    sources = site.http if scheme == "http" else site.https
    configuration = _configuration(names.scope(scheme, site.host))
    body_sizes = [len(source.action.body.encode()) for source in sources if isinstance(source.action, ir.Respond)]
    if body_sizes and max(body_sizes) > _ENVOY_BODY_LIMIT:
        configuration.max_direct_response_body_size_bytes.value = max(body_sizes)
    _set_alternative(configuration, site, scheme, gateway)
    host = configuration.virtual_hosts.add(name=site.host, domains=[site.host])
    if site.addresses is not None:
        host.typed_per_filter_config[addresses.NAME].CopyFrom(addresses.per_route(site.addresses))
    if site.cors is not None:
        host.typed_per_filter_config[cors.NAME].CopyFrom(cors.per_host(site.cors))
    if site.local_limit is not None:
        host.typed_per_filter_config[local_limits.NAME].CopyFrom(local_limits.per_route(site.local_limit))
    if site.global_limit is not None:
        host.typed_per_filter_config[global_limits.NAME].CopyFrom(global_limits.per_route(site.global_limit))
    if site.traffic is not None:
        host.typed_per_filter_config[site_filters.NAME].CopyFrom(_site_filters(site.traffic, _tokens(site)))
    if scheme == "https" and site.wildcard:
        host.routes.append(_more_than_one_label(site.host))
    host.routes.extend(_routes(site, sources, gateway))
    if site.traffic is not None:
        _ask_nothing_of_redirects(host, sources)
    if any(_follows_redirects(source) for source in sources):
        _keep_scope_for_redirects(configuration, host)
    host.routes.append(_fixed_response(names.NOT_FOUND_ROUTE, 404))
    if site.tokens is not None or site.authorization is not None:
        _set_guards(host, site, sources)
    if scheme == "https" and not site.catch_all:
        others = configuration.virtual_hosts.add(name=names.MISDIRECTED_ROUTE, domains=["*"])
        others.routes.append(_fixed_response(names.MISDIRECTED_ROUTE, 421))
    return configuration


def _set_guards(host: components.VirtualHost, site: ir.Site, sources: Sequence[ir.Route]) -> None:
    """What a site demands. Nobody is asked about what is answered without any route of its own: 404 and 421."""
    demands = guards.per_host(site, sources)
    if demands is not None:
        host.typed_per_filter_config[guards.NAME].CopyFrom(demands)
    if site.authorization is None:
        return
    host.typed_per_filter_config[authorization.NAME].CopyFrom(authorization.per_host(site.authorization))
    for message in host.routes:
        if message.name in (names.NOT_FOUND_ROUTE, names.MISDIRECTED_ROUTE):
            message.typed_per_filter_config[authorization.NAME].CopyFrom(authorization.unasked(site.authorization))


def _set_alternative(
    configuration: route_pb2.RouteConfiguration, site: ir.Site, scheme: names.Scheme, gateway: ir.Gateway
) -> None:
    if gateway.http3 and scheme == "https" and site.http3_chain is not None:
        where = f'h3=":{gateway.public_https_port}"; ma={site.http3:.0f}'
        configuration.response_headers_to_add.append(header_option("alt-svc", where))


def _ask_nothing_of_redirects(host: components.VirtualHost, sources: Sequence[ir.Route]) -> None:
    """Who is sent to https must not be made to say a password first."""
    redirected = {source.name for source in sources if isinstance(source.action, ir.HttpsRedirect)}
    for message in host.routes:
        if message.name in redirected:
            message.typed_per_filter_config[site_filters.NAME].CopyFrom(_site_filters(ir.Traffic()))


def _follows_redirects(source: ir.Route) -> bool:
    return isinstance(source.action, ir.Forward) and source.action.follow_redirects is not None


def _keep_scope_for_redirects(configuration: route_pb2.RouteConfiguration, host: components.VirtualHost) -> None:
    """Envoy looks for the route of a redirect by the headers that went upstream, so there the scope must stay."""
    configuration.ClearField("request_headers_to_remove")
    for message in host.routes:
        if not message.route.HasField("internal_redirect_policy"):
            message.request_headers_to_remove.append(names.SCOPE_HEADER)


def redirect_routes(gateway: ir.Gateway) -> route_pb2.RouteConfiguration:
    """What every site shares that does nothing on plain HTTP but redirect to https."""
    configuration = _configuration(names.REDIRECT_ROUTES)
    everything = configuration.virtual_hosts.add(name=names.REDIRECT_ROUTES, domains=["*"])
    message = everything.routes.add(name=names.REDIRECT_ROUTES)
    message.match.prefix = "/"
    message.redirect.CopyFrom(actions.https_redirect(gateway))
    return configuration


def not_found_routes() -> route_pb2.RouteConfiguration:
    """What every site shares that answers TLS and has no route."""
    configuration = _configuration(names.NOT_FOUND_ROUTES)
    everything = configuration.virtual_hosts.add(name=names.NOT_FOUND_ROUTES, domains=["*"])
    everything.routes.append(_fixed_response(names.NOT_FOUND_ROUTE, 404))
    return configuration


def _configuration(name: str) -> route_pb2.RouteConfiguration:
    return route_pb2.RouteConfiguration(
        name=name,
        ignore_port_in_host_matching=True,
        request_headers_to_remove=[names.SCOPE_HEADER],
    )


def _fixed_response(name: str, status: int) -> components.Route:
    message = components.Route(name=name)
    message.match.prefix = "/"
    message.direct_response.status = status
    return message


def _more_than_one_label(wildcard: str) -> components.Route:
    """Envoy's `*.example.com` also takes `a.b.example.com`; a wildcard host has exactly one label more."""
    message = _fixed_response(names.MISDIRECTED_ROUTE, 421)
    header = message.match.headers.add(name=":authority", invert_match=True)
    header.string_match.safe_regex.regex = rf"(?i)[^.]+{re.escape(wildcard[1:])}(:\d+)?"
    return message
