"""One host at a time: `compile_site` is pure, and tells what it read."""

from typing import NamedTuple

from isoline.objects import HTTPProxy, Key
from isoline.routing import ir
from isoline.routing.classes import is_ours
from isoline.routing.httpproxy.scope import Report, Scope
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.httpproxy.virtualhost import compile_root, oldest_first
from isoline.routing.indexes import HOSTS
from isoline.routing.statuses import ORPHANED, Finding, ProxyStatus
from isoline.routing.view import Read, View


class Compiled(NamedTuple):
    """`site` is None when the host serves nothing. `certificates` and `endpoints` are the names that the site uses."""

    site: ir.Site | None
    statuses: dict[Key, ProxyStatus]
    reads: frozenset[Read]
    certificates: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()


def compile_site(host: str, view: View) -> Compiled:
    """Return what is served for a host (of the index `hosts`) and the statuses of the objects that took part.

    Of several HTTPProxies for one host the oldest keeps it, and the others are told. Objects of another class are
    passed over without a word. A pseudo-host gives statuses only.
    """
    claimants = _claimants(host, view)
    if host.startswith("!"):
        return Compiled(None, {proxy.key: _status_without_host(proxy) for proxy in claimants}, frozenset(view.reads))
    statuses: dict[Key, ProxyStatus] = {}
    site = None
    permitted = [proxy for proxy in claimants if _is_permitted(proxy, view, statuses)]
    if permitted:
        winner, *others = oldest_first(permitted)
        draft = SiteDraft(view, winner)
        site = compile_root(host, winner, draft)
        statuses.update((key, report.status()) for key, report in draft.reports.items())
        statuses.update((proxy.key, _duplicate(host, winner)) for proxy in others)
    return Compiled(
        site,
        statuses,
        frozenset(view.reads),
        certificates=() if site is None or site.tls is None else (site.tls.certificate,),
        endpoints=() if site is None else tuple(dict.fromkeys(cluster.endpoints for cluster in site.clusters)),
    )


def failed_site(host: str, view: View) -> Compiled:
    """Return what to say when compiling a host broke on a fault of ours: the statuses, and what had been read."""
    text = "this object could not be compiled; that is a fault of the gateway, and its log says more"
    status = ProxyStatus(errors=(Finding("SpecError", "InternalError", text),))
    claimants = _claimants(host, view)
    return Compiled(None, {proxy.key: status for proxy in claimants}, frozenset(view.reads))


def _claimants(host: str, view: View) -> list[HTTPProxy]:
    settings = view.settings
    found = [item for key in view.find(HOSTS, host) if isinstance(item := view.get(key), HTTPProxy)]
    return [item for item in found if is_ours(item.metadata.annotations, item.spec.ingress_class_name, settings)]


def _status_without_host(proxy: HTTPProxy) -> ProxyStatus:
    root = proxy.spec.virtualhost
    if root is None:
        return ORPHANED
    report = Report()
    scope = Scope(report, "spec.virtualhost.fqdn")
    if not root.fqdn.strip():
        scope.error("VirtualHostError", "FQDNNotSpecified", "must be specified")
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
    finding = Finding("RootNamespaceError", "RootProxyNotAllowedInNamespace", f"metadata.namespace: {text}")
    statuses[proxy.key] = ProxyStatus(errors=(finding,))
    return False


def _duplicate(host: str, winner: HTTPProxy) -> ProxyStatus:
    name = f"{winner.metadata.namespace}/{winner.metadata.name}"
    text = f'spec.virtualhost.fqdn: "{host}" is already in use by the older HTTPProxy {name}'
    return ProxyStatus(errors=(Finding("VirtualHostError", "DuplicateVhost", text),))
