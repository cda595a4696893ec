"""The base line of the filter chain: the same Envoy, the same listener and routes, and no filter but the router."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from benchmarks import manifests
from benchmarks.ports import free_port
from isoline.cluster.store import Store
from isoline.envoy import BootstrapSettings, Envoy
from isoline.gateway import Renderer
from isoline.objects import decode_object
from isoline.processes import ProcessTable
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.messages import as_resource, packed
from isoline.xds.resources import Resource
from isoline.xds.server import Server

_ROUTER = "envoy.filters.http.router"


class RouterAlone:
    """An Envoy with one worker, on one processor, that serves one site of the benchmarks."""

    def __init__(self, backend_port: int, objects: Iterable[manifests.Manifest], *, cpu: int) -> None:
        self.http_port = free_port()
        self._cpu = cpu
        self._folder = tempfile.TemporaryDirectory(prefix="isoline-bench-")
        folder = Path(self._folder.name)
        self._cache = Cache()
        self._cache.update(self._resources([*manifests.backend(backend_port), *objects]))
        self._cache.mark_ready()
        socket = folder / "xds.sock"
        self._server = Server(self._cache, address=f"unix:{socket}", on_rejected=_refused)
        settings = BootstrapSettings(node_id="base-line", xds_socket=socket)
        self._envoy = Envoy(ProcessTable(folder / "processes"), folder / "envoy", settings, concurrency=1)

    async def __aenter__(self) -> Self:
        await self._server.start()
        await self._envoy.start()
        await self._envoy.wait_ready(60)
        self._pin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._envoy.stop(0)
        await self._server.stop()
        self._folder.cleanup()

    def _pin(self) -> None:
        for thread in Path(f"/proc/{self._envoy.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {self._cpu})

    def _resources(self, objects: Iterable[manifests.Manifest]) -> Iterator[Resource]:
        store = Store(INDEXES)
        store.apply(decode_object(item) for item in objects)
        scheduler = Scheduler(
            store,
            settings_of=lambda config: settings_from_config(config, one_machine=False),
            gateway_of=lambda config: gateway_from_config(config, http_port=self.http_port, https_port=free_port()),
        )
        renderer = Renderer()
        for update in scheduler.start():
            for resource in renderer.render(update).put:
                yield _stripped(resource) if resource.name.type_url == types.LISTENER else resource


def _stripped(resource: Resource) -> Resource:
    listener = listener_pb2.Listener.FromString(resource.body)
    for chain in listener.filter_chains:
        for each in chain.filters:
            manager = hcm.HttpConnectionManager()
            if not each.typed_config.Unpack(manager):
                continue
            router = next(one for one in manager.http_filters if one.name == _ROUTER)
            del manager.http_filters[:]
            manager.http_filters.append(router)
            manager.upgrade_configs[0].ClearField("filters")
            each.typed_config.CopyFrom(packed(manager))
    return as_resource(types.LISTENER, resource.name.name, listener)


def _refused(name: object, message: str) -> None:
    raise RuntimeError(f"Envoy refused {name}: {message}")
