"""Fields of the GatewayConfig as clients see them, one configuration after the other on one Envoy."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import h2.config
import h2.connection
import h2.settings
import httpx

from isoline.objects import GatewayConfig
from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from unit.routing.support import objects
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import EVERYTHING, certificate, cluster, endpoints

HOST = "{}.example.com"
FULL = "full.{}.example.com"

STRICT = """
  tls: {minimumVersion: "1.3"}
  timeouts: {response: 400ms, connect: 100ms, connectionIdle: 200ms, drain: 100ms}
  limits: {requestHeadersKiB: 10, concurrentStreams: 7}
  headers: {underscores: Drop}
  paths: {escapedSlashes: Reject, mergeSlashes: false}
"""
LENIENT = """
  tls: {maximumVersion: "1.2"}
  timeouts: {streamIdle: 300ms, delayedClose: 1h}
  headers: {underscores: Allow}
  paths: {escapedSlashes: KeepUnchanged}
"""
FORWARDING = """
  limits: {connections: 2}
  paths: {escapedSlashes: UnescapeAndForward}
"""


def configure(edge: Edge, spec: str) -> None:
    listeners = "listeners: {http: {address: 127.0.0.1}, https: {address: 127.0.0.1}}"
    text = f"apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {{name: default}}\nspec:\n  {listeners}"
    (config,) = objects(text + spec)
    assert isinstance(config, GatewayConfig)
    edge.world.gateway = gateway_from_config(config, http_port=edge.http_port, https_port=edge.https_port)
    edge.world.listen()


@dataclass
class Site:
    """A host that leads to the app, another that leads to a server that takes no connection; neither says a timeout."""

    edge: Edge
    host: str
    full: str

    @property
    def url(self) -> str:
        return f"http://{self.host}/"

    async def seen(self, path: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
        """The status, and what the app got."""
        answer = await self.edge.get(f"{self.url}{path}", headers=headers)
        return answer.status_code, answer.json() if answer.status_code == 200 else {}


def serve(edge: Edge, name: str, app: int, full: int) -> Site:
    """Put hosts that nobody has had."""
    site = Site(edge, HOST.format(name), FULL.format(name))
    edge.world.put_certificate(certificate(f"default/{name}", site.host), [site.host])
    for host, port, service in ((site.host, app, f"app-{name}"), (site.full, full, f"full-{name}")):
        edge.world.put_endpoints(endpoints(service, port))
        used = cluster(service)
        action = ir.Forward(shares=(ir.Share(cluster=used.name, weight=1),))
        routes = (ir.Route(name="all", match=EVERYTHING, action=action),)
        tls = ir.Tls(certificate=f"default/{name}") if port == app else None
        edge.world.put(ir.Site(host=host, http=routes, https=routes if tls else (), tls=tls, clusters=(used,)))
    return site


@asynccontextmanager
async def taking_no_connection() -> AsyncIterator[int]:
    """The port of a server whose queue is full: the kernel answers nobody."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(2)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(listening.getsockname())
            yield listening.getsockname()[1]
        finally:
            for each in waiting:
                each.close()


async def tls_version(site: Site) -> str:
    def handshake() -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("127.0.0.1", site.edge.https_port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=site.host) as tls,
        ):
            return str(tls.version())

    try:
        return await asyncio.to_thread(handshake)
    except ssl.SSLError:
        return ""


async def streams_of_a_connection(site: Site) -> int | None:
    """What the gateway says in its first frame."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", site.edge.https_port, ssl=context, server_hostname=site.host
    )
    protocol = h2.connection.H2Connection(h2.config.H2Configuration())
    protocol.initiate_connection()
    writer.write(protocol.data_to_send())
    code = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS
    while code not in protocol.remote_settings:
        protocol.receive_data(await reader.read(65536))
    writer.close()
    return int(protocol.remote_settings[code])


async def stays_open(site: Site, more: str, *, for_seconds: float) -> bool:
    """Whether a connection is still there a while after its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.edge.http_port)
    writer.write(f"GET / HTTP/1.1\r\nHost: {site.host}\r\n{more}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.partition(b":")[2]))
    try:
        async with asyncio.timeout(for_seconds):
            return await reader.read() != b""
    except TimeoutError:
        return True
    finally:
        writer.close()


async def by_default(site: Site) -> None:
    assert (await site.seen("a%2Fb"))[0] == 307
    assert (await site.seen("a//b"))[1]["path"] == "/a/b"
    assert (await site.seen(x_b="1"))[0] == 400
    assert await tls_version(site) == "TLSv1.2"


async def when_strict(site: Site) -> None:
    async def taken() -> bool:
        return (await site.seen("a%2Fb"))[0] == 400 and await tls_version(site) == ""

    await site.edge.eventually(taken)
    assert (await site.seen("a//b"))[1]["path"] == "/a//b"
    status, got = await site.seen(x_b="1")
    assert (status, "x_b" in got["headers"]) == (200, False)
    assert (await site.seen(**{f"x-{number}": "x" * 3000 for number in range(4)}))[0] == 431
    assert await streams_of_a_connection(site) == 7
    slow, full, idle = await asyncio.gather(
        site.seen("slow"),
        once_known(site.edge, f"http://{site.full}/"),
        stays_open(site, "", for_seconds=30),
    )
    assert (slow[0], "connection timeout" in full.text, idle) == (504, True, False)


async def once_known(edge: Edge, url: str) -> httpx.Response:
    """The first answer of a host that is there."""
    while (answer := await edge.get(url)).status_code == 404:
        pass
    return answer


async def when_lenient(site: Site) -> None:
    async def taken() -> bool:
        return (await site.seen("a%2Fb"))[0] == 200 and await tls_version(site) == "TLSv1.2"

    await site.edge.eventually(taken)
    assert (await site.seen("a%2Fb"))[1]["path"] == "/a%2Fb"
    assert (await site.seen(x_b="1"))[1]["headers"]["x_b"] == "1"
    slow, open_on = await asyncio.gather(
        site.seen("slow"),
        # A request that is refused half read; by default its connection would end after a second.
        stays_open(site, "Content-Length: x\r\n", for_seconds=1.5),
    )
    assert (slow[0], open_on) == (504, True)


async def when_forwarding(site: Site) -> None:
    async def taken() -> bool:
        return (await site.seen("a%2Fb"))[1].get("path") == "/a/b"

    async def two_of_three() -> bool:
        # Those of before are not forgotten at once.
        held = [await asyncio.open_connection("127.0.0.1", site.edge.http_port) for _ in range(3)]
        for _, writer in held:
            writer.write(f"GET / HTTP/1.1\r\nHost: {site.host}\r\n\r\n".encode())
        answers = await asyncio.gather(*(reader.read(12) for reader, _ in held), return_exceptions=True)
        for _, writer in held:
            writer.close()
        return [answer == b"HTTP/1.1 200" for answer in answers].count(True) == 2

    await site.edge.eventually(taken)
    await site.edge.eventually(two_of_three)


CHECKS = (("", by_default), (STRICT, when_strict), (LENIENT, when_lenient), (FORWARDING, when_forwarding))


async def test_what_each_field_says_is_done(edge: Edge, app: App) -> None:
    async with taking_no_connection() as full:
        for spec, check in CHECKS:
            configure(edge, spec)
            site = serve(edge, check.__name__.replace("_", "-"), app.port, full)
            await edge.answers(site.url)
            await edge.answers(f"https://{site.host}/")
            await check(site)
    assert edge.rejected == []
