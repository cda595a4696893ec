"""One route of an HTTPProxy, all its policies together."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from isoline.objects import Key
from isoline.objects.httpproxy import MatchCondition, Route
from isoline.routing import ir
from isoline.routing.httpproxy import (
    balancing,
    conditions,
    cookies,
    global_limits,
    guards,
    headers,
    health,
    internal_redirects,
    ip_filters,
    jwt,
    local_limits,
    redirects,
    responses,
    retries,
    rewrites,
    services,
    timeouts,
)
from isoline.routing.httpproxy.order import Draft
from isoline.routing.httpproxy.scope import Fault, Report, Scope
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.traffic.attach import with_policies
from isoline.routing.traffic.effective import Targets

UNAVAILABLE = ir.Respond(status=503)
BAD_GATEWAY = ir.Respond(status=502)


class Place(NamedTuple):
    """Where a route stands: its host, its object's namespace, the conditions of the includes above it."""

    site: SiteDraft
    namespace: str
    inherited: Sequence[MatchCondition]
    scope: Scope
    name: str
    included: bool = False
    """Whether its object is a child of another."""
    policies: Targets = Targets()
    """What TrafficPolicies may name to be about it."""


def add_route(route: Route, place: Place) -> None:
    """Compile a route and add it to its host. A bad one is reported and left out, and harms no other.

    One that is left out although it was to keep somebody away stays as a 503: a wider route must not answer for it. So
    does one of a child: the wider route would be its parent's, which leads to another app.
    """
    match = None
    try:
        _check_actions(route, place.scope)
        match = conditions.match(place.inherited, route.conditions, place.scope)
        site = place.site
        who = guards.compile_route(route, site.guards, place.scope, site.root, ends_tls=site.ends_tls)
        _add(_compile(route, match, who, place), route, place)
    except jwt.UnknownProvider:
        _add_closed(match or _match(route, place), route, place)
    except Fault as fault:
        place.scope.report.errors[fault.finding] = None
        if place.included or ip_filters.is_guarded(route) or guards.is_guarded(route, place.site.guards):
            with suppress(Fault):
                _add_closed(match or _match(route, place), route, place)


def add_bad_gateway(place: Place, own: Sequence[MatchCondition]) -> None:
    """Add a 502 in place of an include that leads nowhere. Raises Fault where its conditions cannot be."""
    # Whoever calls has told of the include; that another route has its conditions is no news besides.
    silent = Scope(Report(), place.scope.path)
    match = conditions.match(place.inherited, own, silent)
    route = ir.Route(name=place.site.unique_name(place.name), match=match, action=BAD_GATEWAY)
    place.site.drafts.append(Draft(route, insecure=True, scope=silent))


def _match(route: Route, place: Place) -> ir.Match:
    """What a route whose fault is told already would take. Raises Fault where that cannot be known."""
    return conditions.match(place.inherited, route.conditions, Scope(Report(), place.scope.path))


def _add_closed(match: ir.Match, route: Route, place: Place) -> None:
    name = place.site.unique_name(place.name)
    _add(ir.Route(name=name, match=match, action=UNAVAILABLE), route, place)


def _add(compiled: ir.Route, route: Route, place: Place) -> None:
    insecure = route.permit_insecure and place.site.view.settings.permit_insecure
    place.site.drafts.append(Draft(compiled, insecure=insecure, scope=place.scope))


def _check_actions(route: Route, scope: Scope) -> None:
    redirect, response = route.request_redirect_policy is not None, route.direct_response_policy is not None
    if bool(route.services) + redirect + response != 1:
        actions = {
            "services": bool(route.services),
            "requestRedirectPolicy": redirect,
            "directResponsePolicy": response,
        }
        found = " and ".join(name for name, used in actions.items() if used) or "none"
        text = f"exactly one of {', '.join(actions)} is needed, found {found}"
        words = "must set exactly one of route.services or route.requestRedirectPolicy or route.directResponsePolicy"
        raise scope.fault("RouteError", "RouteActionCountNotValid", text, words=words)


def _compile(route: Route, match: ir.Match, who: guards.RouteGuards, place: Place) -> ir.Route:
    scope = place.scope
    variables = {"CONTOUR_NAMESPACE": place.namespace}
    request = headers.compile_headers(route.request_headers_policy, headers.ROUTE_REQUEST, scope, variables=variables)
    response = headers.compile_headers(
        route.response_headers_policy, headers.ROUTE_RESPONSE, scope, variables=variables
    )
    rewrites_of_cookies = cookies.compile_cookies(route.cookie_rewrite_policies, scope)
    action = _action(route, match, place, host=request.host, rewrites_of_cookies=rewrites_of_cookies)
    if not isinstance(action, ir.Forward):
        # What is answered here has no service, whose headers these would be.
        response = headers.with_defaults(response, place.site.view.settings.response_headers, variables=variables)
    compiled = ir.Route(
        match=match,
        action=action,
        cookies=rewrites_of_cookies,
        request_headers=request.edits,
        response_headers=response.edits,
        addresses=ip_filters.compile_addresses(route, scope),
        token=who.token,
        authorization=who.authorization,
        local_limit=local_limits.compile_local_limit(route.rate_limit_policy, "RouteError", scope),
        global_limit=None
        if route.rate_limit_policy is None
        else global_limits.compile_global_limit(route.rate_limit_policy, "RouteError", place.site.view.settings, scope),
        # Last: a name is not used up by a route that is left out.
        name=place.site.unique_name(place.name),
    )
    first = Key("Service", place.namespace, route.services[0].name) if route.services else None
    view = place.site.view
    return with_policies(compiled, place.policies.settings(first, view), view, place.site.clusters)


def _action(
    route: Route, match: ir.Match, place: Place, *, host: str | None, rewrites_of_cookies: tuple[ir.CookieRewrite, ...]
) -> ir.Forward | ir.Redirect | ir.Respond:
    scope = place.scope
    limits = timeouts.compile_timeouts(route.timeout_policy, scope)
    spread = balancing.compile_balancing(route.load_balancer_policy, scope)
    rewrite = rewrites.compile_rewrite(route.path_rewrite_policy, match.path, scope)
    check = health.compile_health_check(route.health_check_policy, scope)
    follow = internal_redirects.compile_internal_redirects(route.internal_redirect_policy, scope)
    if route.request_redirect_policy is not None:
        return redirects.compile_redirect(route.request_redirect_policy, scope)
    if route.direct_response_policy is not None:
        return responses.compile_response(route.direct_response_policy, scope)
    retry = retries.compile_retry(route.retry_policy, scope)
    host_header = None if host is None else headers.header_that_gives_host(host)
    fixed_host = host if host_header is None else None
    common = services.Upstreams(
        place.namespace, spread, check, limits.idle_connection, fixed_host, rewrites_of_cookies, policies=place.policies
    )
    resolved = services.resolve(route.services, common, place.site.view, scope)
    if not resolved.shares:
        return UNAVAILABLE
    place.site.clusters.update((cluster.name, cluster) for cluster in resolved.clusters)
    return ir.Forward(
        shares=resolved.shares,
        websocket=route.enable_websockets,
        timeout=limits.response,
        idle_timeout=limits.idle,
        retry=retry,
        hash_by=spread.hash_by,
        prefix_rewrite=rewrite,
        host_rewrite=fixed_host,
        host_rewrite_header=host_header,
        mirror=resolved.mirror,
        follow_redirects=follow,
    )
