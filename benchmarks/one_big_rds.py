"""The base line: the same Envoy and delta stream, but all sites in one RouteConfiguration, as most gateways do."""

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from benchmarks import manifests
from benchmarks.base_line import BaseLine
from isoline.xds import types
from isoline.xds.messages import ads, as_resource, packed

ROUTES = "all"


class OneBigRds(BaseLine):
    """An Envoy whose every change is a new version of everything."""

    def __init__(self, size: int, backend_port: int) -> None:
        super().__init__()
        self._routes = route_pb2.RouteConfiguration(name=ROUTES)
        for number in range(size):
            host = self._routes.virtual_hosts.add(name=str(number), domains=[manifests.host(number)])
            route = host.routes.add(name=str(number))
            route.match.prefix = "/"
            route.route.cluster = "backend"
            route.response_headers_to_add.add().header.key = "x-version"
            route.response_headers_to_add[0].header.value = "0"
        self.serve(
            [
                as_resource(types.CLUSTER, "backend", _cluster(backend_port)),
                as_resource(types.LISTENER, "http", _listener(self.http_port)),
                as_resource(types.ROUTES, ROUTES, self._routes),
            ]
        )

    async def change(self, number: int, version: str) -> None:
        self._routes.virtual_hosts[number].routes[0].response_headers_to_add[0].header.value = version
        self.cache.update([as_resource(types.ROUTES, ROUTES, self._routes)])


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
