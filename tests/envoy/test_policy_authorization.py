"""Who is asked about requests, by gRPC and by HTTP, and what comes of it."""

import socket
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.authorizers import Authorizer, start_grpc, start_http
from unit.xds.edge import Edge, free_port
from unit.xds.support import TO_HTTPS, certificate, endpoints, forward, prefix, respond
from unit.xds.support import cluster as app_cluster

HOST = "a.example.com"
HOSTS = ["http://a.example.com/", "https://a.example.com/"]
NO = {"x-ask": "no"}
SERVER = "extension/default/auth/x"


@pytest.fixture
async def grpc_server() -> AsyncIterator[Authorizer]:
    authorizer = Authorizer()
    server = await start_grpc(authorizer)
    yield authorizer
    await server.stop(None)


@pytest.fixture
async def http_server() -> AsyncIterator[Authorizer]:
    authorizer = Authorizer()
    runner = await start_http(authorizer)
    yield authorizer
    await runner.cleanup()


def by_grpc(**fields: object) -> ir.Authorization:
    source = ir.Authorization(cluster=SERVER, grpc=True, authority="extension.default.auth", timeout=2.0)
    return msgspec.structs.replace(source, **fields)


def by_http(**fields: object) -> ir.Authorization:
    return msgspec.structs.replace(by_grpc(**fields), grpc=False)


def asked(path: str, context: dict[str, str]) -> ir.Route:
    own = ir.RouteAuthorization(asked=True, context=tuple(sorted(context.items())))
    return msgspec.structs.replace(respond(path, match=prefix(path), name=path), authorization=own)


def unasked(path: str) -> ir.Route:
    own = ir.RouteAuthorization(asked=False)
    return msgspec.structs.replace(respond(path, match=prefix(path), name=path), authorization=own)


def put(edge: Edge, source: ir.Authorization, port: int, *routes: ir.Route, host: str = HOST) -> ir.Site:
    name = "default/" + ("wild" if host.startswith("*") else host)
    edge.world.put_certificate(certificate(name, host), [] if host.startswith("*") else [host])
    edge.world.put_endpoints(endpoints("auth", port))
    server = ir.Cluster(
        name=SERVER,
        endpoints="default/auth/http",
        protocol=ir.Upstream.H2C if source.grpc else ir.Upstream.HTTP1,
    )
    site = ir.Site(
        host=host,
        http=routes,
        https=routes,
        tls=ir.Tls(certificate=name),
        own_chain=host.startswith("*"),
        authorization=source,
        clusters=(server, app_cluster("app")),
    )
    edge.world.put(site)
    return site


async def test_a_grpc_server_lets_pass_and_refuses(edge: Edge, app: App, grpc_server: Authorizer) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    put(edge, by_grpc(context=(("a", "site"),)), grpc_server.port, forward(app_cluster("app").name))
    for host in HOSTS:
        answer = await edge.answers(host + "x?y", 200)
        assert answer.json()["headers"]["x-user"] == "bob"
        refused = await edge.get(host, headers=NO)
        assert (refused.status_code, refused.text) == (418, "not you")
    assert grpc_server.contexts() == [{"a": "site"}] * len(grpc_server.heard)
    http = grpc_server.heard[0].attributes.request.http
    assert (http.method, http.path, http.host) == ("GET", "/x?y", HOST)
    assert edge.rejected == []


async def test_routes_say_whether_and_with_what_context(edge: Edge, grpc_server: Authorizer) -> None:
    put(
        edge,
        by_grpc(context=(("a", "site"),)),
        grpc_server.port,
        unasked("/open"),
        asked("/own", {"a": "route", "b": "more"}),
        respond("/", match=prefix("/"), name="/"),
    )
    for host in HOSTS:
        await edge.answers(host, 200)
        grpc_server.heard.clear()
        assert (await edge.get(host + "open", headers=NO)).status_code == 200
        assert grpc_server.heard == []
        assert (await edge.get(host + "own", headers=NO)).status_code == 418
        assert (await edge.get(host, headers=NO)).status_code == 418
        assert grpc_server.contexts() == [{"a": "route", "b": "more"}, {"a": "site"}]


async def test_redirects_and_answers_of_the_gateways_own_are_asked_about(edge: Edge, grpc_server: Authorizer) -> None:
    elsewhere = ir.Route(name="r", match=prefix("/r"), action=ir.Redirect(path="/x"))
    put(edge, by_grpc(), grpc_server.port, elsewhere, respond("/", match=prefix("/"), name="/"))
    for host in HOSTS:
        await edge.answers(host + "r", 302)
        assert (await edge.get(host + "r", headers=NO)).status_code == 418
        assert (await edge.get(host, headers=NO)).status_code == 418


@pytest.mark.parametrize("grpc", [True, False])
async def test_nobody_is_asked_about_what_nobody_serves(
    edge: Edge, grpc_server: Authorizer, http_server: Authorizer, grpc: bool
) -> None:
    server = grpc_server if grpc else http_server
    here = respond("here", match=prefix("/here"), name="here")
    site = put(edge, by_grpc() if grpc else by_http(), server.port, here)
    await edge.answers(HOSTS[1] + "here", 200)
    server.heard.clear()
    assert (await edge.get(HOSTS[1] + "nowhere")).status_code == 404
    assert (await edge.get(HOSTS[0] + "nowhere")).status_code == 404
    assert (await edge.get(HOSTS[1] + "here", host="b.example.com")).status_code == 421
    edge.world.put(msgspec.structs.replace(site, http=(here, TO_HTTPS)))
    await edge.answers(HOSTS[0] + "elsewhere", 301)
    assert server.heard == []


@pytest.mark.parametrize("name", ["A.example.COM", "b.example.com", "B.Example.com"])
@pytest.mark.parametrize("grpc", [True, False])
async def test_letters_and_wildcards_are_no_way_around(
    edge: Edge, grpc_server: Authorizer, http_server: Authorizer, name: str, grpc: bool
) -> None:
    server, source = (grpc_server, by_grpc()) if grpc else (http_server, by_http(request_headers=(ASK,)))
    everything = respond("/", match=prefix("/"), name="/")
    put(edge, source, server.port, everything)
    put(edge, source, server.port, everything, host="*.example.com")
    for scheme in ("http", "https"):
        await edge.answers(f"{scheme}://{name}/", 200)
        assert (await edge.get(f"{scheme}://{name}/", headers=NO)).status_code == 418
        assert (await edge.get(f"{scheme}://{name}/", headers=NO, http2=scheme == "https")).status_code == 418


@pytest.mark.parametrize("fail_open", [True, False])
@pytest.mark.parametrize("grpc", [True, False])
async def test_a_server_that_does_not_answer(edge: Edge, fail_open: bool, grpc: bool) -> None:
    source = by_grpc(fail_open=fail_open) if grpc else by_http(fail_open=fail_open)
    put(edge, source, free_port(), respond("/", match=prefix("/"), name="/"))
    await edge.answers(HOSTS[1], 200 if fail_open else 403)
    await edge.answers(HOSTS[0], 200 if fail_open else 403)


@pytest.mark.parametrize("as_bytes", [True, False])
async def test_a_grpc_server_sees_bodies(edge: Edge, grpc_server: Authorizer, as_bytes: bool) -> None:
    body = ir.RequestBody(maximum=10, allow_partial=True, as_bytes=as_bytes)
    put(edge, by_grpc(body=body), grpc_server.port, respond("/", match=prefix("/"), name="/"))
    await edge.answers(HOSTS[0], 200)
    assert (await post(edge, b"\xffshort")).status_code == 200
    heard = grpc_server.heard[-1].attributes.request.http
    assert (heard.raw_body if as_bytes else heard.body) == (b"\xffshort" if as_bytes else "!short")
    assert (await post(edge, b"a" * 100)).status_code == 200
    heard = grpc_server.heard[-1].attributes.request.http
    assert (heard.raw_body if as_bytes else heard.body.encode()) == b"a" * 10


async def test_a_body_that_is_too_long_is_refused_where_it_must_be_whole(edge: Edge, grpc_server: Authorizer) -> None:
    body = ir.RequestBody(maximum=10)
    put(edge, by_grpc(body=body), grpc_server.port, respond("/", match=prefix("/"), name="/"))
    await edge.answers(HOSTS[0], 200)
    assert (await post(edge, b"a" * 100)).status_code == 413
    assert (await post(edge, b"a" * 10)).status_code == 200


async def post(edge: Edge, body: bytes) -> httpx.Response:
    async with edge.client() as client:
        return await client.post(f"http://127.0.0.1:{edge.http_port}/", headers={"host": HOST}, content=body)


ASK = ir.NameMatch(exact="X-ASK", ignore_case=True)


async def test_an_http_server_gets_what_is_allowed_and_so_does_the_app(
    edge: Edge, app: App, http_server: Authorizer
) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    source = by_http(
        path_prefix="/check",
        request_headers=(ASK, ir.NameMatch(prefix="x-a-"), ir.NameMatch(contains="special")),
        upstream_headers=(ir.NameMatch(suffix="user"),),
    )
    put(edge, source, http_server.port, unasked("/open"), forward(app_cluster("app").name))
    sent = {"x-a-1": "1", "x-b": "2", "very-special-one": "3", "authorization": "Basic x"}
    for host in HOSTS:
        got = (await edge.answers(host + "p?q", 200, headers=sent)).json()["headers"]
        assert (got["x-user"], got.get("x-secret")) == ("bob", None)
        method, path, headers, _ = http_server.heard[-1]
        lower = {name.lower(): value for name, value in headers.items()}
        assert (method, path, lower["host"]) == ("GET", "/check/p?q", HOST)
        assert (lower["x-a-1"], lower["very-special-one"], lower["authorization"]) == ("1", "3", "Basic x")
        assert "x-b" not in lower
        refused = await edge.get(host, headers=NO)
        assert (refused.status_code, refused.text) == (418, "not you")
        assert (await edge.get(host + "open", headers=NO)).status_code == 200


async def test_an_http_server_sees_bodies(edge: Edge, http_server: Authorizer) -> None:
    body = ir.RequestBody(maximum=10, allow_partial=True)
    put(edge, by_http(body=body), http_server.port, respond("/", match=prefix("/"), name="/"))
    await edge.answers(HOSTS[0], 200)
    assert (await post(edge, b"\xff" + b"a" * 100)).status_code == 200
    assert http_server.heard[-1][3] == b"\xff" + b"a" * 9


async def test_of_a_slow_server_no_more_than_its_time_is_waited_for(edge: Edge) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        put(edge, by_grpc(timeout=0.05), silent.getsockname()[1], respond("/", match=prefix("/"), name="/"))
        await edge.answers(HOSTS[0], 403)


async def test_tokens_come_first_and_the_server_after_them(edge: Edge, grpc_server: Authorizer) -> None:
    keys = ir.LocalKeys(jwks=ir.PrivateBytes(b'{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}]}'))
    site = put(edge, by_grpc(), grpc_server.port, respond("/", match=prefix("/"), name="/"))
    await edge.answers(HOSTS[0], 200)
    tokens = ir.Tokens(providers=(ir.TokenProvider(name="p", keys=keys),), default="p")
    edge.world.put(msgspec.structs.replace(site, tokens=tokens))
    await edge.answers(HOSTS[0], 401)
    grpc_server.heard.clear()
    assert (await edge.get(HOSTS[1])).status_code == 401
    assert grpc_server.heard == []
