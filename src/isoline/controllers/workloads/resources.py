"""What a container may use of this machine: memory, processors, GPUs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from isoline.apps import Catalog
from isoline.objects.core import ResourceRequirements
from isoline.objects.quantities import parse_quantity
from isoline.objects.workloads import Container, PodSpec

GPU = "nvidia.com/gpu"
_GPU_DEVICE = re.compile(r"nvidia(\d+)")
_LISTING_SECONDS = 10


class NotEnoughGPUsError(Exception):
    """There is no room for a replica now; the message is a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`memory_bytes` and `cpu_cores` are None where there is no limit."""

    memory_bytes: int | None
    cpu_cores: float | None


def limits(requirements: ResourceRequirements) -> Limits:
    """Return the limits that the kernel is asked to keep. Raises ValueError, naming the field, for a bad quantity."""
    memory = _quantity(requirements, "memory")
    return Limits(memory_bytes=None if memory is None else int(memory), cpu_cores=_quantity(requirements, "cpu"))


def _quantity(requirements: ResourceRequirements, name: str) -> float | None:
    if name not in requirements.limits:
        return None
    try:
        return parse_quantity(str(requirements.limits[name]))
    except ValueError as error:
        raise ValueError(f"resources.limits[{name!r}]: {error}") from error


def resource_field(container: Container, resource: str, divisor: str | int) -> str | None:
    """Return a `resourceFieldRef` value, rounded up as Kubernetes does; None for a resource that is not known.

    Without a limit a container may use the whole machine, so that is what it is told.
    """
    table, _, name = resource.partition(".")
    if table not in {"limits", "requests"} or name not in {"cpu", "memory"}:
        return None
    given = getattr(container.resources, table).get(name)
    whole = (
        float(os.cpu_count() or 1) if name == "cpu" else float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    )
    value = whole if given is None else parse_quantity(str(given))
    unit = parse_quantity(str(divisor)) or 1.0
    return str(-int(-value // unit))


def gpus_needed(pod: PodSpec, catalog: Catalog, slots: "GPUSlots") -> int:
    """Return how many GPUs a pod must have here before it can run.

    On a machine that has none, a container whose profile has a CPU variant runs that, whatever it asks for.
    """
    profiles = {container.name: catalog.profile_for_image(container.image) for container in pod.containers}

    def spared(container: Container) -> bool:
        profile = profiles[container.name]
        return not slots.devices and profile is not None and profile.gpu == "optional"

    return sum(gpus_asked(container) for container in pod.containers if not spared(container))


def gpus_asked(container: Container) -> int:
    """Return how many GPUs a container asks for. Raises ValueError for what is no quantity."""
    given = container.resources.limits.get(GPU, container.resources.requests.get(GPU, 0))
    return int(parse_quantity(str(given)))


@dataclass(slots=True)
class GPUSlots:
    """The GPUs of this machine and who has which: a GPU belongs to one replica at a time."""

    devices: tuple[str, ...]
    _owners: dict[str, str] = field(default_factory=dict)

    def take(self, replica: str, count: int) -> tuple[str, ...]:
        """Return the GPUs of a replica, its own again if it has some. Raises NotEnoughGPUsError."""
        own = tuple(device for device in self.devices if self._owners.get(device) == replica)
        free = [device for device in self.devices if device not in self._owners]
        missing = count - len(own)
        if missing > len(free):
            raise NotEnoughGPUsError(self._shortage(count, len(free)))
        taken = own + tuple(free[: max(missing, 0)])
        self._owners.update(dict.fromkeys(taken, replica))
        return taken

    def keep(self, replica: str, devices: Iterable[str]) -> None:
        """Note that a replica of an earlier run has these GPUs."""
        self._owners.update({device: replica for device in devices if device in self.devices})

    def release(self, replica: str) -> None:
        """Give back all that a replica had."""
        self._owners = {device: owner for device, owner in self._owners.items() if owner != replica}

    def _shortage(self, count: int, free: int) -> str:
        if not self.devices:
            return f"{GPU}: {count} asked for, and this machine has no GPU (no nvidia-smi, no /dev/nvidia0)"
        return f"{GPU}: {count} asked for, {free} of {len(self.devices)} free on this machine"


def find_gpus(devices: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the indexes of the NVIDIA GPUs of this machine, as CUDA_VISIBLE_DEVICES wants them."""
    program = shutil.which("nvidia-smi")
    if program is not None:
        try:
            listing = subprocess.run(
                [program, "--query-gpu=index", "--format=csv,noheader"],
                capture_output=True,
                text=True,
                timeout=_LISTING_SECONDS,
                check=True,
            )
            return tuple(line.strip() for line in listing.stdout.splitlines() if line.strip().isdigit())
        except (OSError, subprocess.SubprocessError):
            pass  # a driver that does not answer: what the kernel shows is the next best source
    found = (_GPU_DEVICE.fullmatch(path.name) for path in devices.glob("nvidia*"))
    return tuple(sorted((match[1] for match in found if match), key=int))
