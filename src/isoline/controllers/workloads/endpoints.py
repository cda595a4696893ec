"""EndpointSlices: at which address and port each replica of a Service answers, and whether it takes traffic."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from isoline.cluster.source import Source
from isoline.cluster.store import Change
from isoline.controllers.workloads.ports import ADDRESS, real_port
from isoline.controllers.workloads.references import SELECTING, labelled
from isoline.controllers.workloads.replicas import Replica
from isoline.objects.core import Service, ServicePort
from isoline.objects.discovery import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from isoline.objects.meta import Key, ObjectMeta, ObjectReference

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by"
MANAGER = "isoline.dev/endpoints"


def slices(service: Service, replicas: Iterable[Replica]) -> list[EndpointSlice]:
    """Return the EndpointSlices of a Service: one for each distinct set of real ports, named by a hash of it."""
    by_ports: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
    for replica in replicas:
        ports = tuple(_ports(service, replica))
        if ports:
            by_ports.setdefault(ports, []).append(_endpoint(service, replica))
    return [_slice(service, ports, endpoints) for ports, endpoints in sorted(by_ports.items(), key=_order)]


def _order(item: tuple[tuple[EndpointPort, ...], Sequence[Endpoint]]) -> list[tuple[str, int]]:
    return [(port.name, port.port or 0) for port in item[0]]


def _ports(service: Service, replica: Replica) -> Iterable[EndpointPort]:
    for port in service.spec.ports:
        number = _target(port, replica)
        if number is not None and port.protocol == "TCP":
            yield EndpointPort(name=port.name, port=number, app_protocol=port.app_protocol)


def _target(port: ServicePort, replica: Replica) -> int | None:
    """The real port for a Service's targetPort: that of the container that declares it, else of the first."""
    wanted = port.port if port.target_port is None else port.target_port
    declaring = [
        runner
        for runner in replica.containers
        if any(wanted in (each.name, each.container_port, str(each.container_port)) for each in runner.container.ports)
    ]
    runner = (declaring or replica.containers)[0]
    try:
        return real_port(wanted, runner.container, runner.real)
    except LookupError:
        return None


def _endpoint(service: Service, replica: Replica) -> Endpoint:
    return Endpoint(
        addresses=(ADDRESS,),
        conditions=EndpointConditions(
            ready=replica.ready or service.spec.publish_not_ready_addresses,
            serving=replica.serving,
            terminating=replica.terminating,
        ),
        target_ref=ObjectReference(kind="Pod", namespace=replica.record.namespace, name=replica.name),
    )


def _slice(service: Service, ports: tuple[EndpointPort, ...], endpoints: Sequence[Endpoint]) -> EndpointSlice:
    name = service.metadata.name
    identity = ",".join(f"{port.name}:{port.port}" for port in ports)
    suffix = hashlib.blake2b(identity.encode(), digest_size=3).hexdigest()
    return EndpointSlice(
        metadata=ObjectMeta(
            name=f"{name}-{suffix}",
            namespace=service.metadata.namespace,
            labels={SERVICE_LABEL: name, MANAGER_LABEL: MANAGER},
        ),
        address_type="IPv4",
        endpoints=tuple(endpoints),
        ports=ports,
    )


class EndpointSlices:
    """Keeps the EndpointSlices of every Service that has a selector; those of other Services are their maker's."""

    name = "endpoints"

    def __init__(self, source: Source, replicas: Callable[[str], Iterable[Replica]]) -> None:
        self._source = source
        self._replicas = replicas

    def touched_by(self, change: Change) -> Iterable[Key]:
        if change.key.kind == "Service" and not change.status_only:
            yield change.key

    def everything(self) -> Iterable[Key]:
        return [service.key for service in self._source.store.of_kind("Service")]

    def services_of(self, replica: Replica) -> list[Key]:
        """The Services that may select a replica."""
        record = replica.record
        values = labelled(record.namespace, record.template.metadata.labels)
        return [key for value in values for key in self._source.store.find(SELECTING, value)]

    async def reconcile(self, key: Key) -> None:
        service = self._source.store.get(key)
        if not isinstance(service, Service):
            return  # its slices go with it
        wanted: list[EndpointSlice] = []
        if service.spec.selector and service.spec.type != "ExternalName":
            chosen = (
                replica
                for replica in self._replicas(key.namespace)
                if service.spec.selector.items() <= replica.record.template.metadata.labels.items()
            )
            wanted = slices(service, chosen)
        await self._source.reconcile_children(key, wanted, manager=self.name)
