"""The catch-all takes what no other host takes: on plain HTTP any Host, on HTTPS who names no known host."""

import ssl

import pytest

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import certificate, respond

CERTIFICATE = "certs/fallback"
OTHERS = ("exact.example.com", "*.wild.example.com")


def catch_all(text: str = "catch-all", *, fallback: str = "") -> ir.Site:
    routes = (respond(text),)
    return ir.Site(host=ir.CATCH_ALL, http=routes, https=routes if fallback else (), fallback=fallback)


async def test_every_unknown_host_is_the_catch_alls_and_no_known_one(edge: Edge) -> None:
    edge.world.put(*(ir.Site(host=host, http=(respond(host),)) for host in OTHERS))
    await edge.answers("http://exact.example.com/", text="exact.example.com")
    assert (await edge.get("http://unknown.example.org/")).status_code == 404
    edge.world.put(catch_all())
    await edge.answers("http://unknown.example.org/", text="catch-all")
    for host in ("localhost", "UNKNOWN.Example.org", "a.b.wild.example.com", "192.0.2.1", "under_score.example.org"):
        assert (await edge.get("http://localhost/", host=host)).text == "catch-all", host
    assert (await edge.get("http://exact.example.com/")).text == "exact.example.com"
    assert (await edge.get("http://one.wild.example.com/")).text == "*.wild.example.com"
    assert (await edge.get("http://exact.example.com/", headers={"x-isoline-scope": "http/*"})).text == OTHERS[0]
    edge.world.remove(ir.CATCH_ALL)
    await edge.answers("http://unknown.example.org/", 404)


async def test_a_path_that_a_known_host_does_not_have_is_not_the_catch_alls(edge: Edge) -> None:
    only = ir.Match(path=ir.PathMatch(kind=ir.PathKind.EXACT, value="/only"))
    edge.world.put(catch_all(), ir.Site(host=OTHERS[0], http=(respond("only", match=only),)))
    await edge.answers("http://unknown.example.org/", text="catch-all")
    await edge.answers("http://exact.example.com/only", text="only")
    assert (await edge.get("http://exact.example.com/")).status_code == 404


async def test_on_https_it_needs_the_fallback_certificate(edge: Edge) -> None:
    exact = ir.Site(host=OTHERS[0], https=(respond("exact"),), tls=ir.Tls(certificate="default/exact"))
    edge.world.put_certificate(certificate("default/exact", OTHERS[0]), [OTHERS[0]])
    edge.world.put(exact, catch_all())
    await edge.answers("https://exact.example.com/", text="exact")
    with pytest.raises((ssl.SSLError, OSError)):
        await edge.peer_certificate("unknown.example.org")
    edge.world.put_certificate(certificate(CERTIFICATE, "fallback"))
    edge.world.put(catch_all(fallback=CERTIFICATE))
    await edge.answers("https://unknown.example.org/", text="catch-all")
    # Who names a known host is that host's, also in what it does not serve.
    assert (await edge.get("https://exact.example.com/", host="unknown.example.org")).status_code == 421
    assert (await edge.get("https://exact.example.com/")).text == "exact"
    assert not edge.rejected
