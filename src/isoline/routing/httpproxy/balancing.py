"""loadBalancerPolicy: which endpoint of a service gets a request."""

from typing import NamedTuple

from isoline.objects.httpproxy import LoadBalancerPolicy, RequestHashPolicy
from isoline.routing import ir, wording
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


_IGNORING = "ignoring invalid"


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
            place.warn("SpecError", "says again what an entry before it says", words=_said_again(entry))
        else:
            found[identity] = entry
    if not found:
        words = f"{_IGNORING} request hash policy options, setting load balancer strategy to default RoundRobin"
        scope.warn("SpecError", "RequestHash has no usable entry; RoundRobin is used", words=words)
        return DEFAULT
    return Balancing(ir.Balance.RING_HASH, tuple(found.values()))


def _hash_by(policy: RequestHashPolicy, scope: Scope) -> ir.HashBy | None:
    header, query = policy.header_hash_options, policy.query_parameter_hash_options
    if (header is not None) + (query is not None) + policy.hash_source_ip != 1:
        scope.warn(
            "SpecError",
            "left out: exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is needed",
            words=f"{_IGNORING} request hash policy, must set exactly one of hashSourceIP or headerHashOptions or "
            "queryParameterHashOptions",
        )
        return None
    if policy.hash_source_ip:
        return ir.HashBy(source="address", terminal=policy.terminal)
    if header is not None:
        if header_names.is_name(header.header_name):
            return ir.HashBy(source="header", name=header.header_name, terminal=policy.terminal)
        role = f"{_IGNORING} header hash policy options with invalid header name"
        words = wording.bad_header(role, header.header_name)
        text = f"{header.header_name!r} is no header name"
        scope.at("headerHashOptions.headerName").warn("SpecError", text, words=words)
    elif query is not None:
        if query.parameter_name:
            return ir.HashBy(source="query", name=query.parameter_name, terminal=policy.terminal)
        words = f"{_IGNORING} query parameter hash policy options with an invalid empty query parameter name"
        scope.at("queryParameterHashOptions.parameterName").warn("SpecError", "must not be empty", words=words)
    return None


def _said_again(entry: ir.HashBy) -> str:
    if entry.source == "address":
        return f"{_IGNORING} request hash policy, hashSourceIP specified multiple times"
    if entry.source == "header":
        name = wording.canonical_header(entry.name)
        return f"{_IGNORING} header hash policy options with duplicated header name {name}"
    return f"{_IGNORING} query parameter hash policy options with duplicated query parameter name {entry.name}"
