"""Who is let in by address, at whichever spelling of the host."""

import msgspec
import pytest

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, certificate, prefix, respond

LOCAL = ir.AddressRange(address="127.0.0.0", prefix_length=8, forwarded=False)
ELSEWHERE = ir.AddressRange(address="10.0.0.0", prefix_length=8, forwarded=False)
FORWARDED = msgspec.structs.replace(ELSEWHERE, forwarded=True)
HOST = "a.example.com"
HOSTS = ["http://a.example.com/", "https://a.example.com/"]


def allow(*ranges: ir.AddressRange) -> ir.AddressFilter:
    return ir.AddressFilter(allow=True, ranges=ranges)


def deny(*ranges: ir.AddressRange) -> ir.AddressFilter:
    return ir.AddressFilter(allow=False, ranges=ranges)


def put(edge: Edge, host: str, addresses: ir.AddressFilter | None, *routes: ir.Route) -> None:
    name = "default/wild" if host.startswith("*") else "default/a"
    edge.world.put_certificate(certificate(name, host), [] if host.startswith("*") else [host])
    edge.world.put(
        ir.Site(
            host=host,
            http=routes,
            https=routes,
            tls=ir.Tls(certificate=name),
            own_chain=host.startswith("*"),
            addresses=addresses,
        )
    )


def route(path: str, addresses: ir.AddressFilter | None) -> ir.Route:
    return msgspec.structs.replace(respond(path, match=prefix(path), name=path), addresses=addresses)


async def test_of_a_virtual_host_and_of_routes_that_replace_it(edge: Edge) -> None:
    put(
        edge,
        HOST,
        allow(ELSEWHERE),
        route("/local", allow(ELSEWHERE, LOCAL)),
        route("/open", deny(ELSEWHERE)),
        route("/closed", deny(LOCAL)),
        route("/", None),
    )
    for host in HOSTS:
        await edge.answers(host + "local", text="/local")
        await edge.answers(host + "open", text="/open")
        await edge.answers(host + "closed", 403)
        await edge.answers(host, 403)
    assert edge.rejected == []


@pytest.mark.parametrize("name", ["A.example.COM", "b.example.com", "B.Example.com"])
async def test_letters_and_wildcards_are_no_way_around(edge: Edge, name: str) -> None:
    put(edge, HOST, None, route("/closed", deny(LOCAL)), route("/", None))
    put(edge, "*.example.com", None, route("/closed", deny(LOCAL)), route("/", None))
    for scheme in ("http", "https"):
        await edge.answers(f"{scheme}://{name}/", text="/")
        assert (await edge.get(f"{scheme}://{name}/closed")).status_code == 403
        assert (await edge.get(f"{scheme}://{name}/closed", http2=scheme == "https")).status_code == 403


async def test_a_host_that_redirects_keeps_its_visitors(edge: Edge) -> None:
    closed = ir.Site(host=HOST, http=(TO_HTTPS,), addresses=deny(LOCAL))
    edge.world.put(closed)
    await edge.answers(HOSTS[0], 403)
    edge.world.put(msgspec.structs.replace(closed, addresses=None))
    await edge.answers(HOSTS[0], 301)


async def test_a_client_cannot_say_where_it_comes_from(edge: Edge) -> None:
    put(edge, HOST, None, route("/forwarded", allow(FORWARDED)), route("/", None))
    await edge.answers(HOSTS[0], text="/")
    for header in ("x-forwarded-for", "x-real-ip", "x-envoy-external-address"):
        assert (await edge.get(HOSTS[0] + "forwarded", headers={header: "10.0.0.1"})).status_code == 403


async def test_a_trusted_proxy_says_where_its_client_comes_from(edge: Edge) -> None:
    edge.world.gateway = msgspec.structs.replace(edge.world.gateway, trusted_hops=1)
    edge.world.listen()
    put(edge, HOST, None, route("/forwarded", allow(FORWARDED)), route("/peer", allow(ELSEWHERE)), route("/", None))
    url = HOSTS[0] + "forwarded"
    await edge.answers(url, text="/forwarded", headers={"x-forwarded-for": "10.0.0.1"})
    # Only what the trusted proxy itself has added counts.
    assert (await edge.get(url, headers={"x-forwarded-for": "10.0.0.1, 192.0.2.1"})).status_code == 403
    assert (await edge.get(url)).status_code == 403
    assert (await edge.get(HOSTS[0] + "peer", headers={"x-forwarded-for": "10.0.0.1"})).status_code == 403
