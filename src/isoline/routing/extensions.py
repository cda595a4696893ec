"""ExtensionServices → clusters: servers that Envoy asks about requests."""

from typing import NamedTuple

from isoline.objects import ExtensionService, Key
from isoline.objects.core import Service, ServicePort
from isoline.objects.extension import CircuitBreakers, ExtensionServiceTarget
from isoline.objects.httpproxy import LoadBalancerPolicy
from isoline.routing import clusters, ir
from isoline.routing.endpoints import endpoints_name, weighted_name
from isoline.routing.httpproxy.scope import Fault, Report, Scope
from isoline.routing.httpproxy.timeouts import FAILED, Timeouts, compile_timeouts
from isoline.routing.httpproxy.upstream_tls import Words, compile_validation
from isoline.routing.statuses import ProxyStatus
from isoline.routing.view import View

DEFAULT_TIMEOUT = 0.2
"""Seconds that Envoy waits for an answer when nobody says."""

_PROTOCOLS = {"h2": ir.Upstream.H2, "h2c": ir.Upstream.H2C, "http/1.1": ir.Upstream.HTTP1}
_BALANCES = {
    "": ir.Balance.ROUND_ROBIN,
    "RoundRobin": ir.Balance.ROUND_ROBIN,
    "Random": ir.Balance.RANDOM,
    "WeightedLeastRequest": ir.Balance.LEAST_REQUEST,
}
_MAXIMUM = 2**32 - 1
_WORDS = Words("TLS upstream validation policy error")


class Extension(NamedTuple):
    """A server that can be asked."""

    cluster: ir.Cluster
    timeout: float
    """Seconds for an answer, or `ir.NEVER`; whoever asks may say otherwise."""
    authority: str
    """What a server sees as the host of a gRPC call."""


def find_extension(namespace: str, name: str, view: View) -> Extension | None:
    """Return the server of an ExtensionService; None if there is none, or one with errors, which its status tells."""
    item = view.get(Key("ExtensionService", namespace, name))
    return compile_extension(item, view, Report()) if isinstance(item, ExtensionService) else None


def extension_status(item: ExtensionService, view: View) -> ProxyStatus:
    """Return what is to be said of an ExtensionService, whether anybody uses it or not."""
    report = Report()
    compile_extension(item, view, report)
    return report.status()


def compile_extension(item: ExtensionService, view: View, report: Report) -> Extension | None:
    """Return the server of an ExtensionService, None when anything about it is wrong: an error in the report."""
    scope, spec, namespace = Scope(report, "spec"), item.spec, item.metadata.namespace
    timeouts = _timeouts(item, scope)
    protocol = _protocol(spec.protocol, scope)
    trust = _trust(item, protocol, view, scope)
    endpoints = _endpoints(item, view, scope)
    if report.errors or not endpoints:
        return None
    prefix = f"extension/{namespace}/{item.metadata.name}"
    sni = "" if trust is None else trust.names[0]
    cluster = ir.Cluster(
        name="",
        endpoints=endpoints,
        protocol=protocol,
        balance=_balance(spec.load_balancer_policy, scope),
        limits=_limits(spec.circuit_breaker_policy, scope),
        idle_timeout=timeouts.idle_connection,
        sni=sni,
        trust=trust,
    )
    timeout = DEFAULT_TIMEOUT if timeouts.response is None else timeouts.response
    return Extension(clusters.named(cluster, prefix), timeout, sni or prefix.replace("/", "."))


def _timeouts(item: ExtensionService, scope: Scope) -> Timeouts:
    policy = item.spec.timeout_policy
    if policy is not None and policy.idle:
        words = 'ignoring field ".Spec.TimeoutPolicy.Idle"; idle timeouts are not supported for ExtensionClusters'
        text = "idle timeouts are not supported for ExtensionServices"
        scope.at("timeoutPolicy.idle").warn("SpecError", text, words=words)
    try:
        return compile_timeouts(policy, scope)
    except Fault as fault:
        words = fault.finding.words.replace(FAILED.format("route"), FAILED.format("spec"))
        scope.report.errors[fault.finding._replace(type="SpecError", words=words)] = None
        return Timeouts()


def _protocol(written: str | None, scope: Scope) -> ir.Upstream:
    protocol = _PROTOCOLS.get(written or "h2")
    if protocol is None:
        text = f"{written!r} is none of {', '.join(_PROTOCOLS)}"
        scope.at("protocol").error("SpecError", "UnsupportedProtocol", text)
        return ir.Upstream.H2
    return protocol


def _trust(item: ExtensionService, protocol: ir.Upstream, view: View, scope: Scope) -> ir.Trust | None:
    if item.spec.validation is None:
        return None
    if protocol is not ir.Upstream.H2:
        text = f'upstream TLS validation not supported for "{item.spec.protocol}" protocol'
        scope.at("validation").error("SpecError", "InconsistentProtocol", text, words=text)
        return None
    try:
        return compile_validation(item.spec.validation, protocol, item.metadata.namespace, view, scope, words=_WORDS)
    except Fault as fault:
        finding = fault.finding
        # Unlike on a route, a CA that cannot be used is a fault of the spec here.
        scope.report.errors[finding._replace(type="SpecError") if finding.type == "ServiceError" else finding] = None
        return None


def _endpoints(item: ExtensionService, view: View, scope: Scope) -> str:
    """The name of the endpoints of all services together, each with its share; empty when there is none."""
    names: list[tuple[str, int]] = []
    for position, target in enumerate(item.spec.services):
        place = scope.at(f"services[{position}]")
        port = _port(target, item.metadata.namespace, view, place)
        if port is None:
            continue
        if not 0 <= target.weight <= _MAXIMUM:
            text = f"must be between 0 and {_MAXIMUM}, found {target.weight}"
            place.at("weight").error("ServiceError", "ServiceWeightInvalid", text)
            continue
        names.append((endpoints_name(item.metadata.namespace, target.name, port), target.weight))
    if not item.spec.services:
        scope.at("services").error("SpecError", "NothingDefined", "at least one service is needed")
    return weighted_name(names)


def _port(target: ExtensionServiceTarget, namespace: str, view: View, scope: Scope) -> ServicePort | None:
    name = f"{namespace}/{target.name}"
    service = view.get(Key("Service", namespace, target.name))
    if not isinstance(service, Service):
        text = f'unresolved service "{name}": service "{name}" not found'
        scope.error("ServiceError", "ServiceUnresolvedReference", text, words=text)
        return None
    if service.spec.type == "ExternalName" or service.spec.external_name:
        text = f'Service "{name}" is of unsupported type "ExternalName".'
        scope.error("ServiceError", "UnsupportedServiceType", text, words=text)
        return None
    for port in service.spec.ports:
        if port.port == target.port and port.protocol == "TCP":
            return port
    text = f'unresolved service "{name}": port "{target.port}" on service "{name}" not matched'
    scope.error("ServiceError", "ServiceUnresolvedReference", text, words=text)
    return None


def _balance(policy: LoadBalancerPolicy | None, scope: Scope) -> ir.Balance:
    strategy = "" if policy is None else policy.strategy
    balance = _BALANCES.get(strategy)
    if balance is None:
        text = f"{strategy} load balancer policy is not supported for ExtensionServices; RoundRobin is used"
        policies = f"{strategy} load balancer policy is not supported for ExtensionClusters"
        words = f'ignoring field ".Spec.LoadBalancerPolicy"; {policies}'
        scope.at("loadBalancerPolicy").warn("SpecError", text, words=words)
        return ir.Balance.ROUND_ROBIN
    return balance


def _limits(policy: CircuitBreakers | None, scope: Scope) -> ir.Limits:
    if policy is None:
        return ir.Limits()

    def limit(field: str, value: int) -> int | None:
        if value < 0:
            scope.at(f"circuitBreakerPolicy.{field}").warn("SpecError", f"{value} is below 0 and sets nothing")
        return value if value > 0 else None

    return ir.Limits(
        connections=limit("maxConnections", policy.max_connections),
        pending_requests=limit("maxPendingRequests", policy.max_pending_requests),
        requests=limit("maxRequests", policy.max_requests),
        retries=limit("maxRetries", policy.max_retries),
        connections_per_endpoint=limit("perHostMaxConnections", policy.per_host_max_connections),
    )
