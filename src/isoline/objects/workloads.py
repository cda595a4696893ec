"""Deployments and the pods that they describe.

Parts of a pod that Isoline only hands on (affinity, security contexts, volumes other than the few it can
provide on one machine) are kept as plain mappings.
"""

from typing import Literal

from msgspec import field

from isoline.objects.containers import (
    Container,
    ContainerPort,
    EnvFromSource,
    EnvSource,
    EnvVar,
    EnvVarSource,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    KeySelector,
    Lifecycle,
    LifecycleHandler,
    ObjectFieldSelector,
    Passthrough,
    Probe,
    ResourceFieldSelector,
    SleepAction,
    TCPSocketAction,
    VolumeDevice,
    VolumeMount,
)
from isoline.objects.core import IntOrString, PersistentVolumeClaimSpec, ResourceRequirements
from isoline.objects.meta import Condition, LabelSelector, LocalObjectReference, Object, ObjectMeta
from isoline.objects.model import Model, constant

__all__ = [
    "ConfigMapVolumeSource",
    "Container",
    "ContainerPort",
    "Deployment",
    "DeploymentCondition",
    "DeploymentSpec",
    "DeploymentStatus",
    "DeploymentStrategy",
    "EmptyDirVolumeSource",
    "EnvFromSource",
    "EnvSource",
    "EnvVar",
    "EnvVarSource",
    "EphemeralVolumeSource",
    "ExecAction",
    "GRPCAction",
    "HTTPGetAction",
    "HTTPHeader",
    "HostAlias",
    "HostPathVolumeSource",
    "KeySelector",
    "KeyToPath",
    "Lifecycle",
    "LifecycleHandler",
    "ObjectFieldSelector",
    "Passthrough",
    "PersistentVolumeClaimTemplate",
    "PersistentVolumeClaimVolumeSource",
    "PodSpec",
    "PodTemplateSpec",
    "Probe",
    "ResourceFieldSelector",
    "RollingUpdateDeployment",
    "SecretVolumeSource",
    "SleepAction",
    "TCPSocketAction",
    "Toleration",
    "Volume",
    "VolumeDevice",
    "VolumeMount",
]


class KeyToPath(Model, frozen=True, kw_only=True):
    key: str
    path: str
    mode: int | None = None


class SecretVolumeSource(Model, frozen=True, kw_only=True):
    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


class ConfigMapVolumeSource(Model, frozen=True, kw_only=True):
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


class EmptyDirVolumeSource(Model, frozen=True, kw_only=True):
    """`medium` is "" (disk) or Memory."""

    medium: str = ""
    size_limit: IntOrString | None = None


class HostPathVolumeSource(Model, frozen=True, kw_only=True):
    path: str
    type: str = ""


class PersistentVolumeClaimVolumeSource(Model, frozen=True, kw_only=True):
    claim_name: str
    read_only: bool = False


class PersistentVolumeClaimTemplate(Model, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeClaimSpec


class EphemeralVolumeSource(Model, frozen=True, kw_only=True):
    volume_claim_template: PersistentVolumeClaimTemplate | None = None


class Volume(Model, frozen=True, kw_only=True):
    """A volume has exactly one source."""

    name: str
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    projected: Passthrough | None = None
    downward_api: Passthrough | None = field(default=None, name="downwardAPI")
    image: Passthrough | None = None
    nfs: Passthrough | None = None
    csi: Passthrough | None = None
    iscsi: Passthrough | None = None
    fc: Passthrough | None = None


class Toleration(Model, frozen=True, kw_only=True):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class HostAlias(Model, frozen=True, kw_only=True):
    ip: str
    hostnames: tuple[str, ...] = ()


class PodSpec(Model, frozen=True, kw_only=True):
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    active_deadline_seconds: int | None = None
    service_account_name: str = ""
    service_account: str = ""
    automount_service_account_token: bool | None = None
    node_name: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)
    affinity: Passthrough | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[Passthrough, ...] = ()
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    host_users: bool | None = None
    share_process_namespace: bool | None = None
    security_context: Passthrough | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    hostname: str = ""
    hostname_override: str | None = None
    subdomain: str = ""
    set_hostname_as_fqdn: bool | None = None
    host_aliases: tuple[HostAlias, ...] = ()
    dns_policy: str = "ClusterFirst"
    dns_config: Passthrough | None = None
    scheduler_name: str = "default-scheduler"
    scheduling_gates: tuple[Passthrough, ...] = ()
    priority_class_name: str = ""
    priority: int | None = None
    preemption_policy: str | None = None
    runtime_class_name: str | None = None
    enable_service_links: bool = True
    readiness_gates: tuple[Passthrough, ...] = ()
    overhead: dict[str, IntOrString] = field(default_factory=dict)
    os: Passthrough | None = None
    resources: ResourceRequirements | None = None
    resource_claims: tuple[Passthrough, ...] = ()
    ephemeral_containers: tuple[Passthrough, ...] = ()


class PodTemplateSpec(Model, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec


class RollingUpdateDeployment(Model, frozen=True, kw_only=True):
    """Replicas by number or percentage; `max_surge` rounds up and `max_unavailable` down."""

    max_unavailable: IntOrString = "25%"
    max_surge: IntOrString = "25%"


class DeploymentStrategy(Model, frozen=True, kw_only=True):
    """`type` is RollingUpdate or Recreate; `rolling_update` None means its defaults."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdateDeployment | None = None


class DeploymentSpec(Model, frozen=True, kw_only=True):
    replicas: int = 1
    selector: LabelSelector
    template: PodTemplateSpec
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    paused: bool = False
    progress_deadline_seconds: int = 600


class DeploymentCondition(Condition, frozen=True, kw_only=True):
    last_update_time: str | None = None


class DeploymentStatus(Model, frozen=True, kw_only=True):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    collision_count: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()


class Deployment(Object, frozen=True, kw_only=True):
    api_version: Literal["apps/v1"] = constant("apps/v1")
    kind: Literal["Deployment"] = constant("Deployment")
    spec: DeploymentSpec
    status: DeploymentStatus = DeploymentStatus()
