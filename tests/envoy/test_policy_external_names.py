"""Requests to a Service of type ExternalName reach what its name resolves to."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp.web
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, forward

NAME = "default/outside/443/a"
URL = "http://a.example.com/"


def site(port: int, **fields: object) -> ir.Site:
    # The compiler lets no such name through; here it is the one that resolves everywhere.
    upstream = ir.Cluster(name=NAME, endpoints="", dns=ir.Dns(hostname="localhost", port=port, family=ir.DnsFamily.V4))
    upstream = msgspec.structs.replace(upstream, **fields)
    return ir.Site(host="a.example.com", http=(forward(NAME),), clusters=(upstream,))


async def test_a_name_is_resolved(edge: Edge, app: App) -> None:
    edge.world.put(site(app.port))
    answer = await edge.answers(URL)
    assert answer.json()["app"] == "app"
    assert answer.json()["headers"]["host"] == "a.example.com"


async def test_a_name_that_does_not_resolve_harms_nobody_else(edge: Edge, app: App) -> None:
    nowhere = ir.Dns(hostname="nowhere.invalid", port=1)
    edge.world.put(msgspec.structs.replace(site(1, dns=nowhere), host="b.example.com"))
    other = "default/outside/443/b"
    edge.world.put(
        msgspec.structs.replace(site(app.port, name=other), http=(forward(other),)),
    )
    await edge.answers(URL)
    await edge.answers("http://b.example.com/", 503)
    assert not edge.rejected


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[tuple[int, list[str | None]]]:
    """A server that ends TLS: its port, and the server names that clients said."""
    names: list[str | None] = []
    shown = certificate("upstream", "api.example.org")
    file = tmp_path / "upstream.pem"
    file.write_bytes(shown.chain + bytes(shown.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    async def answer(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text="secure")

    application = aiohttp.web.Application()
    application.router.add_get("/", answer)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield runner.addresses[0][1], names
    await runner.cleanup()


async def test_the_server_name_is_said(edge: Edge, told: tuple[int, list[str | None]]) -> None:
    port, names = told
    edge.world.put(site(port, protocol=ir.Upstream.TLS, sni="api.example.org"))
    await edge.answers(URL, 200, "secure")
    assert set(names) == {"api.example.org"}
