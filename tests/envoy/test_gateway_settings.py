"""The gateway's own settings through a real Envoy: what each does, and that changing it cuts no stream."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import msgspec
import pytest
import websockets
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge, free_port
from unit.xds.support import certificate, cluster, endpoints, forward, respond

SITE = "a.example.com"
_Request: Any = trace_service_pb2.ExportTraceServiceRequest  # type: ignore[attr-defined]


@pytest.fixture
async def site(edge: Edge, app: App) -> Edge:
    edge.world.put_certificate(certificate("default/a", SITE), [SITE])
    edge.world.put_endpoints(endpoints("app", app.port))
    routes = (forward("default/app/http/a", websocket=True),)
    edge.world.put(
        ir.Site(host=SITE, http=routes, https=routes, tls=ir.Tls(certificate="default/a"), clusters=(cluster("app"),))
    )
    await edge.answers(f"http://{SITE}/")
    await edge.answers(f"https://{SITE}/")
    return edge


def change(edge: Edge, **fields: object) -> None:
    edge.world.gateway = msgspec.structs.replace(edge.world.gateway, **fields)
    edge.world.listen()


class Collector:
    """An OTLP collector: the spans that it was sent."""

    def __init__(self) -> None:
        self.spans: list[dict[str, str]] = []
        self.services: set[str] = set()

    async def export(self, request: bytes, context: object) -> bytes:
        message = _Request.FromString(request)
        for resource in message.resource_spans:
            self.services |= {
                pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name"
            }
            # The name of the time of these messages; the bytes are the same today.
            for scope in resource.instrumentation_library_spans:
                for span in scope.spans:
                    self.spans.append({pair.key: pair.value.string_value for pair in span.attributes})
        return b""


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, int]]:
    collector = Collector()
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(collector.export)
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {"Export": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, port
    await server.stop(None)


async def test_spans_go_to_the_collector(site: Edge, collector: tuple[Collector, int]) -> None:
    collected, port = collector
    tags = (ir.TraceTag(name="tier", literal="edge"), ir.TraceTag(name="class", header="x-class"))
    change(
        site,
        tracing=ir.Tracing(
            collector=ir.Dns(hostname="127.0.0.1", port=port),
            service_name="front",
            percent=100.0,
            max_path_length=12,
            tags=tags,
        ),
    )

    async def traced() -> bool:
        await site.get(f"http://{SITE}/a/rather/long/path", headers={"x-class": "4b"})
        return bool(collected.spans)

    await site.eventually(traced)
    assert collected.services == {"front"}
    span = collected.spans[0]
    assert (span["tier"], span["class"]) == ("edge", "4b")
    assert span["http.url"] == f"http://{SITE}/a/rather/lo"
    assert not site.rejected


async def test_no_request_is_traced_at_nought_per_cent(site: Edge, collector: tuple[Collector, int]) -> None:
    collected, port = collector
    change(
        site,
        tracing=ir.Tracing(
            collector=ir.Dns(hostname="127.0.0.1", port=port), service_name="front", percent=0.0, max_path_length=256
        ),
    )
    change(site, server_header="overwrite")
    await site.eventually(lambda: _server_is(site, "envoy"))
    for _ in range(20):
        await site.get(f"http://{SITE}/")
    change(
        site,
        tracing=ir.Tracing(
            collector=ir.Dns(hostname="127.0.0.1", port=port), service_name="later", percent=100.0, max_path_length=256
        ),
    )

    async def traced() -> bool:
        await site.get(f"http://{SITE}/")
        return bool(collected.spans)

    await site.eventually(traced)
    assert collected.services == {"later"}


async def _server_is(edge: Edge, name: str | None) -> bool:
    found: str | None = (await edge.get(f"http://{SITE}/")).headers.get("server")
    return found == name


async def test_a_proxy_in_front_tells_the_client(site: Edge) -> None:
    listener = site.world.gateway.http
    assert listener is not None
    change(site, http=msgspec.structs.replace(listener, proxy_protocol=True))

    async def told() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.http_port)
        writer.write(b"PROXY TCP4 192.0.2.7 192.0.2.1 4242 80\r\n")
        writer.write(f"GET /headers HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return b"192.0.2.7" in answer

    await site.eventually(told)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.http_port)
    writer.write(f"GET /headers HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_one_listener_has_several_addresses(site: Edge) -> None:
    listener = site.world.gateway.http
    assert listener is not None
    port = free_port()
    change(site, http=ir.Listener(address="127.0.0.1", port=port, more_addresses=("127.0.0.2",)))

    async def answered() -> bool:
        for address in ("127.0.0.1", "127.0.0.2"):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
            assert b"200 OK" in await reader.read()
            writer.close()
        return True

    await site.eventually(answered)


async def test_the_server_header(site: Edge) -> None:
    site.world.put(ir.Site(host="direct.example.com", http=(respond("hello"),)))
    for choice, of_the_app, of_the_gateway in (
        ("overwrite", "envoy", "envoy"),
        ("keep", "Python", None),
        ("add", "Python", "envoy"),
    ):
        change(site, server_header=choice)

        async def chosen(of_the_app: str = of_the_app, of_the_gateway: str | None = of_the_gateway) -> bool:
            app: str = (await site.get(f"http://{SITE}/")).headers["server"]
            own = (await site.get("http://direct.example.com/")).headers.get("server")
            return str(app).startswith(of_the_app) and own == of_the_gateway

        await site.eventually(chosen)


async def test_a_connection_serves_so_many_requests_and_lives_so_long(site: Edge) -> None:
    change(site, max_requests_per_connection=2)

    async def ended_after_two() -> bool:
        async with site.client() as client:
            answers = [await site.send(client, f"http://{SITE}/") for _ in range(2)]
        return [answer.headers.get("connection") for answer in answers] == [None, "close"]

    await site.eventually(ended_after_two)
    change(site, max_requests_per_connection=None, connection_lifetime=0.2)

    async def ended() -> bool:
        async with site.client() as client:
            answers = [await site.send(client, f"http://{SITE}/")]
            await asyncio.sleep(0.4)
            answers.append(await site.send(client, f"http://{SITE}/"))
        return [answer.headers.get("connection") for answer in answers] == [None, "close"]

    await site.eventually(ended)


CHANGES: list[dict[str, object]] = [
    {"server_header": "overwrite"},
    {"max_concurrent_streams": 7},
    {"max_request_headers": 70},
    {"max_request_headers_kib": 30},
    {"stream_idle_timeout": 1800.0},
    {"request_headers_timeout": 5.0},
    {"connection_idle_timeout": 1800.0},
    {"delayed_close_timeout": 2.0},
    {"max_requests_per_connection": 1000},
    {"trusted_hops": 1},
    {"merge_slashes": False},
    {"escaped_slashes": "keep"},
    {"headers_with_underscores": "allow"},
    {"max_connections": 4000},
    {"access_log": ir.AccessLog(path="/dev/null")},
    {"tls_minimum": ir.TlsVersion.V1_3},
    {
        "tracing": ir.Tracing(
            collector=ir.Dns(hostname="127.0.0.1", port=1), service_name="x", percent=1.0, max_path_length=9
        )
    },
]


async def test_no_change_of_a_setting_cuts_a_stream(site: Edge) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with (
        websockets.connect(f"ws://{SITE}/", host="127.0.0.1", port=site.http_port, proxy=None) as plain,
        websockets.connect(f"wss://{SITE}/", host="127.0.0.1", port=site.https_port, ssl=context, proxy=None) as secure,
    ):
        for fields in CHANGES:
            before = int(await _listener_updates(site))
            change(site, **fields)

            async def taken(before: int = before) -> bool:
                return int(await _listener_updates(site)) > before

            await site.eventually(taken)
            for stream in (plain, secure):
                await stream.send(str(fields))
                assert await stream.recv() == str(fields)
    assert not site.rejected


async def _listener_updates(edge: Edge) -> str:
    stats = await edge.admin("/stats?filter=^listener_manager.lds.update_success$")
    return stats.rpartition(":")[2].strip() or "0"


async def test_clients_speak_what_the_gateway_allows(site: Edge) -> None:
    for versions, agreed, plain in ((("1.1",), "http/1.1", True), (("2",), "h2", False), (("1.1", "2"), "h2", True)):
        change(site, http_versions=versions)

        async def allowed(agreed: str = agreed, plain: bool = plain) -> bool:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.http_port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            served = b"200 OK" in answer.partition(b"\r\n")[0]
            return await asyncio.to_thread(_agreed, site.https_port) == agreed and served == plain

        await site.eventually(allowed)


def _agreed(port: int) -> str | None:
    """The protocol that a client gets who speaks both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=SITE) as tls,
    ):
        return tls.selected_alpn_protocol()


async def test_connections_to_upstreams_end_after_so_many_requests(site: Edge, app: App) -> None:
    change(site, upstream_requests_per_connection=1)
    routes = (forward("default/app/http/b"),)
    site.world.put(ir.Site(host="b.example.com", http=routes, clusters=(cluster("app", "b"),)))
    await site.answers("http://b.example.com/")
    before = await _upstream_connections(site)
    for _ in range(3):
        await site.get("http://b.example.com/")
    assert await _upstream_connections(site) - before == 3


async def _upstream_connections(edge: Edge) -> int:
    stats = await edge.admin("/stats?filter=^cluster.default/app/http/b.upstream_cx_total$")
    return int(stats.rpartition(":")[2])
