"""Who may come in at a host: whose tokens, and who is asked, together; and what that makes of its site."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from isoline.objects import HTTPProxy
from isoline.objects.httpproxy import Route, VirtualHost
from isoline.objects.httpproxy_access import VERIFIED_KEYS
from isoline.routing import ir
from isoline.routing.httpproxy import authorization, jwt
from isoline.routing.httpproxy.authorization import HostAuthorization
from isoline.routing.httpproxy.jwt import Providers
from isoline.routing.httpproxy.scope import Report, Scope
from isoline.routing.statuses import VALID, ProxyStatus
from isoline.routing.view import View


class Guards(NamedTuple):
    """What routes of a host may refer to."""

    providers: Providers | None = None
    authorization: HostAuthorization | None = None

    @property
    def tokens(self) -> ir.Tokens | None:
        return None if self.providers is None else self.providers.tokens


NONE = Guards()


class RouteGuards(NamedTuple):
    """Named as the fields of `ir.Route`."""

    token: str | None
    authorization: ir.RouteAuthorization | None


_AS_THE_SITE = RouteGuards(None, None)


class NotGuarded(Exception):  # noqa: N818 - not an error of ours but the user's
    """A host has guards that cannot stand: nothing of it may be served. Every fault has been reported."""


def compile_guards(proxy: HTTPProxy, root: VirtualHost, view: View, scope: Scope) -> Guards:
    """Return the guards of a host. Raises NotGuarded."""
    namespace = proxy.metadata.namespace
    verified = proxy.metadata.annotations.get(VERIFIED_KEYS) == "true"
    if root.authorization is None and not root.jwt_providers and view.settings.authorization is None:
        return NONE
    before = len(scope.report.errors)
    found = Guards(
        jwt.compile_providers(root, namespace, view, scope, verified=verified),
        authorization.compile_host(root, namespace, view, scope),
    )
    if len(scope.report.errors) > before:
        raise NotGuarded
    return found


def compile_route(route: Route, guards: Guards, scope: Scope, root: Scope, *, ends_tls: bool) -> RouteGuards:
    """Return where a route differs from its host. Raises Fault or `jwt.UnknownProvider`: then it must stay closed."""
    if guards is NONE and route.jwt_verification_policy is None:
        return _AS_THE_SITE
    token = jwt.compile_token(route.jwt_verification_policy, guards.tokens, scope, root, ends_tls=ends_tls)
    return RouteGuards(token, authorization.compile_route(route.auth_policy, guards.authorization, scope))


def is_guarded(route: Route, guards: Guards) -> bool:
    """Return whether a route says itself that not everybody may come."""
    return jwt.demands_token(route.jwt_verification_policy) or authorization.asks(
        route.auth_policy, guards.authorization
    )


def guarded(site: ir.Site, guards: Guards) -> ir.Site:
    """Return the site with its guards, and with their clusters."""
    if guards.providers is not None:
        clusters = {cluster.name: cluster for cluster in site.clusters} | dict(guards.providers.clusters)
        site = msgspec.structs.replace(site, tokens=guards.tokens, clusters=tuple(clusters.values()))
    host = guards.authorization
    if host is None or not _asks(host, (*site.http, *site.https)):
        return site
    return _with_authorization(site, host)


def beside_ingresses(
    site: ir.Site | None, beside: ir.Site | None, namespace: str, view: View
) -> tuple[ir.Site | None, ProxyStatus]:
    """Return a site to whose HTTPProxy's part, `beside`, the paths of Ingresses have come, with all of it guarded.

    Where the gateway's server is to be asked and cannot be, the paths stay out, with what their Ingresses are told.
    """
    if site is None or site is beside:
        return site, VALID
    if beside is not None and (beside.tokens is not None or beside.authorization is not None):
        known = {cluster.name: cluster for cluster in (*site.clusters, *beside.clusters)}
        site = msgspec.structs.replace(site, clusters=tuple(known.values()))
    if site.authorization is not None:
        return site, VALID
    report = Report()
    found = authorization.compile_default(namespace, view, Scope(report, "spec"))
    if report.errors:
        return beside, report.status()
    if found is None or found.disabled:
        return site, VALID
    return _with_authorization(site, found), VALID


def _with_authorization(site: ir.Site, host: HostAuthorization) -> ir.Site:
    if host.server is None or host.cluster is None:
        return site
    clusters = {cluster.name: cluster for cluster in site.clusters} | {host.cluster.name: host.cluster}
    return msgspec.structs.replace(site, authorization=host.server, clusters=tuple(clusters.values()))


def _asks(host: HostAuthorization, routes: Iterable[ir.Route]) -> bool:
    if not host.disabled:
        return True
    return any(route.authorization is not None and route.authorization.asked for route in routes)
