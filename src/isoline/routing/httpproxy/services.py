"""services of a route: each a share of its traffic and a cluster.

A Service that is missing is reported and its share of the requests gets 503; the others keep theirs. When none is left
the route answers 503.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from isoline.objects import Key
from isoline.objects.core import Service, ServicePort
from isoline.objects.httpproxy import HeadersPolicy
from isoline.objects.httpproxy import Service as Reference
from isoline.routing import clusters, external_names, ir, service_annotations
from isoline.routing.endpoints import endpoints_name
from isoline.routing.httpproxy import cookies, headers, mirror, slow_start, upstream_tls
from isoline.routing.httpproxy.balancing import Balancing
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.statuses import ErrorType
from isoline.routing.traffic.attach import cluster_with_policies
from isoline.routing.traffic.effective import Targets
from isoline.routing.view import View

_MAXIMUM_WEIGHT = 2**32 - 1
_PROTOCOLS = {"h2": ir.Upstream.H2, "h2c": ir.Upstream.H2C, "tls": ir.Upstream.TLS}
_OF_BYTES = {
    ir.Upstream.HTTP1: ir.Upstream.TCP,
    ir.Upstream.H2C: ir.Upstream.TCP,
    ir.Upstream.TLS: ir.Upstream.TCP_TLS,
}


class Upstreams(NamedTuple):
    """What all services of one route have in common. `host` is the Host that the route sets, if it is a fixed one."""

    namespace: str
    balancing: Balancing
    health_check: ir.HealthCheck | None
    idle_timeout: float | None
    host: str | None
    cookies: tuple[ir.CookieRewrite, ...] = ()
    """What the route rewrites."""
    tcp: bool = False
    """They get bytes, not requests."""
    policies: Targets = Targets()
    default_headers: bool = True
    """Whether what the GatewayConfig says of headers is for them."""


class Resolved(NamedTuple):
    shares: tuple[ir.Share, ...]
    clusters: tuple[ir.Cluster, ...]
    mirror: ir.Mirror | None = None


def resolve(references: Sequence[Reference], common: Upstreams, view: View, scope: Scope) -> Resolved:
    """Return the shares and the mirror of the services, and the clusters of those that exist; no share if none does.

    Raises Fault for what makes the whole route unusable: an impossible port, protocol, weight or policy.
    """
    shares: list[ir.Share] = []
    found: list[ir.Cluster] = []
    copies: ir.Mirror | None = None
    mirrors = 0
    for position, reference in enumerate(references):
        place = scope.at(f"services[{position}]")
        if not 0 <= reference.weight <= _MAXIMUM_WEIGHT:
            text = f"must be between 0 and {_MAXIMUM_WEIGHT}, found {reference.weight}"
            raise place.at("weight").fault("ServiceError", "ServiceWeightInvalid", text)
        mirrors += reference.mirror
        if mirrors > 1:
            words = "only one service per route may be nominated as mirror"
            text = "a route can have one mirror only"
            raise place.at("mirror").fault("ServiceError", "OnlyOneMirror", text, words=words)
        resolved = _resolve_one(reference, common, view, place)
        if resolved is None:
            if not reference.mirror:
                shares.append(ir.Share(cluster=ir.NO_CLUSTER, weight=reference.weight))
            continue
        share, cluster = resolved
        found.append(cluster)
        if reference.mirror:
            copies = mirror.compile_mirror(reference, cluster.name, place)
        else:
            shares.append(share)
    if all(share.cluster == ir.NO_CLUSTER for share in shares):
        return Resolved((), tuple(found), copies)
    return Resolved(_weighted(shares, scope), tuple(found), copies)


def _resolve_one(
    reference: Reference, common: Upstreams, view: View, scope: Scope
) -> tuple[ir.Share, ir.Cluster] | None:
    if not 1 <= reference.port <= 65535:
        text = f"must be between 1 and 65535, found {reference.port}"
        words = f'service "{reference.name}": port must be in the range 1-65535'
        raise scope.at("port").fault("ServiceError", "ServicePortInvalid", text, words=words)
    service = view.get(Key("Service", common.namespace, reference.name))
    problem = _reference_problem(service, reference, common, view)
    if not isinstance(service, Service) or problem:
        kind: ErrorType = "TCPProxyError" if common.tcp else "ServiceError"
        field = "Spec.TCPProxy" if common.tcp else "Spec.Routes"
        words = f"{field} unresolved service reference: {_reference_words(service, reference, common, view)}"
        scope.error(kind, "ServiceUnresolvedReference", problem, words=words)
        return None
    request, response = _headers(reference, common, view, scope)
    cluster = _cluster(service, reference, common, view, scope, host=request.host or common.host)
    cluster = cluster_with_policies(cluster, common.policies.settings(service.key, view), view)
    share = ir.Share(
        cluster=cluster.name,
        weight=reference.weight,
        request_headers=request.edits,
        response_headers=response.edits,
        host_rewrite=request.host,
        cookies=_cookies(reference, common, scope),
    )
    return share, cluster


def _headers(reference: Reference, common: Upstreams, view: View, scope: Scope) -> tuple[headers.Edits, headers.Edits]:
    request, response = reference.request_headers_policy, reference.response_headers_policy
    defaults: tuple[HeadersPolicy | None, HeadersPolicy | None] = (None, None)
    if common.default_headers and not common.tcp:
        defaults = view.settings.request_headers, view.settings.response_headers
    if request is None and response is None and defaults == (None, None):
        return headers.NOTHING, headers.NOTHING
    variables = {
        "CONTOUR_NAMESPACE": common.namespace,
        "CONTOUR_SERVICE_NAME": reference.name,
        "CONTOUR_SERVICE_PORT": str(reference.port),
    }
    to_upstream = headers.compile_headers(request, headers.SERVICE_REQUEST, scope, variables=variables)
    if to_upstream.host is not None and headers.header_that_gives_host(to_upstream.host) is not None:
        place = scope.at("requestHeadersPolicy")
        place.warn("ServiceError", "Host can be taken from a header by a route's policy only; it stays as it is")
        to_upstream = to_upstream._replace(host=None)
    to_client = headers.compile_headers(response, headers.SERVICE_RESPONSE, scope, variables=variables)
    return (
        headers.with_defaults(to_upstream, defaults[0], variables=variables),
        headers.with_defaults(to_client, defaults[1], variables=variables),
    )


def _cookies(reference: Reference, common: Upstreams, scope: Scope) -> tuple[ir.CookieRewrite, ...]:
    own = cookies.compile_cookies(reference.cookie_rewrite_policies, scope)
    return cookies.merged(common.cookies, own) if own else ()


def _reference_problem(service: object, reference: Reference, common: Upstreams, view: View) -> str:
    """Why the reference leads nowhere; empty if it leads somewhere."""
    name = f"{common.namespace}/{reference.name}"
    if not isinstance(service, Service):
        return f'Service "{name}" not found'
    if external_names.is_external(service) and (problem := external_names.problem_of(service, view)) is not None:
        return problem.text
    for port in (reference.port, _health_port_number(reference, common)):
        if port is not None and _service_port(service, port) is None:
            return f'Service "{name}" has no TCP port {port}'
    return ""


def _reference_words(service: object, reference: Reference, common: Upstreams, view: View) -> str:
    """The same in Contour's words."""
    name = f"{common.namespace}/{reference.name}"
    if not isinstance(service, Service):
        return f'service "{name}" not found'
    if external_names.is_external(service) and (problem := external_names.problem_of(service, view)) is not None:
        return problem.words or problem.text
    health_port = _health_port_number(reference, common)
    port = reference.port if health_port is None or _service_port(service, reference.port) is None else health_port
    return f'port "{port}" on service "{name}" not matched'


def _health_port_number(reference: Reference, common: Upstreams) -> int | None:
    return reference.health_port if common.health_check is not None and reference.health_port > 0 else None


def _service_port(service: Service, number: int) -> ServicePort | None:
    for port in service.spec.ports:
        if port.port == number and port.protocol == "TCP":
            return port
    return None


def _cluster(
    service: Service, reference: Reference, common: Upstreams, view: View, scope: Scope, *, host: str | None
) -> ir.Cluster:
    port = _service_port(service, reference.port)
    assert port is not None
    health_number = _health_port_number(reference, common)
    health_port = None if health_number is None else _service_port(service, health_number)
    dns = external_names.dns_of(service, port, health_port, view) if external_names.is_external(service) else None
    host = host or (None if dns is None else dns.hostname)
    annotations = service.metadata.annotations
    if annotations:
        for name in service_annotations.bad_limits(annotations):
            scope.warn("ServiceError", f'annotation {name} of the Service holds no number: "{annotations[name]}"')
    protocol = _protocol(service, reference, port, scope)
    if common.tcp:
        protocol = _OF_BYTES.get(protocol, protocol)
    return clusters.named(
        ir.Cluster(
            name="",
            endpoints="" if dns is not None else endpoints_name(common.namespace, reference.name, port, health_port),
            dns=dns,
            protocol=protocol,
            balance=common.balancing.balance,
            slow_start=slow_start.compile_slow_start(reference.slow_start_policy, common.balancing.balance, scope),
            health_check=common.health_check,
            limits=service_annotations.limits(annotations),
            idle_timeout=common.idle_timeout,
            sni=host if host and protocol in upstream_tls.ENDS_TLS else "",
            trust=_trust(reference, protocol, common, view, scope),
        ),
        f"{common.namespace}/{reference.name}/{reference.port}",
    )


def _trust(reference: Reference, protocol: ir.Upstream, common: Upstreams, view: View, scope: Scope) -> ir.Trust | None:
    if reference.validation is None:
        return None
    service = f"Service [{reference.name}:{reference.port}]"
    words = upstream_tls.Words(f"{service} TLS upstream validation policy error")
    return upstream_tls.compile_validation(reference.validation, protocol, common.namespace, view, scope, words=words)


def _protocol(service: Service, reference: Reference, port: ServicePort, scope: Scope) -> ir.Upstream:
    if reference.protocol is None:
        return service_annotations.upstream_protocol(service.metadata.annotations, port)
    protocol = _PROTOCOLS.get(reference.protocol)
    if protocol is None:
        text = f"{reference.protocol!r} is none of {', '.join(_PROTOCOLS)}"
        words = f"unsupported protocol: {reference.protocol}"
        raise scope.at("protocol").fault("ServiceError", "UnsupportedProtocol", text, words=words)
    return protocol


def _weighted(shares: list[ir.Share], scope: Scope) -> tuple[ir.Share, ...]:
    total = sum(share.weight for share in shares)
    if total > _MAXIMUM_WEIGHT:
        text = f"the weights add up to {total}; at most {_MAXIMUM_WEIGHT} is possible"
        raise scope.at("services").fault("ServiceError", "ServiceWeightInvalid", text)
    if total:
        return tuple(shares)
    return tuple(msgspec.structs.replace(share, weight=1) for share in shares)
