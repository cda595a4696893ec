"""Which tokens let a request pass, and whose keys they are verified with."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import aiohttp.web
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from isoline.routing import ir
from isoline.routing.jwks import Keys, parse_jwks
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, certificate, endpoints, forward, prefix, respond
from unit.xds.support import cluster as app_cluster

HOST = "a.example.com"
HOSTS = ["http://a.example.com/", "https://a.example.com/"]
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(*keys: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    written = [
        json.loads(
            jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())
            if isinstance(key, ec.EllipticCurvePrivateKey)
            else jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())
        )
        for key in keys
    ]
    parsed = parse_jwks(json.dumps({"keys": written}).encode())
    assert isinstance(parsed, Keys)
    assert parsed.unusable == 0
    return parsed.jwks


def token(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY, **claims: object) -> dict[str, str]:
    algorithm = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
    said = {"iss": "issuer", "aud": "app", "exp": time.time() + 60, **claims}
    return {"authorization": "Bearer " + jwt.encode(said, key, algorithm=algorithm)}


def local(
    name: str = "p", *, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY, **fields: object
) -> ir.TokenProvider:
    provider = ir.TokenProvider(name=name, keys=ir.LocalKeys(jwks=ir.PrivateBytes(jwks(key))))
    return msgspec.structs.replace(provider, **fields)


def route(path: str, token_of: str | None = None) -> ir.Route:
    return msgspec.structs.replace(respond(path, match=prefix(path), name=path), token=token_of)


def put(
    edge: Edge, tokens: ir.Tokens, *routes: ir.Route, host: str = HOST, clusters: tuple[ir.Cluster, ...] = ()
) -> None:
    name = "default/" + ("wild" if host.startswith("*") else host)
    edge.world.put_certificate(certificate(name, host), [] if host.startswith("*") else [host])
    edge.world.put(
        ir.Site(
            host=host,
            http=routes,
            https=routes,
            tls=ir.Tls(certificate=name),
            own_chain=host.startswith("*"),
            tokens=tokens,
            clusters=clusters,
        )
    )


async def status(edge: Edge, url: str, headers: dict[str, str] | None = None, **options: bool) -> int:
    return (await edge.get(url, headers=headers, **options)).status_code  # type: ignore[arg-type]


async def test_a_default_provider_and_routes_that_say_otherwise(edge: Edge) -> None:
    tokens = ir.Tokens(providers=(local("p"), local("q", key=OTHER_KEY)), default="p")
    put(edge, tokens, route("/open", ""), route("/other", "q"), route("/"))
    for host in HOSTS:
        await edge.answers(host, 200, "/", headers=token())
        assert await status(edge, host) == 401
        assert await status(edge, host, token(OTHER_KEY)) == 401
        assert (await edge.get(host + "open")).text == "/open"
        assert await status(edge, host + "other", token()) == 401
        assert (await edge.get(host + "other", headers=token(OTHER_KEY))).text == "/other"
    assert edge.rejected == []


async def test_issuer_audience_and_time(edge: Edge) -> None:
    put(
        edge,
        ir.Tokens(providers=(local(issuer="issuer", audiences=("app", "b"), key=RSA_KEY),), default="p"),
        route("/"),
    )
    url = HOSTS[1]
    await edge.answers(url, 200, headers=token(RSA_KEY))
    assert await status(edge, url, token(RSA_KEY, aud=["x", "b"])) == 200
    assert await status(edge, url, token(RSA_KEY, aud="x")) == 403
    assert await status(edge, url, token(RSA_KEY, iss="x")) == 401
    assert await status(edge, url, token(RSA_KEY, exp=time.time() - 3600)) == 401
    assert await status(edge, url, token(RSA_KEY, nbf=time.time() + 3600)) == 401
    assert await status(edge, url, {"authorization": "Bearer x"}) == 401


@pytest.mark.parametrize("forwarded", [True, False])
async def test_the_app_sees_the_token_only_where_that_is_wanted(edge: Edge, app: App, forwarded: bool) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    upstream = app_cluster("app")
    put(
        edge,
        ir.Tokens(providers=(local(forward=forwarded),), default="p"),
        forward(upstream.name),
        clusters=(upstream,),
    )
    answer = await edge.answers(HOSTS[1], 200, headers=token())
    assert ("authorization" in answer.json()["headers"]) is forwarded


@pytest.mark.parametrize("name", ["A.example.COM", "b.example.com", "B.Example.com"])
async def test_letters_and_wildcards_are_no_way_around(edge: Edge, name: str) -> None:
    tokens = ir.Tokens(providers=(local(),), default="p")
    put(edge, tokens, route("/"))
    put(edge, tokens, route("/"), host="*.example.com")
    for scheme in ("http", "https"):
        url = f"{scheme}://{name}/"
        await edge.answers(url, 200, headers=token())
        assert await status(edge, url) == 401
        assert await status(edge, url, http2=scheme == "https") == 401


async def test_what_only_leads_to_https_demands_nothing(edge: Edge) -> None:
    tokens = ir.Tokens(providers=(local(),), default="p")
    closed = ir.Site(host=HOST, http=(route("/here"), TO_HTTPS), tokens=tokens)
    edge.world.put(closed)
    await edge.answers(HOSTS[0] + "elsewhere", 301)
    assert await status(edge, HOSTS[0] + "here") == 401


async def test_neither_404_nor_421_demands_a_token(edge: Edge) -> None:
    put(edge, ir.Tokens(providers=(local(),), default="p"), route("/here"))
    await edge.answers(HOSTS[1] + "here", 401)
    assert await status(edge, HOSTS[1] + "nowhere") == 404
    assert (await edge.get(HOSTS[1] + "here", host="b.example.com")).status_code == 421


async def test_conditions_of_routes_count_for_tokens_too(edge: Edge) -> None:
    header = ir.HeaderMatch(name="x-public", kind=ir.ValueKind.EXACT, value="yes")
    query = ir.QueryMatch(name="public", kind=ir.ValueKind.PRESENT)
    everything = prefix("/").path
    put(
        edge,
        ir.Tokens(providers=(local(),), default="p"),
        msgspec.structs.replace(route("/", ""), name="h", match=ir.Match(path=everything, headers=(header,))),
        msgspec.structs.replace(route("/", ""), name="q", match=ir.Match(path=everything, query=(query,))),
        msgspec.structs.replace(
            route("/", ""), name="r", match=ir.Match(path=ir.PathMatch(kind=ir.PathKind.REGEX, value="/v[0-9]+"))
        ),
        msgspec.structs.replace(
            route("/", ""), name="s", match=ir.Match(path=ir.PathMatch(kind=ir.PathKind.SEGMENTS, value="/seg"))
        ),
        msgspec.structs.replace(
            route("/", ""), name="e", match=ir.Match(path=ir.PathMatch(kind=ir.PathKind.EXACT, value="/exact"))
        ),
        route("/"),
    )
    url = HOSTS[1]
    await edge.answers(url, 401)
    for path in ("?public", "v1", "v1?x", "seg", "seg/x", "exact"):
        assert await status(edge, url + path) == 200, path
    assert await status(edge, url, {"x-public": "yes"}) == 200
    for path in ("v1/x", "segment", "exact/", "exact%2f", "V1"):
        assert await status(edge, url + path) in {401, 307}, path
    assert edge.rejected == []


# --- fetched keys

Start = Callable[..., Awaitable[tuple[int, list[str]]]]


@pytest.fixture
async def start_jwks(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a server of keys, over TLS if it is given a certificate; returns its port and the hosts it hears."""
    runners: list[aiohttp.web.AppRunner] = []

    async def start(keys: bytes, certified: ir.Certificate | None = None) -> tuple[int, list[str]]:
        asked: list[str] = []

        async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
            asked.append(request.host)
            return aiohttp.web.Response(body=keys, content_type="application/json")

        application = aiohttp.web.Application()
        application.router.add_get("/keys", answer)
        runner = aiohttp.web.AppRunner(application)
        runners.append(runner)
        await runner.setup()
        context = None
        if certified is not None:
            file = tmp_path / "jwks.pem"
            file.write_bytes(certified.chain + bytes(certified.key))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return runner.addresses[0][1], asked

    yield start
    for runner in runners:
        await runner.cleanup()


def fetched(port: int, *, trust: ir.Trust | None = None, secure: bool = True) -> tuple[ir.TokenProvider, ir.Cluster]:
    upstream = ir.Cluster(
        name=f"jwks/localhost/{port}",
        endpoints="",
        dns=ir.Dns(hostname="localhost", port=port, family=ir.DnsFamily.V4),
        protocol=ir.Upstream.TLS if secure else ir.Upstream.HTTP1,
        sni="localhost" if secure else "",
        trust=trust,
    )
    uri = f"{'https' if secure else 'http'}://localhost:{port}/keys"
    keys = ir.RemoteKeys(uri=uri, cluster=upstream.name, timeout=1.0, cache_duration=300.0)
    return ir.TokenProvider(name="p", keys=keys), upstream


async def test_keys_are_fetched_over_tls_from_who_proves_to_be_it(edge: Edge, start_jwks: Start) -> None:
    identity = certificate("jwks", "localhost")
    port, asked = await start_jwks(jwks(KEY), identity)
    trust = ir.Trust(authorities=identity.chain, names=("localhost",))
    provider, upstream = fetched(port, trust=trust)
    put(edge, ir.Tokens(providers=(provider,), default="p"), route("/"), clusters=(upstream,))
    await edge.answers(HOSTS[1], 200, headers=token())
    assert await status(edge, HOSTS[1], token(OTHER_KEY)) == 401
    assert asked == [f"localhost:{port}"] * len(asked)
    assert asked


async def test_keys_of_somebody_else_let_nobody_pass(edge: Edge, start_jwks: Start) -> None:
    port, asked = await start_jwks(jwks(KEY), certificate("jwks", "localhost"))
    trust = ir.Trust(authorities=certificate("ca", "localhost").chain, names=("localhost",))
    provider, upstream = fetched(port, trust=trust)
    put(edge, ir.Tokens(providers=(provider,), default="p"), route("/open", ""), route("/"), clusters=(upstream,))
    await edge.answers(HOSTS[1] + "open", 200)
    assert await status(edge, HOSTS[1], token()) in {401, 503}
    assert asked == []


async def test_keys_are_fetched_over_plain_http_too(edge: Edge, start_jwks: Start) -> None:
    port, _ = await start_jwks(jwks(RSA_KEY, KEY))
    provider, upstream = fetched(port, secure=False)
    put(edge, ir.Tokens(providers=(provider,), default="p"), route("/"), clusters=(upstream,))
    await edge.answers(HOSTS[1], 200, headers=token())
    await edge.answers(HOSTS[0], 200, headers=token(RSA_KEY))


async def test_changes_of_one_tenants_providers_cut_nobody(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    upstream = app_cluster("app")
    host = "streams.example.com"
    edge.world.put_certificate(certificate("default/s", host), [host])
    stream = forward(upstream.name, websocket=True)
    edge.world.put(
        ir.Site(host=host, http=(stream,), https=(stream,), tls=ir.Tls(certificate="default/s"), clusters=(upstream,))
    )
    put(
        edge, ir.Tokens(providers=(local(),), default="p"), forward(upstream.name, websocket=True), clusters=(upstream,)
    )
    await edge.answers(HOSTS[1], 401)
    await edge.answers(f"https://{host}/", 200)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        opened = []
        for name, headers in ((host, {}), (HOST, token())):
            for scheme, port in (("http", edge.http_port), ("https", edge.https_port)):
                url = f"{scheme}://127.0.0.1:{port}/"
                opened.append(
                    await session.ws_connect(url, headers={"host": name, **headers}, server_hostname=name)
                    if scheme == "https"
                    else await session.ws_connect(url, headers={"host": name, **headers})
                )
        listeners = await edge.admin("/stats?filter=listener_modified|lds.update_success")
        for number in range(20):
            provider = local(f"p{number}", key=OTHER_KEY)
            put(
                edge,
                ir.Tokens(providers=(provider,), default=provider.name),
                forward(upstream.name, websocket=True),
                clusters=(upstream,),
            )
            await asyncio.sleep(0.01)
        await edge.answers(HOSTS[1], 200, headers=token(OTHER_KEY))
        assert await status(edge, HOSTS[1], token()) == 401
        assert await edge.admin("/stats?filter=listener_modified|lds.update_success") == listeners
        for socket in opened:
            await socket.send_str("still here")
            assert (await socket.receive_str()) == "still here"
    assert edge.rejected == []
