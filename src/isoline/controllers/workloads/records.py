"""What is kept on disk of a replica, so that the next run of the control plane can take it over."""

import os
from pathlib import Path

import msgspec

from isoline.objects.meta import Key
from isoline.objects.workloads import PodTemplateSpec

FILE = "replica.json"


class Record(msgspec.Struct, kw_only=True):
    """A replica. Its template is kept too: the Deployment may have moved on while this one still runs the old one."""

    namespace: str
    name: str
    deployment: str
    template_hash: str
    template: PodTemplateSpec
    created: float
    ports: dict[str, dict[int, int]]
    """Real ports by declared port, by container."""
    gpus: tuple[str, ...] = ()
    initialized: bool = False
    started: frozenset[str] = frozenset()
    """Containers whose startup probe has succeeded."""
    ready: frozenset[str] = frozenset()
    """Containers whose readiness probe has."""
    terminating: bool = False

    @property
    def owner(self) -> Key:
        """The Deployment that it is a replica of."""
        return Key("Deployment", self.namespace, self.deployment)

    @property
    def key(self) -> str:
        """Unique on this machine: a namespace has no dots."""
        return f"{self.namespace}.{self.name}"


def save(record: Record, folder: Path) -> None:
    """Write the record of a replica into its folder; it may hold literal secrets, so only its owner can read it.

    It is replaced as a whole, and not forced to the disk: after a power cut its processes are gone anyway.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / f".{FILE}"
    with open(temporary, "wb", opener=_private) as file:
        file.write(msgspec.json.encode(record))
    temporary.replace(folder / FILE)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def load(folder: Path) -> Record | None:
    """Return the record in a replica's folder; None if there is none that can be read."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None
