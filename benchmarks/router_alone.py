"""The base line of the filter chain: the same Envoy, the same listener and routes, and no filter but the router."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from benchmarks import manifests
from benchmarks.base_line import BaseLine
from benchmarks.ports import free_port
from isoline.cluster.store import Store
from isoline.gateway import Renderer
from isoline.objects import decode_object
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.xds import types
from isoline.xds.messages import as_resource, packed
from isoline.xds.resources import Resource

_ROUTER = "envoy.filters.http.router"


class RouterAlone(BaseLine):
    """An Envoy with one worker, on one processor, that serves one site of the benchmarks."""

    def __init__(self, backend_port: int, objects: Iterable[manifests.Manifest], *, cpu: int) -> None:
        super().__init__(concurrency=1)
        self._cpu = cpu
        self.serve(self._resources([*manifests.backend(backend_port), *objects]))

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._pin()
        return self

    def _pin(self) -> None:
        for thread in Path(f"/proc/{self.envoy.pid}/task").iterdir():
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
