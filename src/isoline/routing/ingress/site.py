"""All Ingresses of one host, beside the HTTPProxy of that host if there is one.

On equal paths an HTTPProxy wins, then the oldest Ingress; the other is told. What an HTTPProxy serves is never moved to
a scheme that it did not ask for.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from isoline.objects import Ingress, Key
from isoline.objects.networking import HTTPIngressPath, IngressBackend
from isoline.routing import ir
from isoline.routing.age import oldest_first
from isoline.routing.clusters import named_by
from isoline.routing.httpproxy.fallback_certificate import gateway_fallback, is_lent
from isoline.routing.httpproxy.order import Draft, in_order
from isoline.routing.httpproxy.routes import UNAVAILABLE
from isoline.routing.httpproxy.scope import Fault, Report, Scope
from isoline.routing.httpproxy.tls import compile_tls, needs_own_chain
from isoline.routing.indexes import host_of_rule, tls_of_ingress
from isoline.routing.ingress import backends
from isoline.routing.ingress.annotations import Wishes, wishes
from isoline.routing.ingress.paths import EVERYTHING, compile_path
from isoline.routing.traffic.attach import with_policies
from isoline.routing.traffic.effective import Targets, targets_of_object
from isoline.routing.traffic.sections import DEFAULT_BACKEND, sections_of_path
from isoline.routing.view import View

_TO_HTTPS = ir.HttpsRedirect()


class _Host:
    """What the compile of one host gathers."""

    def __init__(self, host: str, view: View) -> None:
        self.host = host
        self.view = view
        self.reports: dict[Key, Report] = {}
        self.clusters: dict[str, ir.Cluster] = {}
        self.plain: list[Draft] = []
        self.secure: list[Draft] = []

    def add(self, route: ir.Route, asked: Wishes, scope: Scope) -> None:
        if asked.https:
            self.secure.append(Draft(route, insecure=True, scope=scope))
        if asked.force_https:
            route = ir.Route(name=route.name, match=route.match, action=_TO_HTTPS)
        if asked.allow_http:
            self.plain.append(Draft(route, insecure=True, scope=scope))


class _Ending(NamedTuple):
    """How the host ends TLS."""

    tls: ir.Tls
    own_chain: bool


class _Place(NamedTuple):
    """Where a route stands."""

    ingress: Ingress
    name: str
    scope: Scope
    """Of its backend."""
    policies: Targets


def compile_ingresses(
    host: str, ingresses: Iterable[Ingress], beside: ir.Site | None, view: View
) -> tuple[ir.Site | None, dict[Key, Report]]:
    """Return what is served for a host by Ingresses, beside what an HTTPProxy serves there; and what was found."""
    gathered = _Host(host, view)
    defaults: list[tuple[Ingress, Wishes, Report]] = []
    ordered = oldest_first(ingresses)
    fallback = gateway_fallback(view) if host == ir.CATCH_ALL else ""
    for ingress in ordered:
        report = gathered.reports.setdefault(ingress.key, Report())
        check_hosts(ingress, report)
        asked = wishes(ingress.metadata.annotations, report)
        if host == ir.CATCH_ALL:
            asked = asked._replace(https=bool(fallback) and is_lent(fallback, ingress.metadata.namespace, view))
        _add_paths(ingress, asked, report, gathered)
        if ingress.spec.default_backend is not None:
            defaults.append((ingress, asked, report))
    for ingress, asked, report in defaults:
        _add_default(ingress, asked, report, gathered)
    return _assembled(gathered, _ending(ordered, gathered), beside, fallback), gathered.reports


def check_hosts(ingress: Ingress, report: Report) -> None:
    """Report everything in an Ingress that has no host to be served for."""
    spec, scope = ingress.spec, Scope(report, "spec")
    for position, rule in enumerate(spec.rules):
        if host_of_rule(rule) is None:
            text = f'"{rule.host}" is no host name; write one such as "voice.example.com" or "*.example.com"'
            scope.at(f"rules[{position}].host").error("VirtualHostError", "FQDNNotValid", text)
    if spec.default_backend is None and not spec.rules:
        scope.error("SpecError", "NothingDefined", "at least one of rules and defaultBackend is needed")
    for position, entry in enumerate(spec.tls):
        if not entry.hosts:
            scope.at(f"tls[{position}].hosts").warn("TLSError", "names no host, so no host ends TLS by it")


def _add_paths(ingress: Ingress, asked: Wishes, report: Report, host: _Host) -> None:
    name = f"{ingress.metadata.namespace}/{ingress.metadata.name}"
    targets = targets_of_object(ingress)
    for position, rule in enumerate(ingress.spec.rules):
        if rule.http is None or host_of_rule(rule) != host.host:
            continue
        for at, path in enumerate(rule.http.paths):
            field = f"rules[{position}].http.paths[{at}]"
            scope = Scope(report, f"spec.{field}")
            try:
                match = ir.Match(path=compile_path(path, scope))
                named = sections_of_path(position, at, path)
                place = _Place(ingress, f"{name}/{field}", scope.at("backend"), targets.with_section(named))
                route = _route(path.backend, match, _is_websocket(path, asked), asked, place, host)
            except Fault as fault:
                report.errors[fault.finding] = None
            else:
                host.add(route, asked, scope)


def _add_default(ingress: Ingress, asked: Wishes, report: Report, host: _Host) -> None:
    """The default backend takes what no path of the host takes, whosever path that is: it comes after all of them."""
    backend = ingress.spec.default_backend
    assert backend is not None
    scope = Scope(report, "spec.defaultBackend")
    prefix = f"{ingress.metadata.namespace}/{ingress.metadata.name}"
    name = f"{prefix}/defaultBackend"
    try:
        place = _Place(ingress, name, scope, targets_of_object(ingress).with_section(DEFAULT_BACKEND))
        route = _route(backend, ir.Match(path=EVERYTHING), "/" in asked.websockets, asked, place, host)
    except Fault as fault:
        report.errors[fault.finding] = None
    else:
        if host.host != ir.CATCH_ALL or any(draft.route.name.startswith(f"{prefix}/") for draft in host.plain):
            # That somebody routes every path already is how it is meant, and no reason for a warning.
            scope = Scope(Report(), scope.path)
        host.add(route, asked, scope)


def _is_websocket(path: HTTPIngressPath, asked: Wishes) -> bool:
    return (path.path or "/") in asked.websockets


def _route(
    backend: IngressBackend, match: ir.Match, websocket: bool, asked: Wishes, place: _Place, host: _Host
) -> ir.Route:
    """A backend that leads nowhere answers 503: a shorter path, maybe another app's, must not answer for it."""
    namespace = place.ingress.metadata.namespace
    resolved = backends.resolve(backend, namespace, host.view, place.scope, place.policies)
    if resolved is None or not resolved.shares:
        return ir.Route(name=place.name, match=match, action=UNAVAILABLE)
    host.clusters.update((cluster.name, cluster) for cluster in resolved.clusters)
    action = ir.Forward(shares=resolved.shares, websocket=websocket, timeout=asked.timeout, retry=asked.retry)
    route = ir.Route(name=place.name, match=match, action=action)
    service = None if backend.service is None else Key("Service", namespace, backend.service.name)
    return with_policies(route, place.policies.settings(service, host.view), host.view, host.clusters)


def _ending(ordered: Sequence[Ingress], host: _Host) -> _Ending | None:
    """How the oldest Ingress that ends TLS for the host, and can, does so; the others are told if theirs differs."""
    ending: _Ending | None = None
    for ingress in ordered:
        tls = tls_of_ingress(ingress, host.host)
        if tls is None:
            continue
        report = host.reports[ingress.key]
        try:
            compiled = compile_tls(tls, ingress.metadata.namespace, host.view, Scope(report, "spec"))
        except Fault as fault:
            report.errors[fault.finding] = None
            continue
        if ending is None:
            ending = _Ending(compiled, needs_own_chain(host.host, tls, compiled, host.view))
        elif compiled != ending.tls:
            text = f'an older Ingress says how "{host.host}" ends TLS, with Secret "{ending.tls.certificate}"'
            Scope(report, "spec.tls").warn("TLSError", text)
    return ending


def _assembled(host: _Host, ending: _Ending | None, beside: ir.Site | None, fallback: str) -> ir.Site | None:
    """What is served for the host. With `fallback`, HTTPS is for who names no known host in the handshake."""
    before = beside or ir.Site(host=host.host)
    plain = _ordered(before.http, host.plain)
    secure = before.https if ending is None and not fallback else _ordered(before.https, host.secure)
    if not plain and not secure:
        return beside
    known = {cluster.name: cluster for cluster in before.clusters} | host.clusters
    if before.tls is not None:
        ending = _Ending(before.tls, before.own_chain)
    if before.tunnel is not None:
        # HTTPS is the tunnel's; what Ingresses have is on plain HTTP.
        names = named_by(plain, before.tunnel)
        return msgspec.structs.replace(before, http=plain, clusters=tuple(known[name] for name in names))
    return msgspec.structs.replace(
        before,
        http=plain,
        https=secure,
        tls=ending.tls if ending is not None else None,
        own_chain=ending is not None and ending.own_chain,
        fallback=fallback if fallback and secure else before.fallback,
        clusters=tuple(known[name] for name in named_by((*plain, *secure))),
    )


def _ordered(first: Sequence[ir.Route], drafts: Sequence[Draft]) -> tuple[ir.Route, ...]:
    """The routes of both as they are tried; of equal ones those of `first` count, then the earlier."""
    nowhere = Scope(Report(), "")
    takers: dict[str, str] = {}
    kept: list[Draft] = []
    for draft in (*(Draft(route, insecure=True, scope=nowhere) for route in first), *drafts):
        match = draft.route.match
        if match.path.kind is ir.PathKind.SEGMENTS and match.path.value in takers:
            # A prefix by characters, tried before, takes every path that one by segments could.
            text = f"has the same conditions as {takers[match.path.value]}, which counts"
            draft.scope.warn("RouteError", text)
            continue
        if match.path.kind is ir.PathKind.PREFIX and not match.headers and not match.query:
            takers.setdefault(match.path.value, draft.route.name)
        kept.append(draft)
    return tuple(draft.route for draft in in_order(kept))
