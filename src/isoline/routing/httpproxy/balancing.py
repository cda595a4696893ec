"""loadBalancerPolicy: which endpoint of a service gets a request."""

from typing import NamedTuple

from isoline.objects.httpproxy import LoadBalancerPolicy, RequestHashPolicy
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.scope import Scope

AFFINITY_COOKIE = "X-Contour-Session-Affinity"

_STRATEGIES = {
    "": ir.Balance.ROUND_ROBIN,
    "RoundRobin": ir.Balance.ROUND_ROBIN,
    "Random": ir.Balance.RANDOM,
    "WeightedLeastRequest": ir.Balance.LEAST_REQUEST,
    "Cookie": ir.Balance.RING_HASH,
    "RequestHash": ir.Balance.RING_HASH,
}


class Balancing(NamedTuple):
    balance: ir.Balance = ir.Balance.ROUND_ROBIN
    hash_by: tuple[ir.HashBy, ...] = ()


DEFAULT = Balancing()


def compile_balancing(policy: LoadBalancerPolicy | None, scope: Scope) -> Balancing:
    """Return how requests are spread. What cannot be is left out with a warning; round robin is what remains."""
    if policy is None:
        return DEFAULT
    scope = scope.at("loadBalancerPolicy")
    balance = _STRATEGIES.get(policy.strategy)
    if balance is None:
        wanted = ", ".join(name for name in _STRATEGIES if name)
        scope.at("strategy").warn("SpecError", f"{policy.strategy!r} is none of {wanted}; RoundRobin is used")
        return DEFAULT
    if policy.strategy == "Cookie":
        return Balancing(balance, (ir.HashBy(source="cookie", name=AFFINITY_COOKIE, cookie_ttl=0.0, cookie_path="/"),))
    if policy.strategy == "RequestHash":
        return _request_hash(policy.request_hash_policies, scope)
    return Balancing(balance)


def _request_hash(policies: tuple[RequestHashPolicy, ...], scope: Scope) -> Balancing:
    found: dict[tuple[str, str], ir.HashBy] = {}
    for position, policy in enumerate(policies):
        place = scope.at(f"requestHashPolicies[{position}]")
        entry = _hash_by(policy, place)
        if entry is None:
            continue
        identity = (entry.source, entry.name.lower() if entry.source == "header" else entry.name)
        if identity in found:
            place.warn("SpecError", "says again what an entry before it says")
        else:
            found[identity] = entry
    if not found:
        scope.warn("SpecError", "RequestHash has no usable entry; RoundRobin is used")
        return DEFAULT
    return Balancing(ir.Balance.RING_HASH, tuple(found.values()))


def _hash_by(policy: RequestHashPolicy, scope: Scope) -> ir.HashBy | None:
    header, query = policy.header_hash_options, policy.query_parameter_hash_options
    if (header is not None) + (query is not None) + policy.hash_source_ip != 1:
        scope.warn(
            "SpecError",
            "left out: exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is needed",
        )
        return None
    if policy.hash_source_ip:
        return ir.HashBy(source="address", terminal=policy.terminal)
    if header is not None:
        if header_names.is_name(header.header_name):
            return ir.HashBy(source="header", name=header.header_name, terminal=policy.terminal)
        scope.at("headerHashOptions.headerName").warn("SpecError", f"{header.header_name!r} is no header name")
    elif query is not None:
        if query.parameter_name:
            return ir.HashBy(source="query", name=query.parameter_name, terminal=policy.terminal)
        scope.at("queryParameterHashOptions.parameterName").warn("SpecError", "must not be empty")
    return None
