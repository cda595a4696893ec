"""One host at a time: `compile_site` is pure, and tells what it read."""

from typing import NamedTuple

import msgspec

from isoline.objects import ExtensionService, HTTPProxy, Ingress, Key, TrafficPolicy
from isoline.routing import ir
from isoline.routing.age import oldest_first
from isoline.routing.classes import is_ours
from isoline.routing.extensions import Extension, extension_status, find_extension
from isoline.routing.httpproxy import guards
from isoline.routing.httpproxy.scope import Report, Scope
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.httpproxy.virtualhost import compile_root
from isoline.routing.indexes import EXTENSION, HOSTS, POLICY
from isoline.routing.ingress.site import check_hosts, compile_ingresses
from isoline.routing.statuses import ORPHANED, Finding, ProxyStatus, merge
from isoline.routing.traffic.attach import shared
from isoline.routing.traffic.hosts import as_catch_all, proxies_lent
from isoline.routing.traffic.statuses import status_of_policy
from isoline.routing.view import Read, View

_GUARDED = ProxyStatus(
    errors=(
        Finding(
            "VirtualHostError",
            "HostGuarded",
            "spec.rules: an HTTPProxy guards the host in a way that it cannot be served; nothing else is served for it",
        ),
    )
)


class Compiled(NamedTuple):
    """`site` is None when the host serves nothing. `certificates` and `endpoints` are the names that the site uses."""

    site: ir.Site | None
    statuses: dict[Key, ProxyStatus]
    reads: frozenset[Read]
    certificates: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()


def compile_site(host: str, view: View) -> Compiled:
    """Return what is served for a host (of the index `hosts`) and the statuses of the objects that took part.

    Of several HTTPProxies for one host the oldest keeps it, and the others are told. Ingresses add their paths to it.
    Objects of another class are passed over without a word. A pseudo-host gives statuses only.
    """
    if host.startswith(POLICY):
        return Compiled(None, _statuses_of_policies(host, view), frozenset(view.reads))
    if host.startswith(EXTENSION):
        return _extensions(host, view)
    claimants, ingresses = _claimants(host, view)
    lent = proxies_lent(host, claimants, view)
    if host.startswith("!"):
        without = {proxy.key: _status_without_host(proxy) for proxy in claimants}
        without |= {ingress.key: _status_of_ingress_without_host(ingress) for ingress in ingresses}
        return Compiled(None, without, frozenset(view.reads))
    statuses: dict[Key, ProxyStatus] = {}
    site = None
    guarded = False
    permitted = [proxy for proxy in claimants if _is_permitted(proxy, view, statuses)]
    if permitted or lent:
        # Who names the host itself comes before whom a policy gives it to.
        winner, *others = (*oldest_first(permitted), *lent[:1])
        draft = SiteDraft(view, winner)
        site = compile_root(host, winner, draft)
        if site is not None and host == ir.CATCH_ALL:
            site = as_catch_all(site, winner, view)
        guarded = site is None and _guards(winner)
        statuses.update((key, report.status()) for key, report in draft.reports.items())
        statuses.update((proxy.key, _duplicate(host, winner)) for proxy in others if proxy not in lent)
    if guarded:
        statuses.update((ingress.key, _GUARDED) for ingress in ingresses)
    elif ingresses:
        beside = site
        site, found = compile_ingresses(host, ingresses, beside, view)
        site, told = guards.beside_ingresses(site, beside, ingresses[0].metadata.namespace, view)
        statuses.update((key, merge((report.status(), told))) for key, report in found.items())
    if site is not None:
        site = shared(site)
    return Compiled(
        site,
        statuses,
        frozenset(view.reads),
        certificates=() if site is None else _certificates(site),
        endpoints=() if site is None else _endpoints_of(site),
    )


def _statuses_of_policies(host: str, view: View) -> dict[Key, ProxyStatus]:
    found = [view.get(key) for key in view.find(HOSTS, host)]
    return {item.key: status_of_policy(item, view) for item in found if isinstance(item, TrafficPolicy)}


def _extensions(host: str, view: View) -> Compiled:
    """The statuses of ExtensionServices; what counts requests for the gateway brings its cluster besides."""
    statuses = _statuses_of_extensions(host, view)
    counter = view.settings.rate_limit_extension
    found: Extension | None = None
    if counter is not None and counter in statuses:
        found = find_extension(counter.namespace, counter.name, view)
    if found is None:
        return Compiled(None, statuses, frozenset(view.reads))
    cluster = msgspec.structs.replace(found.cluster, name=ir.RATE_LIMITS)
    site = ir.Site(host=host, clusters=(cluster,))
    return Compiled(site, statuses, frozenset(view.reads), endpoints=_endpoints_of(site))


def _statuses_of_extensions(host: str, view: View) -> dict[Key, ProxyStatus]:
    found = [view.get(key) for key in view.find(HOSTS, host)]
    return {item.key: extension_status(item, view) for item in found if isinstance(item, ExtensionService)}


def _endpoints_of(site: ir.Site) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cluster.endpoints for cluster in site.clusters if cluster.dns is None))


def _certificates(site: ir.Site) -> tuple[str, ...]:
    own = "" if site.tls is None else site.tls.certificate
    shown = dict.fromkeys(cluster.client_certificate for cluster in site.clusters if cluster.client_certificate)
    return tuple(dict.fromkeys(name for name in (own, site.fallback, *shown) if name))


def failed_site(host: str, view: View) -> Compiled:
    """Return what to say when compiling a host broke on a fault of ours: the statuses, and what had been read."""
    text = "this object could not be compiled; that is a fault of the gateway, and its log says more"
    status = ProxyStatus(errors=(Finding("SpecError", "InternalError", text),))
    claimants, ingresses = _claimants(host, view)
    return Compiled(None, {item.key: status for item in (*claimants, *ingresses)}, frozenset(view.reads))


def _claimants(host: str, view: View) -> tuple[list[HTTPProxy], list[Ingress]]:
    settings = view.settings
    proxies: list[HTTPProxy] = []
    ingresses: list[Ingress] = []
    for key in view.find(HOSTS, host):
        item = view.get(key)
        if not isinstance(item, HTTPProxy | Ingress):
            continue
        if not is_ours(item.metadata.annotations, item.spec.ingress_class_name or "", settings):
            continue
        if isinstance(item, HTTPProxy):
            proxies.append(item)
        else:
            ingresses.append(item)
    return proxies, ingresses


def _guards(proxy: HTTPProxy) -> bool:
    """Whether a root keeps somebody away from its whole host: then nobody may serve there in its place."""
    root = proxy.spec.virtualhost
    if root is None:
        return False
    clients = root.tls is not None and root.tls.client_validation is not None
    return bool(clients or root.authorization or root.jwt_providers or root.ip_allow_policy or root.ip_deny_policy)


def _status_of_ingress_without_host(ingress: Ingress) -> ProxyStatus:
    report = Report()
    check_hosts(ingress, report)
    return report.status()


def _status_without_host(proxy: HTTPProxy) -> ProxyStatus:
    root = proxy.spec.virtualhost
    if root is None:
        return ORPHANED
    report = Report()
    scope = Scope(report, "spec.virtualhost.fqdn")
    if not root.fqdn.strip():
        words = "Spec.VirtualHost.Fqdn must be specified"
        scope.error("VirtualHostError", "FQDNNotSpecified", "must be specified", words=words)
    else:
        text = (
            f'"{root.fqdn}" is no host name; write one such as "voice.example.com" or "*.example.com", without a port'
        )
        scope.error("VirtualHostError", "FQDNNotValid", text)
    return report.status()


def _is_permitted(proxy: HTTPProxy, view: View, statuses: dict[Key, ProxyStatus]) -> bool:
    """Whether roots may be in the proxy's namespace. One that may not be takes no host from others."""
    namespaces = view.settings.root_namespaces
    if not namespaces or proxy.metadata.namespace in namespaces:
        return True
    text = f'root HTTPProxies are not allowed in the namespace "{proxy.metadata.namespace}"'
    words = "root HTTPProxy cannot be defined in this namespace"
    finding = Finding("RootNamespaceError", "RootProxyNotAllowedInNamespace", f"metadata.namespace: {text}", words)
    statuses[proxy.key] = ProxyStatus(errors=(finding,))
    return False


def _duplicate(host: str, winner: HTTPProxy) -> ProxyStatus:
    name = f"{winner.metadata.namespace}/{winner.metadata.name}"
    text = f'spec.virtualhost.fqdn: "{host}" is already in use by the older HTTPProxy {name}'
    return ProxyStatus(errors=(Finding("VirtualHostError", "DuplicateVhost", text),))
