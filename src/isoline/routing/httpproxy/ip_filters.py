"""ipAllowPolicy and ipDenyPolicy, of the virtual host and of routes; a route's replaces the virtual host's."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from isoline.objects.httpproxy import IPFilterPolicy, Route, VirtualHost
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Fault, Scope

_MAPPED_IPV4 = 96
_FAILED = " failed to parse: "


def is_guarded(item: Route | VirtualHost) -> bool:
    """Whether the item is to keep some addresses away."""
    return bool(item.ip_allow_policy or item.ip_deny_policy)


def compile_addresses(item: Route | VirtualHost, scope: Scope) -> ir.AddressFilter | None:
    """Return who may come, None if the item does not say. Raises Fault once every bad entry has been reported."""
    if not is_guarded(item):
        return None
    if item.ip_allow_policy and item.ip_deny_policy:
        text = "ipAllowPolicy and ipDenyPolicy exclude each other"
        words = "cannot specify both `ipAllowPolicy` and `ipDenyPolicy`"
        raise scope.fault("IPFilterError", "IncompatibleIPAddressFilters", text, words=words)
    allow = bool(item.ip_allow_policy)
    field = "ipAllowPolicy" if allow else "ipDenyPolicy"
    ranges: list[ir.AddressRange] = []
    faults: list[Fault] = []
    for position, entry in enumerate(item.ip_allow_policy or item.ip_deny_policy):
        try:
            ranges.append(_range(entry, scope.at(f"{field}[{position}]")))
        except Fault as fault:
            scope.report.errors[fault.finding] = None
            faults.append(fault)
    if faults:
        raise faults[-1]
    return ir.AddressFilter(allow=allow, ranges=tuple(dict.fromkeys(ranges)))


def compile_addresses_of_host(root: VirtualHost, scope: Scope) -> ir.AddressFilter | None:
    """Return who may come to the host. Raises Fault, with Contour's second error about the policy as a whole."""
    try:
        return compile_addresses(root, scope)
    except Fault as fault:
        scope.report.errors[fault.finding] = None
        text = "ipAllowPolicy or ipDenyPolicy is invalid, so the host is not served"
        _, failed, problem = fault.finding.words.partition(_FAILED)
        fields = "Spec.VirtualHost.IPAllowFilterPolicy or Spec.VirtualHost.IPDenyFilterPolicy"
        words = f"{fields} is invalid: {problem}" if failed else ""
        raise scope.fault("IPFilterError", "IPFilterPolicyNotValid", text, words=words) from fault


def _range(entry: IPFilterPolicy, scope: Scope) -> ir.AddressRange:
    if entry.source not in {"Peer", "Remote"}:
        text = f"must be Peer or Remote, found {entry.source!r}"
        raise scope.at("source").fault("IPFilterError", "IPFilterPolicyNotValid", text)
    network = _network(entry.cidr)
    if network is None:
        text = f"{entry.cidr}{_FAILED}an address or a range such as 10.0.0.0/8 is needed"
        bits = "" if "/" in entry.cidr else "/128" if ":" in entry.cidr else "/32"
        words = f"{entry.cidr}{_FAILED}invalid CIDR address: {entry.cidr}{bits}"
        raise scope.at("cidr").fault("IPFilterError", "InvalidCIDR", text, words=words)
    return ir.AddressRange(
        address=str(network.network_address), prefix_length=network.prefixlen, forwarded=entry.source == "Remote"
    )


def _network(cidr: str) -> IPv4Network | IPv6Network | None:
    """The range of an address or of `address/bits`, as Go reads it: bits after the prefix do not matter."""
    address, slash, bits = cidr.partition("/")
    if "%" in address or (slash and not (bits.isascii() and bits.isdigit())):
        return None
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= _MAPPED_IPV4:
        # Envoy knows such a client by its IPv4 address only.
        return IPv4Network((mapped, network.prefixlen - _MAPPED_IPV4))
    return network
