"""A whole Isoline for a benchmark: `isoline up` as a user starts it, in folders of its own."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from benchmarks.manifests import Manifest
from benchmarks.ports import free_port

COMMAND = Path(sys.executable).with_name("isoline")
READY_SECONDS = 300.0


class Stack:
    """Owns its folders: they go with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="isoline-bench-"))
        self.manifests = self.folder / "manifests"
        self.manifests.mkdir()
        self.state = self.folder / "state"
        self.http_port, self.https_port = free_port(), free_port()
        self._output = self.folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        await self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *, cpu: int | None = None) -> float:
        """Starts `isoline up`, and all that it runs on one processor if given; returns when (`time.perf_counter`)."""
        ports = ["--http-port", str(self.http_port), "--https-port", str(self.https_port)]
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        command = [*pin, str(COMMAND), "up", str(self.manifests), "--state", str(self.state), *ports]
        with self._output.open("wb") as output:
            started = time.perf_counter()
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=_environment()
            )
        return started

    async def ready(self) -> None:
        """Waits until the screen shows the summary."""
        end = time.monotonic() + READY_SECONDS
        while "Console" not in self._output.read_text():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"isoline up did not get ready:\n{self._output.read_text()}")
            await asyncio.sleep(0.05)

    async def apply(self, objects: Iterable[Manifest]) -> None:
        """Applies objects as `isoline apply` does, over a connection that is kept."""
        await self._post("/apply", json.dumps(list(objects)).encode())

    async def apply_one(self, item: Manifest) -> None:
        await self.apply([item])

    async def summary(self) -> dict[str, Any]:
        """What `isoline up` says of itself."""
        async with self._connected().get("http://isoline/summary") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self.state / "isoline.sock"))
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(300))
        return self._session

    async def _post(self, path: str, body: bytes) -> None:
        async with self._connected().post(f"http://isoline{path}", data=body) as answer:
            text = await answer.text()
            if answer.status != 200 or '"refused"' in text:
                raise RuntimeError(text)

    async def kill(self) -> None:
        """kill -9 of the control plane, and of nothing else."""
        assert self._process is not None
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def down(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, 120)
        command = [str(COMMAND), "down", "--state", str(self.state)]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)

    @property
    def pid(self) -> int:
        """The control plane's."""
        assert self._process is not None
        return self._process.pid

    def processes(self) -> dict[str, int]:
        """Process ids of what it runs, by name."""
        return {
            file.parent.name: json.loads(file.read_text())["pid"]
            for file in sorted((self.state / "processes").glob("*/state.json"))
            if _alive(json.loads(file.read_text())["pid"])
        }

    @property
    def envoy_pid(self) -> int:
        return next(pid for name, pid in self.processes().items() if name.startswith("envoy"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _environment() -> dict[str, str]:
    """Whoever forbids Python to keep what it has compiled would compile all of it at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
