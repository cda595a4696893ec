"""The control API over a cluster, for as long as one command lasts: the same answers, from what the API server says."""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from isoline.apps import Offered, Target, load_catalog
from isoline.cli.errors import FoundWrongError
from isoline.cluster.kubernetes.client import Client as ApiClient
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.cluster.kubernetes.source import KubernetesSource
from isoline.cluster.store import Store
from isoline.console.api import ControlServer
from isoline.console.context import Console
from isoline.console.wire import Summary
from isoline.controllers.apps import Apps
from isoline.envoy.admin import AdminError
from isoline.envoy.admin_messages import ClusterStatus
from isoline.gateway import Flow
from isoline.objects import GatewayConfig
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import GATEWAY_CONFIG, Settings, settings_from_config
from isoline.version import VERSION
from isoline.xds.cache import Cache

ANSWER_SECONDS = 60.0
T = TypeVar("T")


class Extent(NamedTuple):
    """What of a cluster a question is about. Without namespaces it is all of them."""

    kinds: tuple[str, ...]
    namespaces: tuple[str, ...]
    every_secret: bool = False
    """Else only certificates, and what is named by something."""
    made: tuple[str, ...] = ()
    """Further kinds, of which only what our controllers made is meant."""
    optional: tuple[str, ...] = ()
    """The same, of kinds that a cluster need not have."""


class Background:
    """An event loop on a thread of its own, for commands that are not asynchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Have it done there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the loop; what should be ended in it has to be ended before."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class ClusterConsole:
    """Serves the control API at `<folder>/isoline.sock`."""

    def __init__(self, background: Background, connection: Connection, extent: Extent) -> None:
        """Returns when everything has come. Raises FoundWrongError when it cannot."""
        self._background = background
        self._stack = AsyncExitStack()
        self._folder = tempfile.TemporaryDirectory(prefix="isoline-")
        self.folder = Path(self._folder.name)
        self._connection = connection
        try:
            self._background.start(self._open(extent)).result(ANSWER_SECONDS)
        except (KubernetesError, TimeoutError) as error:
            self.close()
            raise FoundWrongError(str(error) or f"{connection.server} does not answer") from error

    def close(self) -> None:
        """End it."""
        self._background.start(self._stack.aclose()).result(ANSWER_SECONDS)
        self._folder.cleanup()

    async def clusters(self) -> Sequence[ClusterStatus]:
        """As `Traffic`: there are several Envoys, and none on this machine."""
        raise AdminError("the Envoys of a cluster are asked on their own admin interfaces")

    async def _open(self, extent: Extent) -> None:
        client = ApiClient(self._connection)
        self._stack.push_async_callback(client.close)
        # An error at once, in words, where waiting would say nothing.
        await client.send("GET", "/version")
        self.source = KubernetesSource(
            client,
            Store(INDEXES),
            kinds=extent.kinds,
            made=extent.made,
            optional=extent.optional,
            namespaces=extent.namespaces,
            every_secret=extent.every_secret,
            insistent=False,
        )
        self._stack.push_async_callback(self.source.stop)
        await self.source.start()
        refused = [each for each in self.source.followed if each.state == "refused"]
        if refused and len(refused) == len(self.source.followed):
            raise KubernetesError(refused[0].trouble)
        flow = self._flow()
        running = asyncio.create_task(flow.run())
        self._stack.callback(running.cancel)
        await flow.caught_up.wait()
        server = ControlServer(self._console(flow), self.folder / "isoline.sock")
        await server.start()
        self._stack.push_async_callback(server.stop)

    def _flow(self) -> Flow:
        scheduler = Scheduler(
            self.source.store,
            settings_of=_settings,
            gateway_of=lambda config: gateway_from_config(config, http_port=80, https_port=443),
            on_lookup=self.source.looked_up,
        )
        return Flow(
            self.source.store,
            Cache(),
            scheduler,
            on_statuses=lambda _: None,
            on_refused=lambda _owners, _message: None,
            settle=self.source.secrets.settled,
        )

    def _console(self, flow: Flow) -> Console:
        return Console(
            source=self.source,
            catalog=load_catalog(),
            traffic=self,
            settings=lambda: _settings(self._config()),
            foresee=flow.foresee,
            logs=lambda _: (),
            summary=self._summary,
            target=Target.KUBERNETES,
            offered=self._offered,
            rehearse=lambda child: self.source.rehearse(child, origin=Apps.name),
        )

    def _config(self) -> GatewayConfig | None:
        config = self.source.store.get(GATEWAY_CONFIG)
        return config if isinstance(config, GatewayConfig) else None

    def _offered(self) -> Offered:
        config = self._config()
        return Offered(self.source.offered, config.spec.tls.issuer if config is not None else None)

    def _summary(self) -> Summary:
        return Summary(
            version=VERSION,
            pid=os.getpid(),
            started=time.time(),
            state=self._connection.server,
            directory=None,
            http_port=None,
            https_port=None,
            ready=True,
            resources_sent=0,
        )


def _settings(config: GatewayConfig | None) -> Settings:
    return settings_from_config(config, one_machine=False)
