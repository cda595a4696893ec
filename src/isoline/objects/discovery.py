"""EndpointSlices: where the replicas of a Service are, and whether each is ready."""

from typing import Literal

from msgspec import field

from isoline.objects.meta import Object, ObjectReference
from isoline.objects.model import Model, constant


class EndpointConditions(Model, frozen=True, kw_only=True):
    """None means unknown; an unknown `ready` counts as ready (Kubernetes' rule)."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(Model, frozen=True, kw_only=True):
    name: str


class ForNode(Model, frozen=True, kw_only=True):
    name: str


class EndpointHints(Model, frozen=True, kw_only=True):
    for_zones: tuple[ForZone, ...] = ()
    for_nodes: tuple[ForNode, ...] = ()


class Endpoint(Model, frozen=True, kw_only=True):
    """One replica. Its addresses are interchangeable; consumers use the first."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions = EndpointConditions()
    hostname: str | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None
    zone: str | None = None
    hints: EndpointHints | None = None
    deprecated_topology: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether the endpoint takes new traffic: ready is true or unset."""
        return self.conditions.ready is not False


class EndpointPort(Model, frozen=True, kw_only=True):
    """`name` is that of the Service's port; empty for a Service of one unnamed port."""

    name: str = ""
    port: int | None = None
    protocol: str = "TCP"
    app_protocol: str | None = None


class EndpointSlice(Object, frozen=True, kw_only=True):
    """A part of a Service's endpoints; the label `kubernetes.io/service-name` names the Service."""

    api_version: Literal["discovery.k8s.io/v1"] = constant("discovery.k8s.io/v1")
    kind: Literal["EndpointSlice"] = constant("EndpointSlice")
    address_type: str
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()
