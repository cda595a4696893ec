"""Bytes that are handed on: TLS passed through or ended here, and connections that outlive changes elsewhere."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from isoline.routing import ir
from isoline.xds import types
from unit.xds.edge import Edge, free_port
from unit.xds.support import certificate, respond

HOST = "a.example.com"
CERTIFICATE = certificate("upstream", "upstream.example.com")
OURS = certificate("default/a", HOST, "*.example.com")

Start = Callable[..., Awaitable[int]]
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts an upstream that says its name and echoes what it gets; returns its port."""
    servers: list[asyncio.Server] = []

    async def begin(name: str, *, tls: bool = False) -> int:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"{name}\n".encode())
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()

        context = None
        if tls:
            (tmp_path / "upstream.pem").write_bytes(CERTIFICATE.chain + bytes(CERTIFICATE.key))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "upstream.pem")
            # One that insists on its own protocol would refuse a client that offers http/1.1 alone.
            context.set_alpn_protocols(["postgresql"])
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield begin
    for server in servers:
        server.close()


def upstream(name: str, protocol: ir.Upstream = ir.Upstream.TCP, trust: ir.Trust | None = None) -> ir.Cluster:
    return ir.Cluster(name=f"default/{name}/tcp", endpoints=f"default/{name}/tcp", protocol=protocol, trust=trust)


def put_endpoints(edge: Edge, name: str, *ports: int) -> None:
    places = tuple(ir.Endpoint(address="127.0.0.1", port=port) for port in ports)
    edge.world.put_endpoints(ir.Endpoints(name=f"default/{name}/tcp", endpoints=places))


def site(*clusters: ir.Cluster, weights: tuple[int, ...] = (), host: str = HOST, ends: bool = False) -> ir.Site:
    shares = tuple(
        ir.Share(cluster=cluster.name, weight=weight)
        for cluster, weight in zip(clusters, weights or (1,) * len(clusters), strict=True)
    )
    tls = ir.Tls(certificate="default/a") if ends else None
    return ir.Site(host=host, tunnel=ir.Tunnel(shares=shares), tls=tls, own_chain=True, clusters=clusters)


async def connect(edge: Edge, host: str = HOST) -> tuple[str, bytes, Pair]:
    """Who answers, its certificate, and the connection. Raises an error where nobody does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.https_port, ssl=context, server_hostname=host)
    line = await reader.readline()
    if not line:
        writer.close()
        raise ConnectionError("closed without a word")
    return line.decode().strip(), writer.get_extra_info("ssl_object").getpeercert(binary_form=True), (reader, writer)


async def who(edge: Edge, host: str = HOST) -> str:
    name, _, (_, writer) = await connect(edge, host)
    writer.close()
    return name


async def answers(edge: Edge, name: str, host: str = HOST) -> None:
    async def check() -> bool:
        return await who(edge, host) == name

    await edge.eventually(check)


async def echoes(pair: Pair) -> bool:
    reader, writer = pair
    writer.write(b"still there?\n")
    return await reader.readline() == b"still there?\n"


def der(source: ir.Certificate) -> bytes:
    return ssl.PEM_cert_to_DER_cert(source.chain.decode())


async def test_tls_is_passed_through_to_an_upstream_that_ends_it(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "app", await start("app", tls=True))
    edge.world.put(site(upstream("app")))
    await answers(edge, "app")
    _, shown, (_, writer) = await connect(edge)
    writer.close()
    assert shown == der(CERTIFICATE)
    assert edge.rejected == []


@pytest.mark.parametrize(
    ("protocol", "trust"),
    [
        (ir.Upstream.TCP, None),
        (ir.Upstream.TCP_TLS, None),
        (ir.Upstream.TCP_TLS, ir.Trust(authorities=CERTIFICATE.chain, names=("upstream.example.com",))),
    ],
    ids=["plain", "tls", "validated"],
)
async def test_tls_ends_here_and_may_begin_anew(
    edge: Edge, start: Start, protocol: ir.Upstream, trust: ir.Trust | None
) -> None:
    put_endpoints(edge, "app", await start("app", tls=protocol is ir.Upstream.TCP_TLS))
    edge.world.put_certificate(OURS, [HOST, "b.example.com"])
    edge.world.put(site(upstream("app", protocol, trust), ends=True))
    await answers(edge, "app")
    _, shown, pair = await connect(edge)
    assert shown == der(OURS)
    assert await echoes(pair)
    pair[1].close()


async def test_an_upstream_that_does_not_prove_itself_gets_nothing(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "app", await start("app", tls=True))
    put_endpoints(edge, "other", await start("other", tls=True))
    edge.world.put_certificate(OURS, [HOST, "b.example.com"])
    edge.world.put(site(upstream("app", ir.Upstream.TCP_TLS), ends=True, host="b.example.com"))
    trust = ir.Trust(authorities=CERTIFICATE.chain, names=("another.example.com",))
    edge.world.put(site(upstream("other", ir.Upstream.TCP_TLS, trust), ends=True))
    await answers(edge, "app", "b.example.com")
    with pytest.raises(OSError, match="without a word"):
        await who(edge)


async def test_weights(edge: Edge, start: Start) -> None:
    for name in ("one", "two"):
        put_endpoints(edge, name, await start(name, tls=True))
    edge.world.put(site(upstream("one"), upstream("two"), weights=(1, 1)))
    await answers(edge, "one")
    await answers(edge, "two")
    edge.world.put(site(upstream("one"), upstream("two"), weights=(0, 1)))

    async def only_two() -> bool:
        return {await who(edge) for _ in range(8)} == {"two"}

    await edge.eventually(only_two)


async def test_a_replica_that_takes_no_connections_costs_none(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "app", free_port(), await start("app", tls=True))
    edge.world.put(site(upstream("app")))
    await answers(edge, "app")
    assert {await who(edge) for _ in range(10)} == {"app"}


async def test_a_closed_tunnel_is_nobody_elses(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "wild", await start("wild", tls=True))
    edge.world.put(site(upstream("wild"), host="*.example.com"))
    edge.world.put(site())
    await answers(edge, "wild", "b.example.com")
    with pytest.raises((OSError, ssl.SSLError)):
        await who(edge)


async def test_a_wildcards_tunnel_takes_any_number_of_labels(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "wild", await start("wild", tls=True))
    edge.world.put(site(upstream("wild"), host="*.example.com"))
    for host in ("b.example.com", "c.b.example.com", "C.B.A.example.com"):
        await answers(edge, "wild", host)
    with pytest.raises((OSError, ssl.SSLError)):
        await who(edge, "example.com")


async def test_exact_hosts_and_plain_http_beside_a_wildcards_tunnel(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "wild", await start("wild", tls=True))
    edge.world.put_certificate(OURS, [HOST, "b.example.com"])
    edge.world.put(site(upstream("wild"), host="*.example.com"))
    edge.world.put(
        ir.Site(
            host=HOST,
            http=(respond("plain"),),
            https=(respond("secure"),),
            tls=ir.Tls(certificate="default/a"),
            own_chain=True,
        )
    )
    await answers(edge, "wild", "b.example.com")
    await edge.answers(f"https://{HOST}/", text="secure")
    await edge.answers(f"http://{HOST}/", text="plain")
    assert (await edge.get("http://b.example.com/")).status_code == 404


async def test_connections_outlive_what_changes_elsewhere_and_a_change_of_their_own_services(
    edge: Edge, start: Start
) -> None:
    for name in ("one", "two"):
        put_endpoints(edge, name, await start(name, tls=True))
    edge.world.put(site(upstream("one")))
    await answers(edge, "one")
    _, _, pair = await connect(edge)
    for number in range(3):
        edge.world.put(site(upstream("two"), host=f"b{number}.example.com"))
        await answers(edge, "two", f"b{number}.example.com")
        assert await echoes(pair)
    edge.world.remove("b0.example.com")
    edge.world.put(site(upstream("two")))
    await answers(edge, "two")
    assert await echoes(pair)
    pair[1].close()


async def test_a_change_of_where_it_leads_touches_no_listener(edge: Edge, start: Start) -> None:
    for name in ("one", "two"):
        put_endpoints(edge, name, await start(name, tls=True))
    edge.world.put(site(upstream("one")))
    await answers(edge, "one")
    before = await edge.admin("/stats?filter=listener_manager.listener_(modified|in_place)")
    edge.world.put(site(upstream("two")))
    await answers(edge, "two")
    assert await edge.admin("/stats?filter=listener_manager.listener_(modified|in_place)") == before


async def test_a_tunnel_that_cannot_be_warmed_holds_nobody_back(edge: Edge, start: Start) -> None:
    put_endpoints(edge, "good", await start("good", tls=True))
    check = ir.HealthCheck(
        path="/", host="slow", interval=3600.0, timeout=3600.0, unhealthy_threshold=1, healthy_threshold=1
    )
    # Takes connections and never answers, so that the first check is not over before the test is.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        put_endpoints(edge, "slow", silent.getsockname()[1])
        slow = msgspec.structs.replace(upstream("slow"), health_check=check)
        edge.world.put(site(slow, host="slow.example.com"))
        edge.world.put(site(upstream("good"), host="good.example.com"))
        await answers(edge, "good", "good.example.com")
        (stream,) = edge.server.streams
        assert slow.name not in stream.stream.subscriptions[types.CLUSTER].held
