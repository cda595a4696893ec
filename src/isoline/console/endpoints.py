"""Endpoints as the cluster knows them, beside what Envoy says of each."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from isoline.cluster.store import Store
from isoline.console.wire import Section
from isoline.envoy.admin_messages import ClusterStatus, EndpointStatus
from isoline.objects import EndpointSlice
from isoline.objects.discovery import Endpoint
from isoline.routing.indexes import SLICES

COLUMNS = ["Service", "Address", "Ready", "Envoy", "Active requests"]


class Service(NamedTuple):
    """A Service and the one port that is meant of it, by name or number; all of them when empty."""

    namespace: str
    name: str
    port: str = ""


def service_of(endpoints: str) -> Service:
    """The Service and port that a name of endpoints means, such as `default/voice/http`."""
    namespace, name, port = endpoints.split("/")
    return Service(namespace, name, port.partition("~")[0])


def endpoints_section(
    store: Store, services: Iterable[Service], clusters: Iterable[ClusterStatus] | None, *, complaint: str = ""
) -> Section:
    """`clusters` is None when Envoy could not be asked; `complaint` says why."""
    rows: list[list[str]] = []
    wanted = list(dict.fromkeys(services))
    for service in wanted:
        health = None if clusters is None else _health_by_address(service, clusters)
        rows += list(_rows(store, service, health))
    note = "" if clusters is not None else complaint
    if wanted and not rows:
        note = note or "none: requests are answered with 503"
    return Section(title="Endpoints", columns=COLUMNS, rows=rows, note=note)


def _health_by_address(service: Service, clusters: Iterable[ClusterStatus]) -> dict[str, list[EndpointStatus]]:
    # <namespace>/<service>/<port>/<hash>; two sites with unlike policies have a cluster each.
    prefix = f"{service.namespace}/{service.name}/"
    found: dict[str, list[EndpointStatus]] = {}
    for cluster in clusters:
        if cluster.name.startswith(prefix):
            for endpoint in cluster.endpoints:
                found.setdefault(endpoint.address, []).append(endpoint)
    return found


def _rows(store: Store, service: Service, health: dict[str, list[EndpointStatus]] | None) -> Iterator[list[str]]:
    for key in store.find(SLICES, f"{service.namespace}/{service.name}"):
        item = store.get(key)
        if not isinstance(item, EndpointSlice):
            continue
        for port in item.ports:
            label = port.name or service.port or "-"
            if service.port and port.name and port.name != service.port:
                continue
            for endpoint in item.endpoints:
                address = _joined(endpoint.addresses[0], port.port) if endpoint.addresses else "-"
                known = None if health is None else health.get(address, [])
                yield [f"{service.name}/{label}", address, _readiness(endpoint), *_as_envoy_sees(known)]


def _joined(address: str, port: int | None) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _readiness(endpoint: Endpoint) -> str:
    if endpoint.conditions.terminating:
        return "terminating"
    return "ready" if endpoint.ready else "not ready"


def _as_envoy_sees(known: list[EndpointStatus] | None) -> tuple[str, str]:
    if known is None:
        return "?", "?"
    if not known:
        return "not in use", "-"
    flags = sorted({flag for each in known if not each.healthy for flag in each.flags})
    told = "healthy" if all(each.healthy for each in known) else ", ".join(flags) or "unhealthy"
    return told, str(sum(each.active_requests for each in known))
