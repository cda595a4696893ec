"""Manifests through the whole gateway and a real Envoy, and replicas that a test can hold up."""

import asyncio
import itertools
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiohttp.web
import httpx

from fuzz.running import Running, running
from isoline.objects import Object
from unit.routing.support import objects

GATEWAY = """
apiVersion: isoline.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec:
  listeners: {http: {address: 127.0.0.1}, https: {address: 127.0.0.1}}
  timeouts: {drain: 1s}
"""
_numbers = itertools.count()


def guarded(policy: str, *, patience: str) -> str:
    """A host of whose requests the Service `app` is asked, as an ExtensionService with a policy; what it lets pass is
    answered with 204."""
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: web}}
spec:
  virtualhost:
    fqdn: a.example.com
    tls: {{secretName: tls}}
    authorization: {{extensionRef: {{name: guard}}, serviceType: http, responseTimeout: {patience}}}
  routes: [{{permitInsecure: true, directResponsePolicy: {{statusCode: 204}}}}]
---
apiVersion: v1
kind: Secret
metadata: {{name: tls}}
type: kubernetes.io/tls
data: {{tls.crt: CERTIFICATE, tls.key: KEY}}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {{name: guard}}
spec: {{protocol: http/1.1, services: [{{name: app, port: 80}}], {policy}}}
"""


def replica(service: str, *ports: int, names: Sequence[str] = ("",)) -> str:
    """The manifest of an EndpointSlice: one replica of a Service, on this machine; a port for each name."""
    listed = ", ".join(f"{{name: {name!r}, port: {port}}}" for name, port in zip(names, ports, strict=True))
    return f"""
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {service}-{next(_numbers)}, labels: {{kubernetes.io/service-name: {service}}}}}
addressType: IPv4
endpoints: [{{addresses: [127.0.0.1]}}]
ports: [{listed}]
"""


class Replica:
    """An app that says its name, and works on a request for /hold until it is let go."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.working = 0
        self.go_on = asyncio.Event()
        self.seen: Counter[str] = Counter()
        """How often each path was asked for."""

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        self.seen[request.path] += 1
        if request.path.startswith("/hold"):
            self.working += 1
            try:
                await self.go_on.wait()
            finally:
                self.working -= 1
        if request.path.startswith("/twice"):
            # The first try fails, the second takes as long as the test wants.
            if self.seen[request.path] == 1:
                return aiohttp.web.Response(status=503)
            await self.go_on.wait()
        if request.path.endswith("/headers"):
            return aiohttp.web.Response(text="\n".join(name.lower() for name in request.headers))
        return aiohttp.web.Response(text=self.name)


class Served:
    """A running gateway, and a client for it."""

    def __init__(self, gateway: Running, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self._client = client

    async def get(self, url: str, **headers: str) -> httpx.Response:
        """GET of `scheme://host/path` at the gateway. No cookie is kept, and any certificate is believed."""
        self._client.cookies.clear()
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        port = self.gateway.https_port if scheme == "https" else self.gateway.http_port
        return await self._client.get(
            f"{scheme}://127.0.0.1:{port}{slash}{path}",
            headers={"host": host, **headers},
            extensions={"sni_hostname": host},
        )

    async def texts(self, url: str, count: int, **headers: str) -> list[str]:
        """What that many requests, one after the other, are answered."""
        return [(await self.get(url, **headers)).text for _ in range(count)]

    async def answers(self, url: str, status: int = 200, **headers: str) -> httpx.Response:
        """Waits for this status of an answer to a GET, and returns the answer."""
        found: list[httpx.Response] = []

        async def check() -> bool:
            found[:] = [await self.get(url, **headers)]
            return found[0].status_code == status

        await self.eventually(check)
        return found[0]

    async def eventually(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Waits until `check` is true; the test's own time limit ends it."""
        while True:
            self.gateway.check_alive()
            try:
                if await check():
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.01)

    async def admin(self, path: str) -> str:
        connector = aiohttp.UnixConnector(str(self.gateway.folder / "admin.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://admin{path}") as answer:
            return await answer.text()

    async def counted(self, statistic: str, value: int) -> None:
        """Waits until the clusters' values of a statistic of Envoy's add up to `value`."""

        async def check() -> bool:
            lines = (await self.admin(f"/stats?filter={statistic}$")).splitlines()
            found = [line.rpartition(": ") for line in lines if line.startswith("cluster.")]
            return sum(int(number) for name, _, number in found if not name.startswith("cluster.xds")) == value

        await self.eventually(check)

    def apply(self, manifests: str) -> None:
        self.gateway.store.apply(objects(manifests))


@asynccontextmanager
async def serving(folder: Path, manifests: str, *more: Object) -> AsyncIterator[Served]:
    """A gateway that serves these manifests, and refused nothing when it ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    unkept = httpx.Limits(max_keepalive_connections=0)
    async with (
        running(folder, *objects(GATEWAY + "---\n" + manifests), *more) as gateway,
        httpx.AsyncClient(trust_env=False, verify=context, timeout=60, limits=unkept) as client,
    ):
        yield Served(gateway, client)
        assert gateway.refused == []


@asynccontextmanager
async def replicas(*names: str) -> AsyncIterator[list[Replica]]:
    """Apps on free ports; they end with the block."""
    runners: list[aiohttp.web.AppRunner] = []
    started: list[Replica] = []
    try:
        for name in names:
            app = Replica(name)
            application = aiohttp.web.Application()
            application.router.add_route("*", "/{path:.*}", app.answer)
            runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
            await runner.setup()
            await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
            app.port = runner.addresses[0][1]
            runners.append(runner)
            started.append(app)
        yield started
    finally:
        for app in started:
            app.go_on.set()
        for runner in runners:
            await runner.cleanup()
