"""One Envoy process of possibly several: hot restart runs two for a while.

Each has a slot: a folder `directory/envoy-N/` for its bootstrap and admin socket, and the process `envoy-N` of the
table, whose log goes on when the slot is used again. What tells one from another is in the labels of its process, so
that the next control plane knows it too.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from isoline.envoy import binary
from isoline.envoy.admin import AdminClient
from isoline.envoy.bootstrap import BootstrapSettings, bootstrap
from isoline.processes import Process, ProcessSpec, ProcessTable
from isoline.processes.shim.system import write_json

_COMPONENT = "envoy"
_LONGEST_SOCKET_PATH = 107
# Envoy multiplies it by ten and keeps the product in 32 bits.
_BASE_IDS = 400_000_000
_CHAINS = 16
"""Chains of hot restarts that may run side by side: an old one that drains, and one for each crash since."""
_PARENT_SHUTDOWN_MARGIN = 1
_CHAIN_DRAIN_SECONDS = 3600
"""How long the connections of a filter chain go on that a changed one has replaced. It costs the memory of the old
chain; a change of the gateway's settings is rare, and a long synthesis or a call must not end by it."""


class EnvoyError(Exception):
    """Envoy cannot do what was asked; the message is for the user and ends in Envoy's own words where it has some."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How an Envoy is to be run. Equal digests mean that a running one need not be replaced."""

    settings: BootstrapSettings
    concurrency: int | None
    drain_seconds: int

    @property
    def parent_shutdown_seconds(self) -> int:
        """How long after a hot restart the old process is ended by the new one."""
        return self.drain_seconds + _PARENT_SHUTDOWN_MARGIN

    @property
    def digest(self) -> str:
        """A hash of all that a running process cannot change."""
        static = bootstrap(self.settings, admin_socket=Path("admin"), xds_socket=self.settings.xds_socket.absolute())
        content = json.dumps([static, self.concurrency, self.drain_seconds, binary.version()], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, eq=False)
class Instance:
    """An Envoy process and the way to ask it."""

    process: Process
    admin: AdminClient

    @property
    def digest(self) -> str:
        """The digest of the plan it was started by."""
        return self.process.labels["digest"]

    @property
    def version(self) -> str:
        """The version of Envoy that it runs."""
        return self.process.labels["version"]

    @property
    def base_id(self) -> int:
        """What Envoys of one chain of hot restarts have in common, and no others on the machine."""
        return int(self.process.labels["base-id"])

    @property
    def epoch(self) -> int:
        """How many hot restarts came before it."""
        return int(self.process.labels["epoch"])


def adopt(table: ProcessTable, directory: Path) -> list[Instance]:
    """The living Envoys that an earlier control plane left, the oldest first."""
    found = [
        Instance(process, AdminClient(directory / process.name / "admin.sock"))
        for process in table.adopt()
        if process.labels.get("component") == _COMPONENT
    ]
    return sorted(found, key=lambda instance: instance.process.started_at)


async def start(
    table: ProcessTable, directory: Path, plan: Plan, *, living: Iterable[Instance], parent: Instance | None
) -> Instance:
    """Start an Envoy; with a `parent` of the same version it takes over the parent's sockets when it is ready.

    Raises EnvoyError if a successor would not start, before the parent notices, and StartError as the table does.
    """
    name = _free_slot(table)
    folder = directory / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = bootstrap(
        plan.settings, admin_socket=Path("admin.sock"), xds_socket=_near(plan.settings.xds_socket, folder)
    )
    write_json(str(folder / "bootstrap.json"), content)
    if parent is not None:
        complaint = await binary.validate(folder / "bootstrap.json")
        if complaint:
            raise EnvoyError(f"Envoy does not take the new configuration and goes on with the old one: {complaint}")
    takes_over = parent is not None and parent.version == binary.version()
    epoch = parent.epoch + 1 if parent is not None and takes_over else 0
    base_id = parent.base_id if parent is not None and takes_over else _free_base_id(directory, living)
    labels = {
        "component": _COMPONENT,
        "digest": plan.digest,
        "version": binary.version(),
        "base-id": str(base_id),
        "epoch": str(epoch),
    }
    spec = ProcessSpec(name=name, argv=_command(plan, base_id, epoch), cwd=folder, labels=labels, grace=10.0)
    process = await table.start(spec)
    return Instance(process, AdminClient(folder / "admin.sock"))


def _command(plan: Plan, base_id: int, epoch: int) -> tuple[str, ...]:
    # A parent that crashes is no reason not to start, nor to wait for its counters for ever.
    hot = ("--skip-hot-restart-on-no-parent", "--skip-hot-restart-parent-stats") if epoch else ()
    concurrency = () if plan.concurrency is None else ("--concurrency", str(plan.concurrency))
    return (
        str(binary.path()),
        *("--config-path", "bootstrap.json"),
        *("--base-id", str(base_id), "--restart-epoch", str(epoch)),
        # In the state folder rather than in the abstract namespace, where any user could talk to it.
        *("--socket-path", "../hot", "--socket-mode", "600"),
        *("--drain-time-s", str(_CHAIN_DRAIN_SECONDS), "--drain-strategy", "immediate"),
        *("--parent-shutdown-time-s", str(plan.parent_shutdown_seconds)),
        # The time stands in front of each line already.
        *("--log-level", "warning", "--log-format", "[%l][%n] %v"),
        *hot,
        *concurrency,
    )


def own_words(text: str) -> str:
    """Return what an Envoy wrote less its access log, which may go the same way and says nothing of a crash."""
    # The first line of what is left of a log may lack its beginning.
    lines = (line for line in text.splitlines() if not line.startswith("{") and not line.endswith("}"))
    return "\n".join(lines)


def clean(directory: Path) -> None:
    """Remove what Envoys that have ended leave in shared memory and in `directory`."""
    first = _first_base_id(directory)
    for base_id in range(first, first + _CHAINS):
        Path(f"/dev/shm/envoy_shared_memory_{base_id * 10}").unlink(missing_ok=True)  # noqa: S108
    for socket in [*directory.glob("hot_*"), *directory.glob("envoy-*/admin.sock")]:
        socket.unlink(missing_ok=True)


def _free_slot(table: ProcessTable) -> str:
    number = 0
    while (process := table.get(f"{_COMPONENT}-{number}")) is not None and process.exit_status is None:
        number += 1
    return f"{_COMPONENT}-{number}"


def _first_base_id(directory: Path) -> int:
    """It follows from the folder, so that two Isolines on a machine differ."""
    digest = hashlib.blake2b(os.fsencode(directory.resolve()), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _BASE_IDS


def _free_base_id(directory: Path, living: Iterable[Instance]) -> int:
    """One that no living Envoy of this folder has; raises EnvoyError when all are taken."""
    taken = {instance.base_id for instance in living}
    first = _first_base_id(directory)
    for base_id in range(first, first + _CHAINS):
        if base_id not in taken:
            return base_id
    raise EnvoyError(f"{len(taken)} Envoys of {directory} are draining already; wait until one has ended")


def _near(socket: Path, folder: Path) -> Path:
    """The shortest way from `folder` to a socket; raises EnvoyError when it does not fit into a socket's address."""
    absolute = socket.parent.resolve() / socket.name
    relative = Path(os.path.relpath(absolute, folder.resolve()))
    shortest = min(absolute, relative, key=lambda path: len(os.fsencode(path)))
    if len(os.fsencode(shortest)) > _LONGEST_SOCKET_PATH:
        raise EnvoyError(f"the path of the socket {absolute} is too long; put it next to {folder}, or nearer to /")
    return shortest
