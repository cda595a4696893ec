"""Upstreams that speak TLS, h2 and h2c, and the validation of who answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import certificate, endpoints, forward

URL = "http://a.example.com/"
NAME = "default/app/http/tls"
CERTIFICATE = certificate("upstream", "upstream.example.com", "*.wild.example.com")

Start = Callable[..., Awaitable[int]]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, http2: bool) -> None:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    body = b"h2" if http2 else b"http1"
    if http2:
        connection.initiate_connection()
        writer.write(connection.data_to_send())
    while data := await reader.read(65536):
        if not http2:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" + body)
            continue
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                connection.send_headers(event.stream_id, [(":status", "200")])
                connection.send_data(event.stream_id, body, end_stream=True)
        writer.write(connection.data_to_send())
    writer.close()


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts an upstream that answers with its protocol, and returns its port."""
    servers: list[asyncio.Server] = []

    async def begin(*, tls: bool, http2: bool, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> int:
        context = None
        if tls:
            file = tmp_path / "upstream.pem"
            file.write_bytes(CERTIFICATE.chain + bytes(CERTIFICATE.key))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            context.minimum_version = minimum
            context.set_alpn_protocols(["h2" if http2 else "http/1.1"])
        server = await asyncio.start_server(partial(_answer, http2=http2), "127.0.0.1", 0, ssl=context)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield begin
    for server in servers:
        server.close()


def site(protocol: ir.Upstream, trust: ir.Trust | None = None, check: ir.HealthCheck | None = None) -> ir.Site:
    upstream = ir.Cluster(name=NAME, endpoints="default/app/http", protocol=protocol, trust=trust, health_check=check)
    return ir.Site(host="a.example.com", http=(forward(NAME),), clusters=(upstream,))


@pytest.mark.parametrize(
    ("protocol", "text"),
    [(ir.Upstream.TLS, "http1"), (ir.Upstream.H2, "h2"), (ir.Upstream.H2C, "h2")],
)
async def test_protocols(edge: Edge, start: Start, protocol: ir.Upstream, text: str) -> None:
    port = await start(tls=protocol is not ir.Upstream.H2C, http2=text == "h2")
    edge.world.put_endpoints(endpoints("app", port))
    edge.world.put(site(protocol))
    await edge.answers(URL, 200, text)


async def test_an_upstream_of_tls_1_3_only(edge: Edge, start: Start) -> None:
    port = await start(tls=True, http2=False, minimum=ssl.TLSVersion.TLSv1_3)
    edge.world.put_endpoints(endpoints("app", port))
    edge.world.put(site(ir.Upstream.TLS))
    await edge.answers(URL, 200, "http1")


@pytest.mark.parametrize("protocol", [ir.Upstream.H2, ir.Upstream.H2C])
async def test_health_is_checked_in_the_upstreams_protocol(edge: Edge, start: Start, protocol: ir.Upstream) -> None:
    port = await start(tls=protocol is ir.Upstream.H2, http2=True)
    edge.world.put_endpoints(endpoints("app", port))
    check = ir.HealthCheck(
        path="/", host="check", interval=0.1, timeout=1.0, unhealthy_threshold=1, healthy_threshold=1
    )
    edge.world.put(site(protocol, check=check))
    await edge.answers(URL, 200, "h2")

    async def checked() -> bool:
        shown = await edge.admin("/stats?filter=health_check")
        return "health_check.success: 1" in shown

    await edge.eventually(checked)
    assert "health_check.failure: 0" in await edge.admin("/stats?filter=health_check.failure")


@pytest.mark.parametrize(
    "names", [("upstream.example.com",), ("other.example.com", "UPSTREAM.example.com"), ("a.wild.example.com",)]
)
async def test_an_upstream_that_proves_itself_is_served(edge: Edge, start: Start, names: tuple[str, ...]) -> None:
    edge.world.put_endpoints(endpoints("app", await start(tls=True, http2=False)))
    edge.world.put(site(ir.Upstream.TLS, ir.Trust(authorities=CERTIFICATE.chain, names=names)))
    await edge.answers(URL, 200, "http1")


@pytest.mark.parametrize(
    ("trust", "reason"),
    [
        (ir.Trust(authorities=CERTIFICATE.chain, names=("other.example.com",)), "fail_verify_san"),
        (
            ir.Trust(authorities=certificate("ca", "upstream.example.com").chain, names=("upstream.example.com",)),
            "fail_verify_error",
        ),
    ],
    ids=["another-name", "another-ca"],
)
async def test_an_upstream_that_does_not_gets_nothing(edge: Edge, start: Start, trust: ir.Trust, reason: str) -> None:
    edge.world.put_endpoints(endpoints("app", await start(tls=True, http2=False)))
    edge.world.put(site(ir.Upstream.TLS, trust))

    async def refused() -> bool:
        status = (await edge.get(URL)).status_code
        shown = await edge.admin(f"/stats?filter={reason}")
        return status == 503 and any(not line.endswith(": 0") for line in shown.splitlines())

    await edge.eventually(refused)
    assert (await edge.get(URL)).status_code == 503
