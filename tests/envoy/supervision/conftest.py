"""The real Envoy, a control plane that sends it one listener, and an app behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import grpc.aio
import httpx
import pytest
from aiohttp import web
from benchmarks import ports
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2 as _router_pb2  # noqa: F401
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as _http_connection_manager_pb2,  # noqa: F401
)
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

from isoline.envoy import BootstrapSettings, Envoy, EnvoyEvent
from isoline.processes import ProcessTable

TYPE = "type.googleapis.com/"
LISTENER = TYPE + "envoy.config.listener.v3.Listener"
CLUSTER = TYPE + "envoy.config.cluster.v3.Cluster"


free_port = ports.free_port


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def listener(port: int) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "0s"}}
    manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": "http", "address": address(port), "filter_chains": [{"filters": filters}]}


def cluster(port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": "app",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "app", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


class ControlPlane:
    """A delta ADS server that knows one listener and one cluster."""

    def __init__(self, path: Path, *, port: int, app_port: int) -> None:
        self.streams = 0
        self._path = path
        self._resources = {
            LISTENER: json_format.ParseDict(listener(port), listener_pb2.Listener()),
            CLUSTER: json_format.ParseDict(cluster(app_port), cluster_pb2.Cluster()),
        }
        self._server: Any = None

    async def start(self) -> None:
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        service = "envoy.service.discovery.v3.AggregatedDiscoveryService"
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {"DeltaAggregatedResources": handler}),)
        )
        self._path.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{self._path}")
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _stream(self, requests: Any, _context: Any) -> AsyncIterator[Any]:
        self.streams += 1
        async for request in requests:
            resource = self._resources.get(request.type_url)
            if resource is None or request.response_nonce:
                continue
            response = discovery_pb2.DeltaDiscoveryResponse(type_url=request.type_url, nonce=f"{self.streams}")
            if request.initial_resource_versions.get(resource.name) != "1":
                response.resources.add(name=resource.name, version="1").resource.Pack(resource)
            yield response


class App:
    """Answers `/` at once, and `/slow` over `seconds` seconds."""

    def __init__(self) -> None:
        self.port = 0
        self.slow_requests = 0

    async def start(self) -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/", self._quick)
        application.router.add_get("/slow", self._slow)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def _quick(self, _request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def _slow(self, request: web.Request) -> web.StreamResponse:
        self.slow_requests += 1
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begin ")
        await asyncio.sleep(float(request.query["seconds"]))
        await response.write(b"end")
        return response


class Site:
    """Everything that a test needs: the parts above and supervisors of the one Envoy."""

    def __init__(self, state: Path, port: int, app: App, control_plane: ControlPlane) -> None:
        self.state = state
        self.port = port
        self.app = app
        self.control_plane = control_plane
        self.events: list[EnvoyEvent] = []
        self.supervisors: list[Envoy] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, **changes: Any) -> BootstrapSettings:
        return replace(BootstrapSettings(node_id="test", xds_socket=self.state / "xds.sock"), **changes)

    def supervisor(self, settings: BootstrapSettings | None = None, **more: Any) -> Envoy:
        table = ProcessTable(self.state / "processes")
        envoy = Envoy(table, self.state / "envoy", settings or self.settings(), 1, on_event=self.events.append, **more)
        self.supervisors.append(envoy)
        return envoy

    def reasons(self) -> list[str]:
        return [event.reason for event in self.events]


MakeSite = Callable[[Path], Awaitable[Site]]


@pytest.fixture
async def make_site() -> AsyncIterator[MakeSite]:
    async with AsyncExitStack() as stack:

        async def make(state: Path) -> Site:
            state.mkdir(parents=True, exist_ok=True)
            app = App()
            stack.push_async_callback((await app.start()).cleanup)
            port = free_port()
            control_plane = ControlPlane(state / "xds.sock", port=port, app_port=app.port)
            stack.push_async_callback(control_plane.stop)
            site = Site(state, port, app, control_plane)

            async def end() -> None:
                for envoy in site.supervisors:
                    await envoy.detach()
                await Envoy(ProcessTable(state / "processes"), state / "envoy", site.settings()).stop(drain=0)

            stack.push_async_callback(end)
            await control_plane.start()
            return site

        yield make


@pytest.fixture
async def site(make_site: MakeSite, tmp_path: Path) -> Site:
    return await make_site(tmp_path / "state")


class Traffic:
    """Requests without a pause: on new connections, and on one that is kept open.

    With `again` a request that ended without a byte of an answer is made once more, as browsers do of their own accord.
    """

    def __init__(self, url: str, *, again: bool = False) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self._url = url
        self._tries = 2 if again else 1
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._visit(keep_alive=keep_alive)) for keep_alive in (False, False, True)]
        await self.more(20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def more(self, count: int) -> None:
        """Wait for so many more answers."""
        goal = self.answers + count
        async with asyncio.timeout(30):
            while self.answers < goal:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _visit(self, *, keep_alive: bool) -> None:
        headers = {} if keep_alive else {"connection": "close"}
        async with httpx.AsyncClient(trust_env=False, timeout=20, headers=headers) as client:
            while not self._over.is_set():
                try:
                    await self._ask(client, self._tries)
                    self.answers += 1
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                await asyncio.sleep(0.005)

    async def _ask(self, client: httpx.AsyncClient, tries: int) -> None:
        # Not `get`: that would also try again what broke off in the middle of an answer.
        request = client.build_request("GET", self._url)
        try:
            answer = await client.send(request, stream=True)
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            if tries == 1:
                raise
            await self._ask(client, tries - 1)
            return
        try:
            await answer.aread()
            answer.raise_for_status()
        finally:
            await answer.aclose()


@pytest.fixture
def traffic() -> Callable[..., Traffic]:
    return Traffic
