"""The kinds of Kubernetes' core group that Isoline reads or makes, except workloads."""

from typing import Any, Literal

from msgspec import field

from isoline.objects.meta import Condition, LabelSelector, Object, TypedLocalObjectReference
from isoline.objects.model import Model, constant
from isoline.objects.secrets import SecretText, SecretValue

IntOrString = int | str


class NamespaceSpec(Model, frozen=True, kw_only=True):
    finalizers: tuple[str, ...] = ()


class NamespaceStatus(Model, frozen=True, kw_only=True):
    phase: str = ""
    conditions: tuple[Condition, ...] = ()


class Namespace(Object, frozen=True, kw_only=True):
    api_version: Literal["v1"] = constant("v1")
    kind: Literal["Namespace"] = constant("Namespace")
    spec: NamespaceSpec = NamespaceSpec()
    status: NamespaceStatus = NamespaceStatus()


class ServicePort(Model, frozen=True, kw_only=True):
    """`target_port` is None where it is the same as `port`."""

    name: str = ""
    port: int
    target_port: IntOrString | None = None
    protocol: str = "TCP"
    app_protocol: str | None = None
    node_port: int = 0


class ClientIPConfig(Model, frozen=True, kw_only=True):
    timeout_seconds: int = 10800


class SessionAffinityConfig(Model, frozen=True, kw_only=True):
    client_ip: ClientIPConfig | None = None


class ServiceSpec(Model, frozen=True, kw_only=True):
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] = field(default_factory=dict)
    type: str = "ClusterIP"
    cluster_ip: str = ""
    cluster_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    external_name: str = ""
    external_traffic_policy: str = ""
    internal_traffic_policy: str | None = None
    traffic_distribution: str | None = None
    health_check_node_port: int = 0
    publish_not_ready_addresses: bool = False
    session_affinity: str = "None"
    session_affinity_config: SessionAffinityConfig | None = None
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    load_balancer_ip: str = ""
    load_balancer_source_ranges: tuple[str, ...] = ()
    load_balancer_class: str | None = None
    allocate_load_balancer_node_ports: bool | None = None


class PortStatus(Model, frozen=True, kw_only=True):
    port: int
    protocol: str
    error: str | None = None


class LoadBalancerIngress(Model, frozen=True, kw_only=True):
    """One address at which traffic arrives: an IP or a host name."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: tuple[PortStatus, ...] = ()


class LoadBalancerStatus(Model, frozen=True, kw_only=True):
    ingress: tuple[LoadBalancerIngress, ...] = ()


class ServiceStatus(Model, frozen=True, kw_only=True):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[Condition, ...] = ()


class Service(Object, frozen=True, kw_only=True):
    api_version: Literal["v1"] = constant("v1")
    kind: Literal["Service"] = constant("Service")
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Secret(Object, frozen=True, kw_only=True):
    """`data` prints as `<redacted>`. Decoding folds `stringData` into it, as the API server does."""

    api_version: Literal["v1"] = constant("v1")
    kind: Literal["Secret"] = constant("Secret")
    type: str = "Opaque"
    data: dict[str, SecretValue] = field(default_factory=dict)
    string_data: dict[str, SecretText] = field(default_factory=dict)
    immutable: bool | None = None


class ConfigMap(Object, frozen=True, kw_only=True):
    """`binary_data` is base64 in JSON."""

    api_version: Literal["v1"] = constant("v1")
    kind: Literal["ConfigMap"] = constant("ConfigMap")
    data: dict[str, str] = field(default_factory=dict)
    binary_data: dict[str, bytes] = field(default_factory=dict)
    immutable: bool | None = None


class ResourceRequirements(Model, frozen=True, kw_only=True):
    """Quantities by resource name (`cpu`, `memory`, `nvidia.com/gpu`, `storage`); see `parse_quantity`."""

    limits: dict[str, IntOrString | float] = field(default_factory=dict)
    requests: dict[str, IntOrString | float] = field(default_factory=dict)
    claims: tuple[dict[str, Any], ...] = ()


class PersistentVolumeClaimSpec(Model, frozen=True, kw_only=True):
    access_modes: tuple[str, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    selector: LabelSelector | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None
    volume_name: str = ""
    volume_attributes_class_name: str | None = None
    data_source: TypedLocalObjectReference | None = None
    data_source_ref: TypedLocalObjectReference | None = None


class PersistentVolumeClaimStatus(Model, frozen=True, kw_only=True):
    phase: str = ""
    access_modes: tuple[str, ...] = ()
    capacity: dict[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()


class PersistentVolumeClaim(Object, frozen=True, kw_only=True):
    api_version: Literal["v1"] = constant("v1")
    kind: Literal["PersistentVolumeClaim"] = constant("PersistentVolumeClaim")
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()
