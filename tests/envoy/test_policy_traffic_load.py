"""How much goes through by a TrafficPolicy, and where it goes instead, as clients see it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp.web
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward

StartApp = Callable[[str], Awaitable[App]]

HOST = "a.example.com"
URL = f"http://{HOST}/"
PIECE = b"data: " + b"x" * 2000


async def _answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    """Answers with a piece of what it is asked for, and the rest when the client has asked for "/go"."""
    go: asyncio.Event = request.app[GO]
    if request.path != "/":
        if request.path == "/go":
            go.set()
        return aiohttp.web.Response()
    answer = aiohttp.web.StreamResponse(headers={"content-type": request.query["type"]})
    await answer.prepare(request)
    await answer.write(PIECE)
    await go.wait()
    await answer.write(PIECE)
    return answer


GO = aiohttp.web.AppKey("go", asyncio.Event)


@pytest.fixture
async def streamer() -> AsyncIterator[int]:
    """The port of an app that makes one half of its answer before the other is asked for."""
    application = aiohttp.web.Application()
    application[GO] = asyncio.Event()
    application.router.add_get("/{path:.*}", _answer)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def put(edge: Edge, port: int, traffic: ir.Traffic | None, **settings: object) -> None:
    edge.world.put_endpoints(endpoints("app", port))
    found = msgspec.structs.replace(cluster("app"), **settings)
    edge.world.put(ir.Site(host=HOST, http=(forward(found.name),), clusters=(found,), traffic=traffic))


async def test_texts_are_compressed_by_what_the_client_takes(edge: Edge, app: App) -> None:
    compression = ir.Compression(encodings=("brotli", "gzip"), content_types=("application/json",), minimum=30)
    put(edge, app.port, ir.Traffic(compression=compression))
    await edge.answers(URL, headers={"accept-encoding": "identity"})
    for accepted, encoding in (("gzip", "gzip"), ("gzip, br", "br"), ("zstd", None), ("identity", None)):
        answer = await edge.get(URL, headers={"accept-encoding": accepted})
        assert (answer.json()["app"], answer.headers.get("content-encoding")) == ("app", encoding)
    assert edge.rejected == []


@pytest.mark.parametrize(
    ("media", "encoding"), [("text/html", "gzip"), ("text/event-stream", None), ("audio/wav", None)]
)
async def test_what_has_come_is_not_held_back(edge: Edge, streamer: int, media: str, encoding: str | None) -> None:
    compression = ir.Compression(encodings=("gzip",), content_types=("text/html",), minimum=30)
    put(edge, streamer, ir.Traffic(compression=compression))
    await edge.answers(f"{URL}ready")
    async with edge.client() as client:
        url = f"http://127.0.0.1:{edge.http_port}/"
        headers = {"host": HOST, "accept-encoding": "gzip"}
        async with client.stream("GET", f"{url}?type={media}", headers=headers) as answer:
            pieces = answer.aiter_bytes()
            assert (await anext(pieces)).startswith(b"data: ")
            assert answer.headers.get("content-encoding") == encoding
            await client.get(f"{url}go", headers=headers)
            assert b"".join([piece async for piece in pieces]).endswith(b"x")


async def test_what_waits_for_its_turn_still_passes_the_other_filters(edge: Edge, app: App) -> None:
    compression = ir.Compression(encodings=("gzip",), content_types=("application/json",), minimum=30)
    traffic = ir.Traffic(
        bandwidth=ir.Bandwidth(requests=1000, responses=1000),
        request_body=60_000,
        request_id="x-id",
        compression=compression,
    )
    put(edge, app.port, traffic)
    await edge.answers(URL)

    async def pieces(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 1000):
            yield b"x" * 1000

    async with edge.client() as client:
        url, headers = f"http://127.0.0.1:{edge.http_port}/", {"host": HOST, "accept-encoding": "gzip"}
        answer = await client.post(url, headers=headers, content=pieces(50_000))
        assert (answer.json()["length"], answer.headers["content-encoding"]) == (50_000, "gzip")
        assert answer.headers["x-id"]
        assert (await client.post(url, headers=headers, content=pieces(70_000))).status_code == 413
    for direction in ("request", "response"):
        counted = await edge.admin(f"/stats?filter=bandwidth_limit.{direction}_enabled")
        assert int(counted.rpartition(":")[2]) > 0
    assert edge.rejected == []


async def test_more_than_the_app_takes_is_refused(edge: Edge, app: App) -> None:
    adaptive = ir.AdaptiveConcurrency(
        maximum=10, minimum=1, percentile=50, update_interval=0.1, measure_interval=60.0, samples=1000
    )
    put(edge, app.port, ir.Traffic(adaptive_concurrency=adaptive))
    await edge.answers(URL)
    async with edge.client() as client:
        found = await asyncio.gather(*(edge.send(client, f"{URL}slow") for _ in range(4)))
    # While the quickest answer is looked for the least counts.
    assert sorted(answer.status_code for answer in found) == [200, 503, 503, 503]


async def test_an_endpoint_works_on_so_many_and_others_wait(edge: Edge, start_app: StartApp) -> None:
    limits = ir.Limits(requests_per_endpoint=1, pending_requests=1)
    app = await start_app("app")
    put(edge, app.port, None, limits=limits)
    await edge.answers(URL)
    async with edge.client() as client:
        found = await asyncio.gather(*(edge.send(client, f"{URL}slow") for _ in range(4)))
    assert sorted(answer.status_code for answer in found) == [200, 200, 503, 503]
    assert edge.rejected == []


async def test_others_take_over_while_nobody_is_there(edge: Edge, start_app: StartApp) -> None:
    first, second = await start_app("first"), await start_app("second")

    def serve(*endpoints: ir.Endpoint) -> None:
        edge.world.put_endpoints(ir.Endpoints(name="default/app/http", endpoints=endpoints))

    main = ir.Endpoint(address="127.0.0.1", port=first.port)
    other = ir.Endpoint(address="127.0.0.1", port=second.port, priority=1)
    put(edge, first.port, None)
    serve(main, other)

    async def served_by(name: str) -> None:
        async def check() -> bool:
            return {(await edge.get(URL)).json()["app"] for _ in range(4)} == {name}

        await edge.eventually(check)

    await served_by("first")
    serve(other)
    await served_by("second")
    serve(main, other)
    await served_by("first")
    assert edge.rejected == []


async def test_upstreams_are_shown_a_certificate(edge: Edge, tmp_path: Path) -> None:
    server, shown = certificate("default/server", "upstream.example.com"), certificate("default/us", "gateway")
    renewed = msgspec.structs.replace(certificate("another", "renewed"), name="default/us")
    for name, pem in (("server", server.chain + bytes(server.key)), ("clients", shown.chain + renewed.chain)):
        (tmp_path / name).write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server")
    context.load_verify_locations(tmp_path / "clients")
    context.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        names = writer.get_extra_info("peercert")["subjectAltName"][0][1].encode()
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(names) + names)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    edge.world.put_certificate(shown)
    port = listening.sockets[0].getsockname()[1]
    put(edge, port, None, protocol=ir.Upstream.TLS, client_certificate="default/us")
    await edge.answers(URL, 200, "gateway")
    edge.world.put_certificate(renewed)
    await edge.answers(URL, 200, "renewed")
    listening.close()
    assert edge.rejected == []
