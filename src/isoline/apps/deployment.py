"""What runs: an App's Deployment."""

from collections.abc import Iterator
from typing import Any

from isoline.apps.confinement import container_security, pod_security
from isoline.apps.defaults import gpus
from isoline.apps.defaults import storage as storage_of
from isoline.apps.names import PORT_NAME, claim_name, metadata, port, selector, volume_variable
from isoline.apps.profile import Profile
from isoline.apps.target import Target
from isoline.objects.app import App, AppResources, Probes, Run
from isoline.objects.containers import (
    Container,
    ContainerPort,
    EnvVar,
    Lifecycle,
    LifecycleHandler,
    Probe,
    SleepAction,
    TCPSocketAction,
    VolumeMount,
)
from isoline.objects.core import IntOrString, ResourceRequirements
from isoline.objects.meta import LabelSelector, ObjectMeta
from isoline.objects.workloads import (
    Deployment,
    DeploymentSpec,
    DeploymentStrategy,
    PersistentVolumeClaimVolumeSource,
    PodSpec,
    PodTemplateSpec,
    RollingUpdateDeployment,
    Toleration,
    Volume,
)

HOST_IMAGE = "isoline.dev/host"
"""The image that means: run the command on this machine as it is."""
GPU = "nvidia.com/gpu"
GRACE_SECONDS = 60
"""Time for an answer that is under way when its replica is asked to end; speech and images take longer than pages."""


LEAVE_SECONDS = 5
"""For so long a replica that is to end goes on as ever, until nobody sends it anything any more: it is told to end at
the time at which its address is taken from the list, and not after."""


def deployment(app: App, profile: Profile | None, target: Target) -> Deployment:
    """Return the Deployment of an App: one container, named as the app is."""
    spec = app.spec
    in_cluster = target is Target.KUBERNETES
    volumes = storage_of(app, profile)
    pod = PodSpec(
        containers=(_container(app, profile, target),),
        volumes=tuple(
            Volume(
                name=storage.name,
                persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=claim_name(app, storage.name)),
            )
            for storage in volumes
        ),
        termination_grace_period_seconds=GRACE_SECONDS + (LEAVE_SECONDS if in_cluster else 0),
        # An app that is reached from the internet gets no token of the cluster that it runs in.
        automount_service_account_token=False,
        security_context=pod_security(has_volumes=bool(volumes)) if in_cluster else None,
        affinity=_beside_each_other(app) if in_cluster and volumes and _shares_storage(profile) else None,
        node_selector=dict(spec.scheduling.node_selector) if in_cluster and spec.scheduling is not None else {},
        tolerations=tuple(_tolerations(app, profile)) if in_cluster else (),
    )
    labels = metadata(app, "").labels
    return Deployment(
        metadata=metadata(app, app.metadata.name),
        spec=DeploymentSpec(
            replicas=max(spec.scale.min, 1) if spec.scale is not None else 1,
            selector=LabelSelector(match_labels=selector(app)),
            strategy=_strategy(app, profile, target),
            template=PodTemplateSpec(metadata=ObjectMeta(labels=labels), spec=pod),
        ),
    )


def _tolerations(app: App, profile: Profile | None) -> Iterator[Toleration]:
    if gpus(app, profile):
        # Nodes with GPUs are kept free of what needs none.
        yield Toleration(key=GPU, operator="Exists", effect="NoSchedule")
    if app.spec.scheduling is not None:
        yield from app.spec.scheduling.tolerations


def _container(app: App, profile: Profile | None, target: Target) -> Container:
    run = app.spec.run or Run()
    probes = run.probes or (profile.probes if profile is not None else Probes())
    in_cluster = target is Target.KUBERNETES
    if in_cluster and probes == Probes():
        probes = Probes(readiness=Probe(tcp_socket=TCPSocketAction(port=port(app, profile))))
    return Container(
        name=app.metadata.name,
        image=_image(run, profile, target),
        command=run.command,
        args=run.args,
        working_dir=run.working_dir,
        ports=(ContainerPort(name=PORT_NAME, container_port=port(app, profile)),),
        env=(
            *(_port_variable(app, profile) if in_cluster else ()),
            *(_volume_variables(app, profile) if in_cluster else ()),
            *(profile.env if profile is not None else ()),
            *run.env,
        ),
        resources=_resources(app, profile),
        volume_mounts=tuple(
            VolumeMount(name=storage.name, mount_path=storage.path) for storage in storage_of(app, profile)
        ),
        startup_probe=probes.startup,
        readiness_probe=probes.readiness,
        liveness_probe=probes.liveness,
        lifecycle=Lifecycle(pre_stop=LifecycleHandler(sleep=SleepAction(seconds=LEAVE_SECONDS)))
        if in_cluster
        else None,
        security_context=container_security() if in_cluster else None,
    )


def _port_variable(app: App, profile: Profile | None) -> tuple[EnvVar, ...]:
    given = {variable.name for variable in app.spec.run.env} if app.spec.run is not None else set()
    return () if "PORT" in given else (EnvVar(name="PORT", value=str(port(app, profile))),)


def _volume_variables(app: App, profile: Profile | None) -> Iterator[EnvVar]:
    """What a program of one machine is told of its volumes, so that a profile's words are right in both places."""
    given = {variable.name for variable in app.spec.run.env} if app.spec.run is not None else set()
    for storage in storage_of(app, profile):
        name = volume_variable(storage.name)
        if name not in given:
            yield EnvVar(name=name, value=storage.path)


def _image(run: Run, profile: Profile | None, target: Target) -> str:
    if profile is not None:
        return run.image or profile.image
    # Without a container engine the command is what counts; the image says where it is run.
    return HOST_IMAGE if target is Target.MACHINE else run.image


def _resources(app: App, profile: Profile | None) -> ResourceRequirements:
    asked = app.spec.resources or AppResources()
    given = {"cpu": asked.cpu, "memory": asked.memory, GPU: gpus(app, profile) or None}
    limits: dict[str, IntOrString | float] = {name: str(value) for name, value in given.items() if value is not None}
    return ResourceRequirements(limits=limits)


def _shares_storage(profile: Profile | None) -> bool:
    return profile is not None and profile.shares_storage


def _beside_each_other(app: App) -> dict[str, Any]:
    """Replicas that share a volume run on the node that has it."""
    term = {"labelSelector": {"matchLabels": selector(app)}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _strategy(app: App, profile: Profile | None, target: Target) -> DeploymentStrategy:
    """A second replica beside the last one, unless it would wait for what the last one holds: a GPU, or a volume that
    only one node at a time may have."""
    volumes = storage_of(app, profile)
    if gpus(app, profile) and volumes:
        return DeploymentStrategy(type="Recreate")
    holds_volume = target is Target.KUBERNETES and bool(volumes) and not _shares_storage(profile)
    surge = 0 if gpus(app, profile) or holds_volume else 1
    return DeploymentStrategy(rolling_update=RollingUpdateDeployment(max_surge=surge, max_unavailable=1 - surge))
