"""Everything that runs on one machine, put together: source, controllers, the flow, Envoy, the control API."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from isoline.apps import Catalog, load_catalog
from isoline.cli import lastrun, ports
from isoline.cli.journal import log_to
from isoline.cli.ports import Ports
from isoline.cli.rate_limits import OwnRateLimits
from isoline.cli.tasks import cancelled
from isoline.cluster.directory import ManifestDirectory
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import PositionExpiredError, Store
from isoline.controllers.gateway import gateway_status
from isoline.controllers.manager import INDEXES as CONTROLLER_INDEXES
from isoline.controllers.manager import Controllers
from isoline.envoy import BootstrapSettings, Envoy, EnvoyError, EnvoyEvent
from isoline.envoy.rate_limit_server import RateLimitServerError
from isoline.gateway import Flow, KeptCertificates, Snapshot, Statuses
from isoline.objects import GatewayConfig, Key
from isoline.processes import ProcessTable, StartError
from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES as ROUTING_INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import GATEWAY_CONFIG, Settings, settings_from_config
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
        self.source = LocalSource(self.store, self.state, directory)
        self.failure: BaseException | None = None
        """What ended it, when nobody asked for its end."""
        self._table = ProcessTable(self.state.processes)
        self._snapshot = Snapshot(self.state.snapshot)
        self._certificates = KeptCertificates(self.state.certificates)
        self._running_ports: Ports | None = None
        self._restored = False
        self._trouble = ""
        self._refused = ""
        self._limits = OwnRateLimits(self.state.rate_limit_socket)
        cache = Cache()
        self.flow = Flow(
            self.store,
            cache,
            self._scheduler(),
            on_statuses=self._write,
            on_refused=self._tell_of_refusal,
            snapshot=self._snapshot,
            certificates=self._certificates,
            on_gateway=self._gateway_refused,
        )
        self.server = Server(
            cache,
            address=f"unix:{self.state.xds_socket}",
            on_rejected=self.flow.refused,
            on_late=self.flow.late,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises LockedError, StateFolderError, DirectoryError, PortError, StartError or EnvoyError."""
        async with AsyncExitStack() as stack:
            self.state.acquire()
            stack.callback(self.state.release)
            # Before anything can go wrong: until then an exception would be shown with all its variables.
            log_to(self.state.path / "control-plane.log")
            await self._start_envoy(stack)
            await self._start_source(stack)
            await self._start_controllers(stack)
            await self._start_flow(stack)
            yield

    async def _start_envoy(self, stack: AsyncExitStack) -> None:
        """First of all, so that it boots while manifests are read."""
        options = self.options
        last = lastrun.read(self.state.path)
        adopted = any(process.labels.get("component") == "envoy" for process in self._table.adopt())
        # An Envoy that runs already holds something newer than what was kept.
        restorable = not adopted and last is not None and last.fits(http=options.http_port, https=options.https_port)
        self._restored = restorable and self.flow.restore()
        if last is not None and (adopted or self._restored):
            self._running_ports = last.ports
        await self.server.start()
        stack.push_async_callback(self.server.stop)
        settings = self._bootstrap(last.limits if last is not None else lastrun.limits_of(None))
        # Envoy would count the machine's processors, also those that this process may not use.
        workers = len(os.sched_getaffinity(0))
        self.envoy = Envoy(self._table, self.state.path / "envoy", settings, workers, on_event=self._tell_of_envoy)
        await self.envoy.start()
        # Should the start fail from here on: what was serving goes on, what nobody knows of yet does not stay behind.
        stack.push_async_callback(self.envoy.detach if adopted else self._stop_envoy)

    async def _stop_envoy(self) -> None:
        if self.failure is not None:
            # It is the control plane that is broken: traffic goes on, and the next run takes it over.
            await self.envoy.detach()
        elif self.envoy.state != "stopped":
            await self.envoy.stop(STOP_DRAIN_SECONDS)

    async def _stop_controllers(self) -> None:
        await (self.controllers.stop() if self.failure is None else self.controllers.detach())

    async def _start_source(self, stack: AsyncExitStack) -> None:
        await self.source.start()
        stack.push_async_callback(self.source.stop)
        stack.push_async_callback(self._limits.stop)
        await self._follow_limits(self._config())
        self.ports = ports.choose(
            self._config(),
            http=self.options.http_port,
            https=self.options.https_port,
            running=self._running_ports,
        )

    async def _start_controllers(self, stack: AsyncExitStack) -> None:
        self.controllers = Controllers(
            self.source,
            self.state,
            self._table,
            commands=self.options.directory or Path.cwd(),
            https_port=lambda: self._ports_of(self._config()).https,
            catalog=self.catalog,
        )
        stack.push_async_callback(self._snapshot.flush)
        stack.push_async_callback(self._certificates.flush)
        stack.push_async_callback(self._stop_controllers)
        # Traffic ends before what it goes to.
        stack.push_async_callback(self._stop_envoy)
        await self.controllers.start()

    async def _start_flow(self, stack: AsyncExitStack) -> None:
        if self._restored:
            # It is being served: compiling the present would only hold that up.
            await self._until_ready()
        work = (self.flow.run(), self._snapshot.run(), self._certificates.run(), self._follow_config())
        for each in work:
            task = asyncio.create_task(each)
            task.add_done_callback(self._ended)
            stack.push_async_callback(cancelled, task)
        caught_up = asyncio.create_task(self.flow.caught_up.wait())
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait((caught_up, stopped), return_when=asyncio.FIRST_COMPLETED)
        caught_up.cancel()
        stopped.cancel()
        if not self.stop.is_set():
            await self._until_ready()

    async def _until_ready(self) -> None:
        try:
            await self.envoy.wait_ready(READY_SECONDS)
        except EnvoyError as error:
            self.source.events.warning(ENVOY, "NotReady", str(error))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            # Better an end that is seen than a gateway that no longer follows.
            self.failure = task.exception()
            self.stop.set()

    def _scheduler(self) -> Scheduler:
        return Scheduler(self.store, settings_of=_settings, gateway_of=self._gateway_of)

    def _gateway_of(self, config: GatewayConfig | None) -> ir.Gateway:
        return gateway_from_config(
            config,
            http_port=self.ports.http,
            https_port=self.ports.https,
            rate_limit_socket=str(self.state.rate_limit_socket),
        )

    def _ports_of(self, config: GatewayConfig | None) -> Ports:
        gateway = self._gateway_of(config)
        assert gateway.http is not None
        assert gateway.https is not None
        return Ports(gateway.http.port, gateway.https.port, self.ports.why)

    def _config(self) -> GatewayConfig | None:
        config = self.store.get(GATEWAY_CONFIG)
        return config if isinstance(config, GatewayConfig) else None

    def _bootstrap(self, limits: lastrun.EnvoyLimits) -> BootstrapSettings:
        return BootstrapSettings(
            node_id="gateway",
            xds_socket=self.state.xds_socket,
            max_heap_bytes=limits.heap_bytes,
            max_connections=limits.connections,
        )

    async def _follow_config(self) -> None:
        """Some settings are read when an Envoy starts: then a new one takes over the listeners."""
        while True:
            position = self.store.position
            config = self._config()
            limits = lastrun.limits_of(config)
            self.ports = self._ports_of(config)
            lastrun.LastRun(self.ports, limits).write(self.state.path)
            self._report()
            await self._follow_limits(config)
            try:
                await self.envoy.reconfigure(self._bootstrap(limits))
            except (EnvoyError, StartError) as error:
                self.source.events.warning(ENVOY, "ReplaceFailed", str(error))
            with contextlib.suppress(PositionExpiredError):
                async for changes in self.store.follow(position):
                    if any(change.key == GATEWAY_CONFIG and not change.status_only for change in changes):
                        break

    async def _follow_limits(self, config: GatewayConfig | None) -> None:
        try:
            await self._limits.follow(config)
        except RateLimitServerError as error:
            self.source.events.warning(GATEWAY_CONFIG, "RateLimitServiceFailed", str(error))

    def _write(self, statuses: Statuses) -> None:
        self.controllers.statuses.put(statuses)

    def _tell_of_refusal(self, owners: Sequence[Key], message: str) -> None:
        # What no site gave is the gateway's own.
        for owner in owners or (ENVOY,):
            self.source.events.warning(owner, "RejectedByEnvoy", message)

    def _tell_of_envoy(self, event: EnvoyEvent) -> None:
        bad = event.reason in ("Crashed", "ReplaceFailed")
        record = self.source.events.warning if bad else self.source.events.normal
        record(ENVOY, event.reason, event.message)
        self._trouble = event.message if event.reason == "Crashed" else ""
        self._report()

    def _gateway_refused(self, words: str) -> None:
        self._refused = words
        self._report()

    def _report(self) -> None:
        """Says in the GatewayConfig's status, where there is one, what has become of it."""
        config = self._config()
        if config is not None and self.source.synced.is_set():
            gateway = self._gateway_of(config)
            listeners = [each for each in (gateway.http, gateway.https) if each is not None]
            addresses = [f"{each.address}:{each.port}" for each in listeners]
            now = time.time()
            trouble, refused = self._trouble, self._refused
            status = gateway_status(config, addresses=addresses, trouble=trouble, refused=refused, now=now)
            self.source.set_status(GATEWAY_CONFIG, status)

    @property
    def settings(self) -> Settings:
        """What routes are compiled with at present."""
        return _settings(self._config())


def _settings(config: GatewayConfig | None) -> Settings:
    return settings_from_config(config, one_machine=True)
