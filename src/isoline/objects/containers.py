"""Containers: what to run, with which environment, ports and probes."""

from typing import Any

from isoline.objects.core import IntOrString, ResourceRequirements
from isoline.objects.model import Model

# Parts that Isoline only hands on to Kubernetes.
Passthrough = dict[str, Any]


class KeySelector(Model, frozen=True, kw_only=True):
    """One key of a ConfigMap or a Secret in the pod's namespace."""

    name: str = ""
    key: str
    optional: bool = False


class ObjectFieldSelector(Model, frozen=True, kw_only=True):
    api_version: str = "v1"
    field_path: str


class ResourceFieldSelector(Model, frozen=True, kw_only=True):
    container_name: str = ""
    resource: str
    divisor: IntOrString = "0"


class EnvVarSource(Model, frozen=True, kw_only=True):
    """Where a variable's value comes from; exactly one is set."""

    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    file_key_ref: Passthrough | None = None


class EnvVar(Model, frozen=True, kw_only=True):
    """A variable; `$(OTHER)` in its value expands to a variable defined before it."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class EnvSource(Model, frozen=True, kw_only=True):
    """A whole ConfigMap or Secret."""

    name: str = ""
    optional: bool = False


class EnvFromSource(Model, frozen=True, kw_only=True):
    prefix: str = ""
    config_map_ref: EnvSource | None = None
    secret_ref: EnvSource | None = None


class ContainerPort(Model, frozen=True, kw_only=True):
    name: str = ""
    container_port: int
    host_port: int = 0
    host_ip: str = ""
    protocol: str = "TCP"


class HTTPHeader(Model, frozen=True, kw_only=True):
    name: str
    value: str


class HTTPGetAction(Model, frozen=True, kw_only=True):
    path: str = "/"
    port: IntOrString
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPSocketAction(Model, frozen=True, kw_only=True):
    port: IntOrString
    host: str = ""


class ExecAction(Model, frozen=True, kw_only=True):
    command: tuple[str, ...] = ()


class GRPCAction(Model, frozen=True, kw_only=True):
    port: int
    service: str | None = None


class Probe(Model, frozen=True, kw_only=True):
    """A question to a container; exactly one of the four actions is set. Times are whole seconds."""

    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class SleepAction(Model, frozen=True, kw_only=True):
    seconds: int


class LifecycleHandler(Model, frozen=True, kw_only=True):
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Model, frozen=True, kw_only=True):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None


class VolumeMount(Model, frozen=True, kw_only=True):
    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""
    read_only: bool = False
    recursive_read_only: str | None = None
    mount_propagation: str | None = None


class VolumeDevice(Model, frozen=True, kw_only=True):
    name: str
    device_path: str


class Container(Model, frozen=True, kw_only=True):
    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    resize_policy: tuple[Passthrough, ...] = ()
    restart_policy: str | None = None
    restart_policy_rules: tuple[Passthrough, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    image_pull_policy: str = ""
    security_context: Passthrough | None = None
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
