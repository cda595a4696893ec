"""tcpproxy: connections that are handed to services as they are, by this object or by one that it includes."""

import msgspec

from isoline.objects import HTTPProxy, Key
from isoline.objects.httpproxy import LoadBalancerPolicy, Service, TCPProxy
from isoline.routing import ir
from isoline.routing.classes import is_ours
from isoline.routing.httpproxy import balancing, health, services
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.httpproxy.site import SiteDraft

CLOSED = ir.Tunnel(shares=())
_FOR_REQUESTS_ONLY = frozenset({"Cookie", "RequestHash"})


def compile_tunnel(root: HTTPProxy, site: SiteDraft) -> ir.Tunnel:
    """Return where connections go. Whatever is wrong is reported to the object that it is wrong in, and then they are
    closed: they must not end up with somebody else."""
    proxy, chain = root, [root.key]
    while True:
        scope = site.scope_of(proxy).at("tcpproxy")
        try:
            found = _one_step(proxy, chain, site, scope)
        except Fault as fault:
            scope.report.errors[fault.finding] = None
            return CLOSED
        if isinstance(found, ir.Tunnel):
            return found
        proxy = found
        chain.append(proxy.key)


def _one_step(proxy: HTTPProxy, chain: list[Key], site: SiteDraft, scope: Scope) -> ir.Tunnel | HTTPProxy:
    """Where an object hands connections: to services, or to the object that it includes."""
    policy = proxy.spec.tcpproxy
    if policy is None:
        scope.warn("TCPProxyError", "this HTTPProxy is included for it and has none; connections are closed")
        return CLOSED
    include = policy.include or policy.includes
    if policy.services and include is not None:
        text = "cannot specify services and include in the same httpproxy"
        raise scope.fault("TCPProxyError", "NoServicesAndInclude", text, words=text)
    if policy.services:
        return _to_services(policy, proxy.metadata.namespace, site, scope)
    if include is None:
        text = "either services or inclusion must be specified"
        raise scope.fault("TCPProxyError", "NothingDefined", text, words=text)
    key = Key("HTTPProxy", include.namespace or proxy.metadata.namespace, include.name)
    return _child(key, chain, site, scope.at("includes" if policy.include is None else "include"))


def _child(key: Key, chain: list[Key], site: SiteDraft, scope: Scope) -> HTTPProxy:
    child = site.view.get(key)
    if not isinstance(child, HTTPProxy) or not is_ours(
        child.metadata.annotations, child.spec.ingress_class_name, site.view.settings
    ):
        text = f"include {key.namespace}/{key.name} not found"
        raise scope.fault("TCPProxyIncludeError", "IncludeNotFound", text, words=text)
    if child.spec.virtualhost is not None:
        text = f"root httpproxy cannot include another root httpproxy ({key.namespace}/{key.name})"
        raise scope.fault("TCPProxyIncludeError", "RootIncludesRoot", text, words=text)
    if key in chain:
        path = " -> ".join(f"{each.namespace}/{each.name}" for each in (*chain, key))
        text = f"include creates a cycle: {path}"
        raise scope.fault("TCPProxyIncludeError", "IncludeCreatesCycle", text, words=text)
    return child


def _to_services(policy: TCPProxy, namespace: str, site: SiteDraft, scope: Scope) -> ir.Tunnel:
    common = services.Upstreams(
        namespace,
        _balancing(policy.load_balancer_policy, scope),
        health.compile_tcp_health_check(policy.health_check_policy, scope),
        idle_timeout=None,
        host=None,
        tcp=True,
    )
    references = [
        _without_requests(reference, scope.at(f"services[{position}]"))
        for position, reference in enumerate(policy.services)
    ]
    resolved = services.resolve(references, common, site.view, scope)
    site.clusters.update((cluster.name, cluster) for cluster in resolved.clusters)
    return ir.Tunnel(shares=resolved.shares)


def _balancing(policy: LoadBalancerPolicy | None, scope: Scope) -> balancing.Balancing:
    if policy is not None and policy.strategy in _FOR_REQUESTS_ONLY:
        text = f"{policy.strategy} load balancer policy is not supported for TCPProxy; RoundRobin is used"
        field = "Spec.TCPProxy.LoadBalancerPolicy"
        unsupported = f"{policy.strategy} load balancer policy is not supported for TCPProxies"
        scope.at("loadBalancerPolicy").warn("TCPProxyError", text, words=f'ignoring field "{field}"; {unsupported}')
        return balancing.DEFAULT
    return balancing.compile_balancing(policy, scope)


def _without_requests(reference: Service, scope: Scope) -> Service:
    """The service without what only requests have, each told."""
    fields = {
        "mirror": reference.mirror,
        "requestHeadersPolicy": reference.request_headers_policy is not None,
        "responseHeadersPolicy": reference.response_headers_policy is not None,
        "cookieRewritePolicies": bool(reference.cookie_rewrite_policies),
    }
    if not any(fields.values()):
        return reference
    for field, used in fields.items():
        if used:
            scope.at(field).warn("TCPProxyError", "means nothing in a tcpproxy, which knows no requests")
    return msgspec.structs.replace(
        reference,
        mirror=False,
        request_headers_policy=None,
        response_headers_policy=None,
        cookie_rewrite_policies=(),
    )
