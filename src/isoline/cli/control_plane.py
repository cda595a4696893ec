"""The control plane of a cluster, put together: source, the flow, the xDS server, statuses, election, monitoring."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from isoline.cli import kept
from isoline.cli.control_plane_options import Options
from isoline.cli.monitoring import Figures, MonitoringServer
from isoline.cli.tasks import cancelled
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.cluster.kubernetes.following import APPS, MADE, OPTIONAL, ROUTING
from isoline.cluster.kubernetes.leases import LeaderElection
from isoline.cluster.kubernetes.secrets import OwnSecrets
from isoline.cluster.kubernetes.source import KubernetesSource
from isoline.cluster.store import PositionExpiredError, Store
from isoline.controllers import xds_certificates
from isoline.controllers.authority import utc
from isoline.controllers.clock import SystemClock
from isoline.controllers.gateway import cluster_gateway_status
from isoline.controllers.operator import Operator
from isoline.controllers.statuses import StatusWriter
from isoline.gateway import Flow, Snapshot, Statuses
from isoline.objects import GatewayConfig, Key, ObjectMeta, Service, encode
from isoline.objects.core import LoadBalancerIngress, LoadBalancerStatus
from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import GATEWAY_CONFIG, Settings, settings_from_config
from isoline.xds.cache import Cache
from isoline.xds.credentials import server_credentials
from isoline.xds.server import Server

PUBLIC_HTTPS_PORT = 443
"""What clients see, whatever port Envoy listens on behind a Service or a host port."""
LOOK_AT_CONNECTIONS_SECONDS = 2.0
LOOK_AT_CERTIFICATES_SECONDS = 600.0

_log = structlog.get_logger(__name__)


class ControlPlane:
    """One replica. `running` starts it, and ends it."""

    def __init__(self, options: Options) -> None:
        """Raises xds.credentials.CredentialsError."""
        self.options = options
        self.failure: BaseException | None = None
        """What ended it, when nobody asked for its end."""
        self.stop = asyncio.Event()
        """Set by whoever wants it to end."""
        self.store = Store(INDEXES)
        self.client = Client(options.connection)
        self.source = KubernetesSource(
            self.client,
            self.store,
            kinds=(*ROUTING, *APPS),
            made=MADE,
            optional=OPTIONAL,
            namespaces=options.namespaces,
            singles=[options.envoy_service] if options.envoy_service is not None else [],
        )
        self.source.on_failure = self._failed
        self._addresses = _given_addresses(options.status_addresses)
        self._refused = ""
        self.cache = Cache()
        self._snapshot = self._kept(options.snapshot) if options.snapshot is not None else None
        scheduler = Scheduler(
            self.store, settings_of=self._settings, gateway_of=self._gateway, on_lookup=self.source.looked_up
        )
        self.flow = Flow(
            self.store,
            self.cache,
            scheduler,
            on_statuses=self._write,
            on_refused=self._tell_of_refusal,
            on_gateway=self._gateway_refused,
            snapshot=self._snapshot,
            settle=self.source.secrets.settled,
        )
        certificates = options.xds_certificates
        self.server = Server(
            self.cache,
            address=str(options.xds),
            on_rejected=self.flow.refused,
            on_late=self.flow.late,
            credentials=server_credentials(certificates) if certificates is not None else None,
        )
        self.statuses = StatusWriter(self.source, SystemClock(), addresses=lambda: self._addresses)
        self.operator = Operator(
            self.source,
            SystemClock(),
            https_port=PUBLIC_HTTPS_PORT,
            offered_kinds=lambda: self.source.offered,
        )
        self.source.on_offer = self.operator.look_at_all
        self.monitoring = MonitoringServer(
            Figures(self.source, self.server, self.flow),
            host=options.metrics.host,
            port=options.metrics.port,
            ready=self._waiting_for,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ready when everything is served. Raises AddressError or OSError for an address that is taken."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.client.close)
            await self.monitoring.start()
            stack.push_async_callback(self.monitoring.stop)
            restored = self.flow.restore()
            await self.server.start()
            stack.push_async_callback(self.server.stop)
            stack.push_async_callback(self.source.stop)
            self.statuses.start()
            stack.push_async_callback(self.statuses.stop)
            stack.push_async_callback(self.operator.stop)
            await self._until(self.source.start())
            if restored:
                await self._until(kept.fed(self.server))
            if self._snapshot is not None:
                stack.push_async_callback(self._snapshot.flush)
                self._run(stack, self._snapshot.run())
            self._run(stack, self.flow.run())
            await self._until(self.flow.caught_up.wait())
            self._run(stack, self._follow_addresses())
            self._run(stack, self._follow_connections())
            if self.options.rotate_in is not None:
                self._run(stack, self._rotate(self.options.rotate_in))
            await self._start_election(stack)
            yield

    async def _until(self, done: Coroutine[Any, Any, object]) -> None:
        """Wait for something, or for the end."""
        waiting = asyncio.create_task(done)
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not waiting.done():
            waiting.cancel()
            raise asyncio.CancelledError
        waiting.result()

    def _run(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        stack.push_async_callback(cancelled, task)

    async def _start_election(self, stack: AsyncExitStack) -> None:
        if self.options.lease is None:
            self._lead(True)
            return
        election = LeaderElection(self.client, self.options.lease, identity=self.options.identity, on_change=self._lead)
        stack.push_async_callback(election.release)
        self._run(stack, election.run())

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        # Better an end that is seen, and another start, than a gateway that no longer follows.
        self.failure = error
        self.stop.set()

    # --- settings ---

    def _config(self, config: GatewayConfig | None) -> GatewayConfig:
        chosen = config or self.options.config or GatewayConfig(metadata=ObjectMeta(name=GATEWAY_CONFIG.name))
        return self.options.adjust(chosen)

    def _settings(self, config: GatewayConfig | None) -> Settings:
        return settings_from_config(self._config(config), one_machine=False)

    def _kept(self, path: Path) -> Snapshot:
        options = self.options
        ports = f"{options.http_port} {options.https_port}"
        told = (options.connection.server, *options.namespaces, ports, encode(self._config(None)).decode())
        return kept.snapshot(path, told)

    def _gateway(self, config: GatewayConfig | None) -> ir.Gateway:
        return gateway_from_config(
            self._config(config),
            http_port=self.options.http_port,
            https_port=self.options.https_port,
            public_https_port=PUBLIC_HTTPS_PORT,
        )

    # --- statuses ---

    def _write(self, statuses: Statuses) -> None:
        if self.source.leading:
            self.statuses.put(statuses)

    def _lead(self, leading: bool) -> None:
        self.source.lead(leading)
        self.operator.lead(leading)
        if leading:
            # What was found while another led, or nobody did; what is written already is not written again.
            self.statuses.put(self.flow.statuses())
            self._report()

    def _tell_of_refusal(self, owners: Sequence[Key], message: str) -> None:
        for owner in owners or (GATEWAY_CONFIG,):
            self.source.events.warning(owner, "RejectedByEnvoy", message)

    def _gateway_refused(self, words: str) -> None:
        self._refused = words

    async def _follow_addresses(self) -> None:
        """Where nobody says where traffic arrives, the Service before the Envoys does."""
        service = self.options.envoy_service
        if self.options.status_addresses or service is None:
            return
        while True:
            position = self.store.position
            found = self.store.get(service)
            addresses = found.status.load_balancer if isinstance(found, Service) else LoadBalancerStatus()
            if addresses != self._addresses:
                self._addresses = addresses
                if self.source.leading:
                    self.statuses.put(self.flow.statuses())
            with contextlib.suppress(PositionExpiredError):
                async for changes in self.store.follow(position):
                    if any(change.key == service for change in changes):
                        break

    async def _follow_connections(self) -> None:
        """Says in the GatewayConfig's status, where there is one, whether what is served is up to date."""
        following = True
        while True:
            now = self.source.connectivity()
            if now.following != following:
                following = now.following
                _log.warning("up to date again" if following else "not up to date", reason=now.trouble or None)
            self._report()
            await asyncio.sleep(LOOK_AT_CONNECTIONS_SECONDS)

    async def _rotate(self, namespace: str) -> None:
        """Renews, while we lead, the certificates of the stream to the Envoys."""
        secrets = OwnSecrets(self.client, namespace, manager="xds-certificates")
        while True:
            try:
                # Without a CA of ours they are somebody else's to renew.
                if self.source.leading and await secrets.read(xds_certificates.AUTHORITY) is not None:
                    now = utc(SystemClock().now())
                    written = await xds_certificates.renew(secrets, namespace=namespace, now=now)
                    if written:
                        _log.info("certificates renewed", secrets=written)
            except KubernetesError as error:
                _log.warning("certificates not looked after", namespace=namespace, reason=str(error))
            await asyncio.sleep(LOOK_AT_CERTIFICATES_SECONDS)

    def _report(self) -> None:
        config = self.store.get(GATEWAY_CONFIG)
        if isinstance(config, GatewayConfig):
            gateway = self._gateway(config)
            listeners = [each for each in (gateway.http, gateway.https) if each is not None]
            status = cluster_gateway_status(
                config,
                addresses=[f"{each.address}:{each.port}" for each in listeners],
                trouble=self.source.connectivity().trouble,
                refused=self._refused,
                now=SystemClock().now(),
            )
            self.source.set_status(GATEWAY_CONFIG, status)

    def _waiting_for(self) -> str:
        if self.cache.restored and self.source.connectivity().trouble:
            # What was kept is all that there is to serve until the API server is back.
            return ""
        if not self.source.synced.is_set():
            waiting = [each.kind.plural for each in self.source.followed if not each.settled.is_set()]
            return f"objects have not come yet: {', '.join(dict.fromkeys(waiting))}"
        return "" if self.flow.caught_up.is_set() else "not everything is compiled yet"


def _given_addresses(texts: Sequence[str]) -> LoadBalancerStatus | None:
    if not texts:
        return None
    return LoadBalancerStatus(ingress=tuple(_ingress(text) for text in texts))


def _ingress(text: str) -> LoadBalancerIngress:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return LoadBalancerIngress(hostname=text)
    return LoadBalancerIngress(ip=text)
