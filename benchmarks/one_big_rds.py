"""The base line: the same Envoy and delta stream, but all sites in one RouteConfiguration, as most gateways do."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from benchmarks import manifests
from benchmarks.ports import free_port
from isoline.envoy import BootstrapSettings, Envoy
from isoline.processes import ProcessTable
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.messages import ads, as_resource, packed
from isoline.xds.server import Server

ROUTES = "all"


class OneBigRds:
    """An Envoy whose every change is a new version of everything."""

    def __init__(self, size: int, backend_port: int) -> None:
        self.http_port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="isoline-bench-")
        folder = Path(self._folder.name)
        self._cache = Cache()
        socket = folder / "xds.sock"
        self._server = Server(self._cache, address=f"unix:{socket}", on_rejected=_refused)
        settings = BootstrapSettings(node_id="base-line", xds_socket=socket)
        self._envoy = Envoy(ProcessTable(folder / "processes"), folder / "envoy", settings)
        self._routes = route_pb2.RouteConfiguration(name=ROUTES)
        for number in range(size):
            host = self._routes.virtual_hosts.add(name=str(number), domains=[manifests.host(number)])
            route = host.routes.add(name=str(number))
            route.match.prefix = "/"
            route.route.cluster = "backend"
            route.response_headers_to_add.add().header.key = "x-version"
            route.response_headers_to_add[0].header.value = "0"
        self._cache.update(
            [
                as_resource(types.CLUSTER, "backend", _cluster(backend_port)),
                as_resource(types.LISTENER, "http", _listener(self.http_port)),
                as_resource(types.ROUTES, ROUTES, self._routes),
            ]
        )
        self._cache.mark_ready()

    async def __aenter__(self) -> Self:
        await self._server.start()
        await self._envoy.start()
        await self._envoy.wait_ready(60)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._envoy.stop(0)
        await self._server.stop()
        self._folder.cleanup()

    async def change(self, number: int, version: str) -> None:
        self._routes.virtual_hosts[number].routes[0].response_headers_to_add[0].header.value = version
        self._cache.update([as_resource(types.ROUTES, ROUTES, self._routes)])


def _refused(name: object, message: str) -> None:
    raise RuntimeError(f"Envoy refused {name}: {message}")


def _cluster(port: int) -> Any:
    cluster = cluster_pb2.Cluster(name="backend", type=cluster_pb2.Cluster.STATIC)
    cluster.load_assignment.cluster_name = "backend"
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.socket_address.address = "127.0.0.1"
    endpoint.address.socket_address.port_value = port
    return cluster


def _listener(port: int) -> Any:
    manager = hcm.HttpConnectionManager(stat_prefix="http")
    manager.rds.route_config_name = ROUTES
    manager.rds.config_source.CopyFrom(ads())
    manager.http_filters.add(name="envoy.filters.http.router", typed_config=packed(router_pb2.Router()))
    listener = listener_pb2.Listener(name="http")
    listener.address.socket_address.address = "127.0.0.1"
    listener.address.socket_address.port_value = port
    listener.filter_chains.add().filters.add(name="http", typed_config=packed(manager))
    return listener
