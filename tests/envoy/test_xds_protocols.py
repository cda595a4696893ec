"""What is spoken with clients: WebSockets over both versions of HTTP, limits, and paths."""

import asyncio
import ssl

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest
import websockets

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, prefix


@pytest.fixture
async def site(edge: Edge, app: App) -> Edge:
    edge.world.put_certificate(certificate("default/a", "a.example.com"), ["a.example.com"])
    edge.world.put_endpoints(endpoints("app", app.port))
    routes = (
        forward("default/app/http/a", match=prefix("/ws"), name="ws", websocket=True),
        forward("default/app/http/a"),
    )
    edge.world.put(
        ir.Site(
            host="a.example.com",
            http=routes,
            https=routes,
            tls=ir.Tls(certificate="default/a"),
            clusters=(cluster("app"),),
        )
    )
    await edge.answers("http://a.example.com/")
    await edge.answers("https://a.example.com/")
    return edge


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def test_a_websocket_is_upgraded_where_the_route_says_so(site: Edge) -> None:
    async with websockets.connect(
        "wss://a.example.com/ws", host="127.0.0.1", port=site.https_port, ssl=trusting(), proxy=None
    ) as socket:
        await socket.send("你好")
        assert await socket.recv() == "你好"
        # A change of the site leaves open sockets alone.
        site.world.put_endpoints(endpoints("other", 1))
        await socket.send(b"x" * 100_000)
        assert await socket.recv() == b"x" * 100_000
    with pytest.raises(websockets.InvalidStatus, match="403"):
        await websockets.connect("ws://a.example.com/", host="127.0.0.1", port=site.http_port, proxy=None)


async def test_a_websocket_is_upgraded_inside_http2(site: Edge) -> None:
    context = trusting()
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", site.https_port, ssl=context, server_hostname="a.example.com"
    )
    connection = h2.connection.H2Connection(config=h2.config.H2Configuration())
    connection.initiate_connection()
    connection.send_headers(
        1,
        [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "https"),
            (":path", "/ws"),
            (":authority", "a.example.com"),
            ("sec-websocket-version", "13"),
        ],
    )
    writer.write(connection.data_to_send())
    status, received = "", b""
    # A masked text frame of two letters.
    connection.send_data(1, b"\x81\x82\x00\x00\x00\x00hi")
    while len(received) < 4:
        writer.write(connection.data_to_send())
        for event in connection.receive_data(await reader.read(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                assert event.headers is not None
                status = dict(event.headers)[b":status"].decode()
            elif isinstance(event, h2.events.DataReceived):
                received += event.data or b""
            else:
                assert not isinstance(event, h2.events.StreamReset)
    writer.close()
    assert status == "200"
    assert received == b"\x81\x02hi"


@pytest.mark.parametrize("http2", [False, True])
async def test_a_megabyte_goes_through(site: Edge, http2: bool) -> None:
    async with site.client(http2=http2) as client:
        answer = await client.post(
            f"https://127.0.0.1:{site.https_port}/upload",
            content=b"x" * 1_000_000,
            headers={"host": "a.example.com"},
            extensions={"sni_hostname": "a.example.com"},
        )
    assert answer.json()["length"] == 1_000_000


async def test_paths_are_made_plain_before_they_are_matched(site: Edge) -> None:
    async with site.client() as client:

        async def seen(path: str) -> httpx.Response:
            request = client.build_request(
                "GET", f"http://127.0.0.1:{site.http_port}", headers={"host": "a.example.com"}
            )
            request.url = request.url.copy_with(raw_path=path.encode())
            return await client.send(request)

        assert (await seen("/x/../y")).json()["path"] == "/y"
        assert (await seen("/x//y")).json()["path"] == "/x/y"
        redirect = await seen("/x%2Fy")
        assert (redirect.status_code, redirect.headers["location"]) == (307, "/x/y")


async def test_headers_have_limits(site: Edge) -> None:
    url = "http://a.example.com/"
    assert (await site.get(url, headers={"x_y": "1"})).status_code == 400
    assert (await site.get(url, headers={f"x-{number}": "1" for number in range(101)})).status_code == 431
    assert (await site.get(url, headers={"x-large": "x" * 63 * 1024})).status_code == 431


async def test_the_gateway_does_not_say_what_it_is(site: Edge) -> None:
    assert "envoy" not in (await site.get("http://a.example.com/")).headers.get("server", "")
    assert "server" not in (await site.get("http://b.example.com/")).headers


async def test_a_grpc_client_is_told_in_its_own_words_that_there_is_nobody(site: Edge) -> None:
    gone = ir.Route(
        name="gone", match=prefix("/"), action=ir.Forward(shares=(ir.Share(cluster=ir.NO_CLUSTER, weight=1),))
    )
    site.world.put_endpoints(endpoints("empty"))
    site.world.put(
        ir.Site(host="empty.example.com", http=(forward("default/empty/http/a"),), clusters=(cluster("empty"),)),
        ir.Site(host="gone.example.com", http=(gone,)),
    )
    await site.answers("http://empty.example.com/", 503)
    await site.answers("http://gone.example.com/", 503)
    headers = {"content-type": "application/grpc", "te": "trailers"}
    for host, status in {"unknown.example.com": "12", "empty.example.com": "14", "gone.example.com": "14"}.items():
        answer = await site.get(f"http://{host}/package.Service/Method", http2=True, headers=headers)
        assert (answer.status_code, answer.headers["grpc-status"]) == (200, status), host
