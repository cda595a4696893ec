"""Everything that runs on one machine, put together: source, controllers, the flow, Envoy, the control API."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoline.apps import Catalog, load_catalog
from isoline.cli import ports
from isoline.cli.ports import Ports
from isoline.cluster.directory import ManifestDirectory
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.console.context import Console, ReplicaLog
from isoline.console.wire import Summary
from isoline.controllers.manager import INDEXES as CONTROLLER_INDEXES
from isoline.controllers.manager import Controllers
from isoline.envoy import BootstrapSettings, Envoy, EnvoyEvent
from isoline.envoy.admin_messages import ClusterStatus
from isoline.gateway import Flow, Snapshot
from isoline.objects import GatewayConfig, GatewayConfigSpec, Key, parse_quantity
from isoline.processes import ProcessTable
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES as ROUTING_INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import GATEWAY_CONFIG, Settings, settings_from_config
from isoline.version import VERSION
from isoline.xds.cache import Cache
from isoline.xds.server import Server

ENVOY = Key("Envoy", "", "gateway")
STOP_DRAIN_SECONDS = 5.0
"""What requests in flight get when a person stops everything: a WebSocket would never end by itself."""
READY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a person may say to `isoline up`."""

    directory: Path | None
    state: Path
    http_port: int | None = None
    https_port: int | None = None


class OneMachine:
    """One state folder's Isoline. `running` starts it, and ends it with all that it started."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.state = StateFolder(options.state)
        self.stop = asyncio.Event()
        """Set by whoever wants it to end."""
        self.started = time.time()
        self.ports = Ports(0, 0)
        self.catalog: Catalog = load_catalog()
        directory = ManifestDirectory(options.directory) if options.directory is not None else None
        self.store = Store((*ROUTING_INDEXES, *CONTROLLER_INDEXES))
        self._directory = directory

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises LockedError, StateFolderError, DirectoryError, PortError, StartError or EnvoyError."""
        async with AsyncExitStack() as stack:
            self.state.acquire()
            stack.callback(self.state.release)
            await self._start_source(stack)
            await self._start_gateway(stack)
            yield

    async def _start_source(self, stack: AsyncExitStack) -> None:
        self.source = LocalSource(self.store, self.state, self._directory)
        await self.source.start()
        stack.push_async_callback(self.source.stop)

    async def _start_gateway(self, stack: AsyncExitStack) -> None:
        table = ProcessTable(self.state.processes)
        remembered = ports.remembered(self.state.path / "ports.json")
        adopted = any(process.labels.get("component") == "envoy" for process in table.adopt())
        self.ports = ports.choose(
            self._config(),
            http=self.options.http_port,
            https=self.options.https_port,
            running=remembered if adopted else None,
        )
        ports.remember(self.state.path / "ports.json", self.ports)
        self.controllers = Controllers(
            self.source,
            self.state,
            table,
            commands=self.options.directory or Path.cwd(),
            https_port=lambda: self.ports.https,
            catalog=self.catalog,
        )
        cache = Cache()
        snapshot = Snapshot(self.state.snapshot)
        self.flow = Flow(
            self.store, cache, self._scheduler(), on_statuses=self.controllers.statuses.put, snapshot=snapshot
        )
        if not adopted:
            # An Envoy that runs already holds something newer than what was kept.
            self.flow.restore()
        self.server = Server(cache, address=f"unix:{self.state.xds_socket}", on_rejected=self.flow.refused)
        await self.server.start()
        stack.push_async_callback(self.server.stop)
        self.envoy = Envoy(table, self.state.path / "envoy", self._bootstrap(), on_event=self._tell_of_envoy)
        await self.envoy.start()
        stack.push_async_callback(snapshot.flush)
        stack.push_async_callback(self.controllers.stop)
        stack.push_async_callback(self.envoy.stop, STOP_DRAIN_SECONDS)
        await self.controllers.start()
        await self._in_background(stack, self.flow.run(), snapshot.run(), self._follow_config())
        await self.flow.caught_up.wait()

    async def _in_background(self, stack: AsyncExitStack, *work: Coroutine[Any, Any, None]) -> None:
        for each in work:
            task = asyncio.create_task(each)
            task.add_done_callback(self._ended)
            stack.push_async_callback(_cancelled, task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            # Better an end that is seen than a gateway that no longer follows.
            self.failure = task.exception()
            self.stop.set()

    failure: BaseException | None = None

    def _scheduler(self) -> Scheduler:
        return Scheduler(
            self.store,
            settings_of=_settings,
            gateway_of=lambda config: gateway_from_config(
                config, http_port=self.ports.http, https_port=self.ports.https
            ),
        )

    def _config(self) -> GatewayConfig | None:
        config = self.store.get(GATEWAY_CONFIG)
        return config if isinstance(config, GatewayConfig) else None

    def _bootstrap(self) -> BootstrapSettings:
        config = self._config()
        limits = (config.spec if config is not None else GatewayConfigSpec()).limits
        return BootstrapSettings(
            node_id="gateway",
            xds_socket=self.state.xds_socket,
            max_heap_bytes=int(parse_quantity(limits.heap)),
            max_connections=limits.connections,
        )

    async def _follow_config(self) -> None:
        """Some settings are read when an Envoy starts: then a new one takes over the listeners."""
        async for changes in self.store.follow(self.store.position):
            if any(change.key == GATEWAY_CONFIG and not change.status_only for change in changes):
                await self.envoy.reconfigure(self._bootstrap())

    def _tell_of_envoy(self, event: EnvoyEvent) -> None:
        bad = event.reason in ("Crashed", "ReplaceFailed")
        record = self.source.events.warning if bad else self.source.events.normal
        record(ENVOY, event.reason, event.message)

    @property
    def self_signed(self) -> bool:
        """Whether the local CA issues what is missing."""
        return _settings(self._config()).self_signed

    # --- what the control API shows ---

    def console(self) -> Console:
        return Console(
            source=self.source,
            catalog=self.catalog,
            traffic=self,
            settings=lambda: _settings(self._config()),
            touched_hosts=self.flow.touched_hosts,
            logs=self.logs,
            summary=self.summary,
        )

    async def clusters(self) -> Sequence[ClusterStatus]:
        """As Envoy sees them."""
        return await self.envoy.admin.clusters()

    def logs(self, deployment: Key) -> list[ReplicaLog]:
        return [
            ReplicaLog(replica.name, container, log)
            for replica in self.controllers.replicas_of(deployment)
            for container, log in replica.logs.items()
        ]

    def summary(self) -> Summary:
        return Summary(
            version=VERSION,
            pid=os.getpid(),
            started=self.started,
            state=str(self.state.path),
            directory=str(self.options.directory) if self.options.directory is not None else None,
            http_port=self.ports.http,
            https_port=self.ports.https,
            ready=self.flow.caught_up.is_set(),
        )


def _settings(config: GatewayConfig | None) -> Settings:
    return settings_from_config(config, one_machine=True)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
