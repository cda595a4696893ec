"""A supervised process, seen from the control plane; it may have been started by an earlier one."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoline.processes import cgroups, procfs
from isoline.processes.logs import LogFile
from isoline.processes.shim.system import write_json
from isoline.processes.spec import ExitStatus, ProcessSpec


@dataclass(frozen=True, kw_only=True)
class State:
    """What `state.json` holds: who runs, told apart from later owners of the same pids."""

    boot_id: str
    pid: int
    start_ticks: int | None
    shim_pid: int
    shim_start_ticks: int | None
    started_at: float


class Process:
    """One process of a `ProcessTable`, alive or ended. Made by the table only."""

    def __init__(self, folder: Path, *, spec: ProcessSpec, state: State, cgroup: Path | None) -> None:
        self.spec = spec
        self.log = LogFile(folder / "log")
        self._folder = folder
        self._state = state
        self._cgroup = cgroup
        self._exit_status: ExitStatus | None = None
        same_boot = state.boot_id == procfs.boot_id()
        self._pidfd = procfs.open_pidfd(state.pid, state.start_ticks) if same_boot else None
        self._shim_pidfd = procfs.open_pidfd(state.shim_pid, state.shim_start_ticks) if same_boot else None

    def __del__(self) -> None:
        self._close()

    @property
    def name(self) -> str:
        """The name it has in its table."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """The pid of the program itself, which also numbers its session and its process group."""
        return self._state.pid

    @property
    def started_at(self) -> float:
        """When it was started, seconds since the epoch."""
        return self._state.started_at

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its spec, for the one who started it to know it again."""
        return self.spec.labels

    @property
    def limits_enforced(self) -> bool:
        """Whether the limits of its spec are enforced; True when it has none."""
        return self._cgroup is not None or (self.spec.memory_bytes is None and self.spec.cpu_cores is None)

    @property
    def alive(self) -> bool:
        """Whether the program is running now."""
        return self._pidfd is not None and not procfs.ended(self._pidfd)

    @property
    def exit_status(self) -> ExitStatus | None:
        """How it ended; None while it, or something that it started, is still there."""
        if self._exit_status is None and not any(map(_running, (self._pidfd, self._shim_pidfd))):
            self._exit_status = self._settle()
        return self._exit_status

    async def wait(self) -> ExitStatus:
        """Wait until the program and all that it started has ended, and return how the program did."""
        for pidfd in (self._shim_pidfd, self._pidfd):
            if pidfd is not None:
                await _wait_for(pidfd)
        status = self.exit_status
        assert status is not None
        return status

    async def stop(self, grace: float | None = None) -> ExitStatus:
        """Ask its process group to end, kill it after `grace` seconds (its spec's when not given), and wait for that.

        A second call may shorten the grace of the first, not lengthen it.
        """
        if _running(self._shim_pidfd):
            assert self._shim_pidfd is not None
            seconds = self.spec.grace if grace is None else grace
            write_json(str(self._folder / "stop.json"), {"grace": seconds})
            signal.pidfd_send_signal(self._shim_pidfd, signal.SIGTERM)
        elif self.alive:
            # Its shim was killed, and the program has taken back the parent-death signal or is about to get it.
            self.send_signal(signal.SIGKILL)
        return await self.wait()

    def send_signal(self, number: int) -> None:
        """Send a signal to the program alone; raises ProcessLookupError if it has ended."""
        if self._pidfd is None:
            raise ProcessLookupError(f"process {self.name} has ended")
        signal.pidfd_send_signal(self._pidfd, number)

    def _settle(self) -> ExitStatus:
        """Read how it ended, or work it out where the shim could not write it, and end what was left behind."""
        written = _exit_status(self._folder / "exit.json")
        if written is None:
            same_boot = self._state.boot_id == procfs.boot_id()
            if same_boot:
                procfs.end_session(self._state.pid, self._state.start_ticks)
            if self._cgroup is not None:
                cgroups.end(self._cgroup)
            words = self.log.last_words()
            # Without its shim the program was killed by the parent-death signal; without this boot, by who knows what.
            killed = int(signal.SIGKILL) if same_boot else None
            written = ExitStatus(code=None, signal=killed, at=time.time(), last_words=words)
            write_json(str(self._folder / "exit.json"), vars(written))
        self._close()
        return written

    def _close(self) -> None:
        for pidfd in (getattr(self, "_pidfd", None), getattr(self, "_shim_pidfd", None)):
            if pidfd is not None:
                os.close(pidfd)
        self._pidfd = self._shim_pidfd = None


def load(folder: Path) -> Process | None:
    """The process that `folder` describes; None if none was ever started there, or its files are not ours."""
    try:
        document: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())
        state = State(**json.loads((folder / "state.json").read_bytes()))
        cgroup = document.pop("cgroup")
        del document["executable"]
        cwd = document.pop("cwd")
        spec = ProcessSpec(**document | {"argv": tuple(document["argv"]), "cwd": None if cwd is None else Path(cwd)})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Process(folder, spec=spec, state=state, cgroup=None if cgroup is None else Path(cgroup))


def _exit_status(path: Path) -> ExitStatus | None:
    try:
        return ExitStatus(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _running(pidfd: int | None) -> bool:
    return pidfd is not None and not procfs.ended(pidfd)


async def _wait_for(pidfd: int) -> None:
    """Wait until the process behind `pidfd` has ended; each waiter has its own descriptor, so that many may wait."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    own = os.dup(pidfd)
    loop.add_reader(own, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(own)
        os.close(own)
