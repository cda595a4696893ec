"""All supervised processes of one folder."""

import asyncio
import os
import shutil
import time
from pathlib import Path

from isoline.processes import launch, process
from isoline.processes.process import Process
from isoline.processes.spec import ProcessSpec, StartError

_SETTLE_SECONDS = 5.0


class ProcessTable:
    """Starts processes that outlive it and finds them again: `directory/<name>/` keeps what is known of each.

    One table at a time uses a folder; that is for the caller to see to.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._processes: dict[str, Process] = {}

    @property
    def processes(self) -> list[Process]:
        """Those started or adopted by this table, alive or ended, in that order."""
        return list(self._processes.values())

    async def start(self, spec: ProcessSpec) -> Process:
        """Start `spec` and return it once the program was executed.

        A name may be used again after its process has ended; its log goes on. Raises StartError with a sentence for
        the user.
        """
        folder = self._folder(spec.name)
        previous = self._processes.get(spec.name) or process.load(folder)
        # Asked before its files make way for those of the new one, it knows from then on how it ended.
        if previous is not None and previous.exit_status is None:
            raise StartError(f"cannot start {spec.name}: it is running already, as process {previous.pid}")
        await asyncio.to_thread(launch.launch, spec, folder)
        started = process.load(folder)
        if started is None:
            raise StartError(f"cannot start {spec.name}: its files in {folder} were removed while it started")
        self._processes[spec.name] = started
        return started

    def adopt(self) -> list[Process]:
        """Take over what an earlier table of this folder started, and return those still alive.

        Those that have ended are in `processes` too, with their `exit_status`; what such a one left running is ended.
        """
        folders = sorted(self._directory.iterdir()) if self._directory.is_dir() else []
        for folder in folders:
            if folder.name in self._processes or not (folder / "spec.json").exists():
                continue
            _settled(folder)
            found = process.load(folder)
            if found is not None and found.name == folder.name:
                self._processes[found.name] = found
        return [found for found in self._processes.values() if found.exit_status is None]

    def get(self, name: str) -> Process | None:
        """The process of that name, alive or ended; None if this table neither started nor adopted one."""
        return self._processes.get(name)

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop every process at the same time, each with `grace` seconds (its own when not given)."""
        await asyncio.gather(*(each.stop(grace) for each in self._processes.values()))

    def remove(self, name: str) -> None:
        """Forget an ended process and delete its folder with its log; a name that is not known is fine.

        Raises RuntimeError while it is running: stop it first.
        """
        folder = self._folder(name)
        if not folder.exists():
            self._processes.pop(name, None)
            return
        lock = launch.take_lock(folder)
        if lock is None:
            raise RuntimeError(f"process {name} is running; stop it before it is removed")
        try:
            shutil.rmtree(folder)
            self._processes.pop(name, None)
        finally:
            os.close(lock)

    def _folder(self, name: str) -> Path:
        return self._directory / name


def _settled(folder: Path) -> None:
    """Wait until a start that was under way when its table was killed has come to something; it takes some 50 ms."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not (folder / "state.json").exists() and time.monotonic() < deadline:
        lock = launch.take_lock(folder)
        if lock is not None:
            os.close(lock)
            return
        time.sleep(0.01)
