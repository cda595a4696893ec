"""From a container to the process that is to run for it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isoline.controllers.workloads import volumes
from isoline.controllers.workloads.environment import Facts, Sources, expand, resolve
from isoline.controllers.workloads.images import ImageNotRunnableError, program
from isoline.controllers.workloads.machine import Machine
from isoline.controllers.workloads.ports import variables as port_variables
from isoline.controllers.workloads.resources import Limits, limits, resource_field
from isoline.objects.workloads import Container, PodTemplateSpec
from isoline.processes import ProcessSpec

# What a program of this machine needs to find its libraries and speak the user's language. The rest of the control
# plane's environment is none of its business.
INHERITED = ("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME")
REPLICA_LABEL = "isoline.dev/replica"
CONTAINER_LABEL = "isoline.dev/container"


class ContainerConfigError(Exception):
    """A container cannot be started as it is written; `reason` is Kubernetes's word where it has one."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which replica a process belongs to, and what that replica has been given."""

    namespace: str
    name: str
    template: PodTemplateSpec
    folder: Path
    gpus: tuple[str, ...]
    folders: Mapping[str, Path]
    """Volumes by name."""

    @property
    def key(self) -> str:
        """Unique on this machine: a namespace has no dots."""
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A process ready to be started, and what the user should know of it."""

    process: ProcessSpec
    notes: tuple[str, ...]


def process_name(identity: Identity, container: Container) -> str:
    """Return the name of a container's process: `namespace.replica.container`."""
    return f"{identity.key}.{container.name}"


def launch(container: Container, identity: Identity, real: Mapping[int, int], machine: Machine) -> Launch:
    """Return what to start for a container whose declared ports are the `real` ones here.

    Makes the working directory and the links to volumes in it. Raises ContainerConfigError.
    """
    try:
        chosen = program(container, machine.catalog)
        mounts = volumes.mounts(container, identity.folders)
        allowed = limits(container.resources)
    except ImageNotRunnableError as error:
        raise ContainerConfigError("ImageNotRunnable", str(error)) from error
    except (volumes.VolumeError, ValueError) as error:
        raise ContainerConfigError("CreateContainerConfigError", f"container {container.name}: {error}") from error
    given = {
        **inherited(),
        **mounts.variables,
        **port_variables(container, real),
        "HOSTNAME": identity.name,
        # Without a GPU of its own a program must not take somebody else's.
        "CUDA_VISIBLE_DEVICES": ",".join(identity.gpus),
    }
    environment = resolve(container, _sources(container, identity, machine), given=given)
    if environment.problems:
        raise ContainerConfigError(
            "CreateContainerConfigError", f"container {container.name}: {'; '.join(environment.problems)}"
        )
    folder = _working_directory(container, identity, machine, own=chosen.profile is not None)
    if folder.is_relative_to(identity.folder):
        volumes.link(folder, mounts.links)
    return Launch(
        process=_process(container, identity, chosen.argv, environment.variables, folder, allowed),
        notes=(chosen.note,) if chosen.note else (),
    )


def _process(
    container: Container,
    identity: Identity,
    argv: tuple[str, ...],
    variables: Mapping[str, str],
    folder: Path,
    allowed: Limits,
) -> ProcessSpec:
    return ProcessSpec(
        name=process_name(identity, container),
        argv=tuple(expand(argument, variables) for argument in argv),
        env=variables,
        cwd=folder,
        grace=identity.template.spec.termination_grace_period_seconds,
        memory_bytes=allowed.memory_bytes,
        cpu_cores=allowed.cpu_cores,
        labels={REPLICA_LABEL: identity.key, CONTAINER_LABEL: container.name},
    )


def inherited() -> dict[str, str]:
    """Return what every program gets of the control plane's own environment; its own programs come first in PATH."""
    own = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}
    path = os.environ.get("PATH", os.defpath)
    return own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}"}


def _working_directory(container: Container, identity: Identity, machine: Machine, *, own: bool) -> Path:
    """An image's program runs in a folder of its own, a command of this machine where the manifests are."""
    if container.working_dir:
        given = machine.commands / container.working_dir
        if given.is_dir() or not own:
            return given
    if not own:
        return machine.commands
    folder = identity.folder / "work" / container.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sources(container: Container, identity: Identity, machine: Machine) -> Sources:
    containers = {each.name: each for each in identity.template.spec.containers}

    def resource(name: str, asked: str, divisor: str | int) -> str | None:
        found = containers.get(name) if name else container
        return None if found is None else resource_field(found, asked, divisor)

    metadata = identity.template.metadata
    return Sources(
        facts=Facts(
            name=identity.name,
            namespace=identity.namespace,
            uid=identity.key,
            labels=metadata.labels,
            annotations=metadata.annotations,
            node=machine.node,
            service_account=identity.template.spec.service_account_name or "default",
        ),
        config_map=machine.config_map(identity.namespace),
        secret=machine.secret(identity.namespace),
        resource=resource,
    )
