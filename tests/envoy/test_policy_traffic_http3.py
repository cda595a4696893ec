"""HTTP/3 by a TrafficPolicy, as an HTTP/3 client sees it."""

import contextlib
import ssl
from typing import NamedTuple, cast

import msgspec
import pytest
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, respond

HOST = "a.example.com"


class Answer(NamedTuple):
    status: int
    body: bytes


class Client(QuicConnectionProtocol):
    """One request of HTTP/3 at a time."""

    def begin(self, host: str, path: str) -> None:
        if not hasattr(self, "_http"):
            self._http = H3Connection(self._quic)
        self._events: list[H3Event] = []
        self._ended = self._loop.create_future()
        stream = self._quic.get_next_available_stream_id()
        headers = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", path)]
        encoded = [(name.encode(), value.encode()) for name, value in headers]
        self._http.send_headers(stream, encoded, end_stream=True)
        self.transmit()

    def quic_event_received(self, event: QuicEvent) -> None:
        for found in self._http.handle_event(event) if hasattr(self, "_http") else ():
            self._events.append(found)
            if getattr(found, "stream_ended", False):
                self._ended.set_result(None)

    async def answer(self) -> Answer:
        await self._ended
        heads = [dict(event.headers) for event in self._events if isinstance(event, HeadersReceived)]
        body = b"".join(event.data for event in self._events if isinstance(event, DataReceived))
        return Answer(int(heads[0][b":status"]), body)


async def get(edge: Edge, host: str, *, authority: str = "") -> Answer:
    """GET of / over HTTP/3. Raises ConnectionError."""
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=H3_ALPN, server_name=host, verify_mode=ssl.CERT_NONE, idle_timeout=5.0
    )
    async with connect("127.0.0.1", edge.https_port, configuration=configuration, create_protocol=Client) as connection:
        client = cast("Client", connection)
        client.begin(authority or host, "/")
        return await client.answer()


@pytest.fixture
def gateway(gateway_ports: tuple[int, int]) -> ir.Gateway:
    http, https = gateway_ports
    return ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=http),
        https=ir.Listener(address="127.0.0.1", port=https),
        public_https_port=https,
        http3=True,
    )


def put(edge: Edge, host: str, route: ir.Route, *, http3: float | None, secret: str = "default/a") -> None:
    edge.world.put_certificate(certificate(secret, host), [host])
    found = cluster("app")
    clusters = (found,) if isinstance(route.action, ir.Forward) else ()
    tls = ir.Tls(certificate=secret)
    traffic = None if http3 is None else ir.Traffic(http3=http3)
    edge.world.put(ir.Site(host=host, https=(route,), tls=tls, clusters=clusters, traffic=traffic))


async def test_a_host_that_asks_for_it_is_served_over_http3_and_says_so(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    put(edge, HOST, forward(cluster("app").name), http3=3600.0)
    first = await edge.answers(f"https://{HOST}/")
    assert first.headers["alt-svc"] == f'h3=":{edge.https_port}"; ma=3600'
    over_quic: list[Answer] = []

    async def served() -> bool:
        over_quic[:] = [await get(edge, HOST)]
        return over_quic[0].status == 200

    await edge.eventually(served)
    got = msgspec.json.decode(over_quic[0].body)
    assert (got["app"], got["headers"]["x-forwarded-proto"]) == ("app", "https")
    assert "x-isoline-scope" not in got["headers"]
    assert (await get(edge, HOST, authority="b.example.com")).status == 421
    assert edge.rejected == []


async def test_another_host_is_not(edge: Edge) -> None:
    put(edge, HOST, respond("a"), http3=60.0)
    put(edge, "b.example.com", respond("b"), http3=None, secret="default/b")
    await edge.eventually(lambda: _is_served(edge, HOST))
    assert "alt-svc" not in (await edge.answers("https://b.example.com/")).headers
    with pytest.raises(ConnectionError):
        await get(edge, "b.example.com")


async def test_a_host_that_joins_or_leaves_cuts_no_connection_of_another(edge: Edge) -> None:
    put(edge, HOST, respond("a"), http3=60.0)
    await edge.eventually(lambda: _is_served(edge, HOST))
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=H3_ALPN, server_name=HOST, verify_mode=ssl.CERT_NONE
    )
    async with connect("127.0.0.1", edge.https_port, configuration=configuration, create_protocol=Client) as connection:
        client = cast("Client", connection)

        async def still_answers() -> bool:
            client.begin(HOST, "/")
            return await client.answer() == Answer(200, b"a")

        assert await still_answers()
        put(edge, "b.example.com", respond("b"), http3=60.0, secret="default/b")
        await edge.eventually(lambda: _is_served(edge, "b.example.com"))
        assert await still_answers()
        edge.world.remove("b.example.com")
        await edge.eventually(lambda: _is_gone(edge, "b.example.com"))
        assert await still_answers()
    updates = await edge.admin("/stats?filter=listener_manager.listener_(modified|in_place_updated)")
    assert len({line.rpartition(": ")[2] for line in updates.splitlines()}) == 1, updates


async def _is_gone(edge: Edge, host: str) -> bool:
    with contextlib.suppress(ConnectionError):
        await get(edge, host)
        return False
    return True


async def _is_served(edge: Edge, host: str) -> bool:
    return (await get(edge, host)).status == 200
