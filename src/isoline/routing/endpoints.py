"""EndpointSlices → `ir.Endpoints`: where the replicas behind a Service's port are."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from isoline.objects import EndpointSlice
from isoline.objects.core import ServicePort
from isoline.routing import ir
from isoline.routing.indexes import SLICES
from isoline.routing.view import Read, View

_ALL_SHARES = 1_000_000
"""What the weights of several sources add up to: enough for a thousand endpoints to be even, and far from 32 bits."""


def port_label(port: ServicePort) -> str:
    """Return how slices call a Service's port: its name, or its number where it has none."""
    return port.name or str(port.port)


def endpoints_name(namespace: str, service: str, port: ServicePort, health_port: ServicePort | None = None) -> str:
    """Return the name of the endpoints behind a port, whose health is checked at another port or at the same."""
    name = f"{namespace}/{service}/{port_label(port)}"
    if health_port is None or health_port == port:
        return name
    return f"{name}~{port_label(health_port)}"


def weighted_name(names: Sequence[tuple[str, int]]) -> str:
    """Return the name of several endpoints together, each source with its share; weights of 0 throughout are even."""
    if len(names) == 1:
        return names[0][0]
    even = not any(weight for _, weight in names)
    return ",".join(f"{name}={1 if even else weight}" for name, weight in names if even or weight)


def failover_name(names: Sequence[str]) -> str:
    """Return the name of several endpoints together, each of which takes over from those before it."""
    return ";".join(names)


def compile_endpoints(name: str, view: View) -> tuple[ir.Endpoints, frozenset[Read]]:
    """Return the endpoints of that name, sorted, each address and port once; and what was read.

    Of several sources each gets its share, however many endpoints it has; one without gets none. Of several groups
    each has its priority.

    Ready or unset counts, terminating does not (Contour's rule). An endpoint's first address stands for it (Kubernetes'
    rule). Addresses that are no IP address are left out: Envoy would refuse all the others with them.
    """
    found: dict[tuple[str, int], ir.Endpoint] = {}
    for priority, group in enumerate(name.split(";")):
        for where, each in _of_group(group, view).items():
            # Who stands in for itself has its first place.
            if where not in found:
                found[where] = msgspec.structs.replace(each, priority=priority) if priority else each
    return ir.Endpoints(name=name, endpoints=tuple(found[where] for where in sorted(found))), frozenset(view.reads)


def _of_group(name: str, view: View) -> dict[tuple[str, int], ir.Endpoint]:
    found: dict[tuple[str, int], ir.Endpoint] = {}
    sources = [source.partition("=") for source in name.split(",")]
    total = sum(int(share or 1) for _, _, share in sources)
    for source, _, share in sources:
        endpoints = _of_source(source, view)
        weight = max(1, round(_ALL_SHARES * int(share) / total / len(endpoints))) if share and endpoints else 1
        for where, each in endpoints.items():
            found[where] = each if weight == 1 else msgspec.structs.replace(each, weight=weight)
    return found


def _of_source(name: str, view: View) -> dict[tuple[str, int], ir.Endpoint]:
    namespace, service, ports = name.split("/")
    port, _, health_port = ports.partition("~")
    found: dict[tuple[str, int], ir.Endpoint] = {}
    for key in view.find(SLICES, f"{namespace}/{service}"):
        item = view.get(key)
        if isinstance(item, EndpointSlice):
            _collect(item, port, health_port, found)
    return found


def _collect(item: EndpointSlice, port: str, health_port: str, found: dict[tuple[str, int], ir.Endpoint]) -> None:
    number = _number(item, port)
    if number is None or item.address_type == "FQDN":
        return
    health_number = _number(item, health_port) if health_port else None
    for endpoint in item.endpoints:
        if not endpoint.ready or endpoint.conditions.terminating or not endpoint.addresses:
            continue
        address = endpoint.addresses[0]
        if _is_address(address):
            found[address, number] = ir.Endpoint(address=address, port=number, health_port=health_number)


def _number(item: EndpointSlice, label: str) -> int | None:
    """The port's number in this slice. Names hold a letter, so a label of digits is the one port without a name."""
    name = "" if label.isdigit() else label
    for port in item.ports:
        if port.name == name and port.protocol == "TCP":
            return port.port
    return None


@lru_cache(maxsize=65536)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
