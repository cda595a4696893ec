"""Further hosts of an HTTPProxy, given by a policy.

A host that an HTTPProxy names itself is its own, however old a policy is that gives it to another. Of several policies
the oldest counts.
"""

from collections.abc import Collection, Iterator

import msgspec

from isoline.objects import HTTPProxy, Key, TrafficPolicy
from isoline.routing import ir
from isoline.routing.age import oldest_first
from isoline.routing.classes import is_ours
from isoline.routing.httpproxy.fallback_certificate import gateway_fallback, is_lent
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.indexes import HOSTS, normal_host
from isoline.routing.view import View


def proxies_lent(host: str, claimants: Collection[HTTPProxy], view: View) -> list[HTTPProxy]:
    """Return the root HTTPProxies to which policies give a host, the one that gets it first, without `claimants`."""
    if not view.has_policies:
        return []
    found: dict[Key, HTTPProxy] = {}
    for policy in _lenders(host, view):
        found.update((proxy.key, proxy) for proxy in _roots(policy, view) if proxy not in claimants)
    return list(found.values())


def check_hosts(policy: TrafficPolicy, scope: Scope, view: View) -> None:
    """Report what is wrong with the hosts of a policy: who else has them, and that nobody can take them."""
    if not policy.spec.hosts and not policy.spec.catch_all:
        return
    roots = list(_roots(policy, view))
    if not roots:
        scope.at("hosts" if policy.spec.hosts else "catchAll").error(
            "Accepted", "Invalid", "only a whole root HTTPProxy can be given a host; name one"
        )
        return
    for position, written in enumerate(policy.spec.hosts):
        place = scope.at(f"hosts[{position}]")
        host = normal_host(written)
        if host is None:
            place.error("Accepted", "Invalid", f'"{written}" is no host name; write one such as "voice.example.com"')
            continue
        _check_holder(host, roots, place, view)
    if policy.spec.catch_all:
        _check_holder(ir.CATCH_ALL, roots, scope.at("catchAll"), view)


def as_catch_all(site: ir.Site, proxy: HTTPProxy, view: View) -> ir.Site:
    """Return what a root serves at every host that nobody else has.

    On HTTPS that is for clients on the fallback certificate, where it is lent to the root's namespace. A root that
    demands certificates of its clients is not served there.
    """
    fallback = gateway_fallback(view)
    lent = bool(fallback) and is_lent(fallback, proxy.metadata.namespace, view)
    if site.tls is None:
        return site
    if not lent or site.tls.clients is not None:
        return msgspec.structs.replace(site, https=(), tls=None, own_chain=False, tunnel=None, fallback="")
    return msgspec.structs.replace(site, tls=None, own_chain=False, tunnel=None, fallback=fallback)


def _check_holder(host: str, roots: Collection[HTTPProxy], place: Scope, view: View) -> None:
    holder = next(_holders(host, view), None)
    if holder is not None and holder not in roots:
        place.error("Conflicted", "Conflicted", f'"{host}" is in use by {holder.key}')


def _holders(host: str, view: View) -> Iterator[HTTPProxy]:
    """Everybody who has or is given a host, the one who gets it first."""
    own = [item for key in view.find(HOSTS, host) if isinstance(item := view.get(key), HTTPProxy)]
    own = [proxy for proxy in own if _is_ours(proxy, view)]
    yield from own
    yield from proxies_lent(host, own, view)


def _lenders(host: str, view: View) -> list[TrafficPolicy]:
    found = (view.get(key) for key in view.find(HOSTS, host))
    return oldest_first(each for each in found if isinstance(each, TrafficPolicy))


def _roots(policy: TrafficPolicy, view: View) -> Iterator[HTTPProxy]:
    for reference in policy.spec.target_refs:
        if reference.kind != "HTTPProxy" or reference.section_name:
            continue
        proxy = view.get(Key("HTTPProxy", policy.metadata.namespace, reference.name))
        if isinstance(proxy, HTTPProxy) and proxy.spec.virtualhost is not None and _is_ours(proxy, view):
            yield proxy


def _is_ours(proxy: HTTPProxy, view: View) -> bool:
    return is_ours(proxy.metadata.annotations, proxy.spec.ingress_class_name, view.settings)
