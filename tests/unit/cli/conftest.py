"""A control API over a real local source, in a loop of its own, and the command line that talks to it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from typer.testing import CliRunner

from isoline.apps import load_catalog
from isoline.cli.commands import app
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.console.api import ControlServer
from isoline.console.context import Console, ReplicaLog
from isoline.console.wire import Summary
from isoline.envoy.admin_messages import ClusterStatus
from isoline.objects import Key
from isoline.processes.logs import LogFile
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config

T = TypeVar("T")
SETTINGS = settings_from_config(None, one_machine=True)


class Answer(NamedTuple):
    code: int
    out: str
    err: str


class Isoline:
    """What `isoline up` runs, but for Envoy and the processes; those say what a test puts into them."""

    def __init__(self, state: StateFolder) -> None:
        self.state = state
        self.statuses: list[ClusterStatus] = []
        self.replicas: list[ReplicaLog] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.source: LocalSource

    def start(self) -> None:
        self.state.acquire()
        self._thread.start()
        self.do(self._start())

    def stop(self) -> None:
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.state.release()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something where the source lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def add_log(self, replica: str, *lines: tuple[float, str]) -> LogFile:
        folder = self.state.path / "processes" / replica / "log"
        folder.mkdir(parents=True, exist_ok=True)
        log = ReplicaLog(replica, "voice", LogFile(folder))
        self.replicas.append(log)
        for at, text in lines:
            self.write_log(log.log, at, text)
        return log.log

    @staticmethod
    def write_log(log: LogFile, at: float, text: str) -> None:
        with (log.directory / "current").open("a") as file:
            file.write(f"{datetime.fromtimestamp(at, UTC).isoformat()} {text}\n")

    async def _start(self) -> None:
        self.source = LocalSource(Store(INDEXES), self.state, None)
        await self.source.start()
        self._scheduler = Scheduler(
            self.source.store,
            settings_of=lambda _: SETTINGS,
            gateway_of=lambda config: gateway_from_config(config, http_port=8080, https_port=8443),
        )
        self._compiling = asyncio.create_task(self._compile())
        self._server = ControlServer(self._console(), self.state.control_socket)
        await self._server.start()

    async def _stop(self) -> None:
        await self._server.stop()
        self._compiling.cancel()
        await asyncio.gather(self._compiling, return_exceptions=True)
        await self.source.stop()

    async def _compile(self) -> None:
        position = self.source.store.position
        for _ in self._scheduler.start():
            pass
        async for changes in self.source.store.follow(position):
            self._scheduler.apply(changes)

    def _console(self) -> Console:
        return Console(
            source=self.source,
            catalog=load_catalog(),
            traffic=self,
            settings=lambda: SETTINGS,
            foresee=self._scheduler.foresee,
            logs=lambda _: self.replicas,
            summary=self.summary,
        )

    async def clusters(self) -> Sequence[ClusterStatus]:
        return self.statuses

    def summary(self) -> Summary:
        return Summary(
            version="0",
            pid=1,
            started=0.0,
            state="",
            directory=None,
            http_port=None,
            https_port=None,
            ready=True,
            resources_sent=0,
        )

    def key(self, kind: str, name: str) -> Key:
        return Key(kind, "default", name)


@pytest.fixture
def isoline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Isoline]:
    monkeypatch.setenv("ISOLINE_STATE", str(tmp_path / "state"))
    running = Isoline(StateFolder(tmp_path / "state"))
    running.start()
    yield running
    running.stop()


class Run:
    """Runs a command as a person does."""

    def __call__(self, *arguments: str, stdin: str | None = None) -> Answer:
        result = CliRunner().invoke(app, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    from isoline.cli import output

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")
    output.console.cache_clear()
    output.complaints.cache_clear()
    return Run()
