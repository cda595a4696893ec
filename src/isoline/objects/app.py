"""isoline.dev/v1alpha1 App: an AI app with its address, storage, scale, access and upgrades in one manifest."""

from typing import Annotated, Literal

from msgspec import Meta, field

from isoline.objects.app_access import Access
from isoline.objects.app_upgrade import Upgrade
from isoline.objects.containers import EnvVar, Probe
from isoline.objects.formats import CIDR, Duration, Host, Name, Natural, Path, Port, Positive, Quantity, Schedule
from isoline.objects.issuers import IssuerReference
from isoline.objects.meta import Condition, Object
from isoline.objects.model import Model, constant
from isoline.objects.workloads import Toleration

Affinity = Literal["None", "Cookie", "ClientIP"]


class Probes(Model, frozen=True, kw_only=True):
    """Questions that tell whether a replica has started, takes requests, and still lives."""

    startup: Annotated[
        Probe | None, Meta(description="Asked until it succeeds once; nothing else is asked before.")
    ] = None
    readiness: Annotated[Probe | None, Meta(description="Traffic goes only to replicas that answer it.")] = None
    liveness: Annotated[Probe | None, Meta(description="A replica that fails it is restarted.")] = None


class Run(Model, frozen=True, kw_only=True):
    """A program to run, for an app that is not in the catalog."""

    image: Annotated[str, Meta(description="Container image. On one machine, a command is run instead.")] = ""
    command: Annotated[
        tuple[str, ...], Meta(description="Program and first arguments; replaces the image's entry point.")
    ] = ()
    args: Annotated[tuple[str, ...], Meta(description="Further arguments.")] = ()
    working_dir: Annotated[str, Meta(description="Folder that the program starts in.")] = ""
    port: Annotated[Port | None, Meta(description="Port that the app listens on; it is given to it as PORT.")] = None
    env: Annotated[tuple[EnvVar, ...], Meta(description="Environment variables, with Kubernetes' meaning.")] = ()
    probes: Annotated[Probes | None, Meta(description="Health checks; without any, an open port counts as ready.")] = (
        None
    )


class AppTLS(Model, frozen=True, kw_only=True):
    """Where the certificate comes from; one of the three. Without any, the gateway's default."""

    self_signed: Annotated[bool | None, Meta(description="Have the local certificate authority issue one.")] = None
    secret_name: Annotated[str, Meta(description="Secret of type kubernetes.io/tls in the app's namespace.")] = ""
    issuer: Annotated[IssuerReference | None, Meta(description="cert-manager issuer to ask for one.")] = None


class AppResources(Model, frozen=True, kw_only=True):
    """What one replica may use."""

    gpu: Annotated[Natural | None, Meta(description="Whole GPUs.")] = None
    cpu: Annotated[Quantity | None, Meta(description='Cores, such as 2 or "500m".')] = None
    memory: Annotated[Quantity | None, Meta(description="Bytes, such as 16Gi.")] = None


class BackupRetention(Model, frozen=True, kw_only=True):
    """How many backups stay: the newest ones, and the newest of each hour, day, week, month and year."""

    last: Annotated[Natural, Meta(description="Newest backups kept.")] = 0
    hourly: Annotated[Natural, Meta(description="Hours for which one is kept.")] = 0
    daily: Annotated[Natural, Meta(description="Days for which one is kept.")] = 7
    weekly: Annotated[Natural, Meta(description="Weeks for which one is kept.")] = 4
    monthly: Annotated[Natural, Meta(description="Months for which one is kept.")] = 6
    yearly: Annotated[Natural, Meta(description="Years for which one is kept.")] = 0


class Backup(Model, frozen=True, kw_only=True):
    """When a volume is backed up, and for how long backups are kept."""

    schedule: Annotated[Schedule, Meta(description='Cron fields or a word: "30 3 * * *", "@daily".')]
    keep: Annotated[BackupRetention, Meta(description="Backups that are kept.")] = BackupRetention()


class Storage(Model, frozen=True, kw_only=True):
    """A volume that outlives replicas and upgrades."""

    name: Annotated[Name, Meta(description="Name of the volume, unique in the app.")]
    path: Annotated[Path, Meta(description="Folder at which the app sees it.")]
    size: Annotated[Quantity | None, Meta(description="Size, such as 20Gi.")] = None
    backup: Annotated[Backup | None, Meta(description="Backups of the volume; none without it.")] = None
    when_deleted: Annotated[
        Literal["Retain", "Delete"],
        Meta(description="In a cluster, what becomes of the data when the App is deleted."),
    ] = "Retain"


class Scheduling(Model, frozen=True, kw_only=True):
    """On which nodes of a cluster replicas may run."""

    node_selector: Annotated[dict[str, str], Meta(description="Labels that a node must have.")] = field(
        default_factory=dict
    )
    tolerations: Annotated[
        tuple[Toleration, ...],
        Meta(description="Taints of nodes that do not keep replicas away, beside that of nodes with GPUs."),
    ] = ()


class AppMetrics(Model, frozen=True, kw_only=True):
    """Figures that the app gives in Prometheus' format, on its one port."""

    path: Annotated[Path, Meta(description="Path of the figures.")] = "/metrics"
    interval: Annotated[Duration, Meta(description="Time between two readings.")] = "30s"


class Scale(Model, frozen=True, kw_only=True):
    """How many replicas run."""

    min: Annotated[Natural, Meta(description="Fewest replicas; 0 lets an idle app sleep.")] = 1
    max: Annotated[Positive | None, Meta(description="Most replicas; as many as min, when unset.")] = None
    target_concurrency: Annotated[
        Positive | None, Meta(description="Requests in flight that one replica should have.")
    ] = None
    idle_after: Annotated[Duration | None, Meta(description="Sleep after so long without a request; needs min 0.")] = (
        None
    )

    @property
    def most(self) -> int:
        """`max`, or what it is when unset."""
        return self.max or max(self.min, 1)


class Rate(Model, frozen=True, kw_only=True):
    """A bucket of requests."""

    requests: Annotated[Positive, Meta(description="Requests allowed in each unit of time.")]
    per: Annotated[Literal["second", "minute", "hour"], Meta(description="Unit of time.")] = "second"
    burst: Annotated[Natural, Meta(description="Requests allowed on top, when none came before.")] = 0


class Limits(Model, frozen=True, kw_only=True):
    """What one request, and all of them together, may take."""

    body: Annotated[Quantity | None, Meta(description="Largest request body in bytes, such as 100Mi.")] = None
    rate: Annotated[Rate | None, Meta(description="Requests a time that the app answers.")] = None
    concurrency: Annotated[
        Positive | None, Meta(description="Requests in flight to one replica; more wait or get 503.")
    ] = None
    timeout: Annotated[Duration | None, Meta(description="Longest time until a response is complete.")] = None
    idle: Annotated[Duration | None, Meta(description="Longest silence on a stream.")] = None


class EgressDestination(Model, frozen=True, kw_only=True):
    """Addresses that the app may reach."""

    cidr: Annotated[CIDR, Meta(description="Network or address.")]
    ports: Annotated[tuple[Port, ...], Meta(description="TCP ports; all when empty.")] = ()


class Egress(Model, frozen=True, kw_only=True):
    """Where the app itself may connect to. DNS is always open."""

    policy: Annotated[Literal["Allow", "Deny"], Meta(description="What happens to addresses not listed.")] = "Allow"
    allow: Annotated[tuple[EgressDestination, ...], Meta(description="Destinations open under Deny.")] = ()


class AppSpec(Model, frozen=True, kw_only=True):
    """What the app is, where it answers, and what it may use. Needs `profile` or `run`."""

    profile: Annotated[
        str | None, Meta(description="Catalog entry that says how the app is run, such as cosyvoice3.")
    ] = None
    run: Annotated[
        Run | None, Meta(description="How the app is run; beside a profile, overrides what the profile says.")
    ] = None
    host: Annotated[Host | tuple[Host, ...], Meta(description="Host name of the app, or a list of them.")] = ()
    tls: Annotated[AppTLS | None, Meta(description="Where the certificate comes from.")] = None
    resources: Annotated[AppResources | None, Meta(description="What one replica may use.")] = None
    storage: Annotated[tuple[Storage, ...], Meta(description="Volumes that outlive replicas and upgrades.")] = ()
    scale: Annotated[Scale | None, Meta(description="How many replicas run.")] = None
    access: Annotated[Access | None, Meta(description="Who may use the app; everybody without it.")] = None
    limits: Annotated[Limits | None, Meta(description="Limits of requests.")] = None
    affinity: Annotated[
        Affinity | None,
        Meta(description="What keeps a client with one replica. Unset: what the profile says."),
    ] = None
    paths: Annotated[tuple[Path, ...], Meta(description="Path prefixes that are reachable; all when empty.")] = ()
    upgrade: Annotated[Upgrade | None, Meta(description="How new versions are found, tried and put in service.")] = None
    egress: Annotated[Egress | None, Meta(description="Where the app itself may connect to.")] = None
    scheduling: Annotated[Scheduling | None, Meta(description="On which nodes of a cluster replicas may run.")] = None
    metrics: Annotated[
        AppMetrics | None, Meta(description="Figures for a cluster's Prometheus. Unset: what the profile says.")
    ] = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names, whether the manifest gives one or a list."""
        return (self.host,) if isinstance(self.host, str) else self.host


class AppStatus(Model, frozen=True, kw_only=True):
    """What has become of the app."""

    phase: Annotated[str, Meta(description="Pending, Starting, Ready, Degraded, Sleeping or Failed.")] = ""
    address: Annotated[str, Meta(description="URL at which the app answers.")] = ""
    ready_replicas: Annotated[int, Meta(description="Replicas that take requests.")] = 0
    replicas: Annotated[int, Meta(description="Replicas that exist.")] = 0
    version: Annotated[str, Meta(description="Version in service.")] = ""
    profile: Annotated[str, Meta(description="Catalog entry in use.")] = ""
    engine: Annotated[str, Meta(description="Engine that the app runs with, where it has several.")] = ""
    conditions: Annotated[tuple[Condition, ...], Meta(description="What is in order and what is not.")] = ()
    observed_generation: Annotated[int, Meta(description="Generation of the spec that this status is of.")] = 0


class App(Object, frozen=True, kw_only=True):
    """An AI app: what runs, where it answers, and what it may use."""

    api_version: Literal["isoline.dev/v1alpha1"] = constant("isoline.dev/v1alpha1")
    kind: Literal["App"] = constant("App")
    spec: AppSpec
    status: AppStatus = AppStatus()
