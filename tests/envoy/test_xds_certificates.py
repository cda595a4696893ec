"""Certificates on demand, by the name in the handshake, and chains of their own."""

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from isoline.routing import ir
from isoline.xds import types
from isoline.xds.resources import Name
from unit.xds.edge import Edge
from unit.xds.support import certificate, respond


def der(source: ir.Certificate) -> bytes:
    return x509.load_pem_x509_certificate(source.chain).public_bytes(Encoding.DER)


def site(host: str, *, own_chain: bool = False, minimum: ir.TlsVersion | None = None) -> ir.Site:
    tls = ir.Tls(certificate="default/cert", minimum=minimum)
    return ir.Site(host=host, https=(respond("secure"),), tls=tls, own_chain=own_chain)


async def test_each_host_gets_its_own_certificate(edge: Edge) -> None:
    sources = {host: certificate(f"default/{host}", host) for host in ("a.example.com", "b.example.com")}
    for host, source in sources.items():
        edge.world.put_certificate(source, [host])
        edge.world.put(site(host))
    for host, source in sources.items():
        await edge.answers(f"https://{host}/")
        assert await edge.peer_certificate(host) == der(source)
        assert await edge.peer_certificate(host.upper()) == der(source)


async def test_a_renewed_certificate_is_served_and_drains_nobody(edge: Edge) -> None:
    old, new = (certificate("default/cert", "a.example.com") for _ in range(2))
    edge.world.put_certificate(old, ["a.example.com"])
    edge.world.put(site("a.example.com"))
    async with edge.client() as client:

        async def answers() -> bool:
            return (await edge.send(client, "https://a.example.com/")).status_code == 200

        await edge.eventually(answers)
        assert await edge.peer_certificate("a.example.com") == der(old)
        before = await edge.admin("/stats?filter=listener.https.downstream_cx_total")
        edge.world.put_certificate(new, ["a.example.com"])

        async def renewed() -> bool:
            return await edge.peer_certificate("a.example.com") == der(new)

        await edge.eventually(renewed)
        open_before = int(before.split(": ")[1])
        assert await answers()
        after = await edge.admin("/stats?filter=listener.https.downstream_cx_(total|active)")
        assert "active: 1" in after
        assert int(after.split("total: ")[1].split()[0]) > open_before


async def test_a_name_once_refused_is_served_when_its_certificate_comes(edge: Edge) -> None:
    source = certificate("default/cert", "a.example.com")
    edge.world.put(site("a.example.com"))
    await edge.answers("http://a.example.com/", 404)
    for _ in range(2):
        with pytest.raises((ssl.SSLError, OSError)):
            await edge.peer_certificate("a.example.com")
    edge.world.put_certificate(source, ["a.example.com"])
    await edge.answers("https://a.example.com/")
    edge.world.cache.update(remove=[Name(types.SECRET, "a.example.com")])

    async def refused() -> bool:
        try:
            await edge.peer_certificate("a.example.com")
        except (ssl.SSLError, OSError):
            return True
        return False

    await edge.eventually(refused)


async def test_strangers_leave_nothing_behind(edge: Edge) -> None:
    await edge.answers("http://a.example.com/", 404)
    for number in range(50):
        with pytest.raises((ssl.SSLError, OSError)):
            await edge.peer_certificate(f"x{number}.example.com")

    async def forgotten() -> bool:
        (info,) = edge.server.streams
        return len(info.stream.subscriptions[types.SECRET].asked) <= 1

    await edge.eventually(forgotten)


async def test_a_chain_of_its_own_has_its_own_certificate_and_versions(edge: Edge) -> None:
    source = certificate("default/cert", "a.example.com")
    edge.world.put_certificate(source, ["a.example.com"])
    edge.world.put(site("a.example.com", own_chain=True, minimum=ir.TlsVersion.V1_3))
    await edge.answers("https://a.example.com/")
    assert await edge.peer_certificate("a.example.com") == der(source)
    with pytest.raises(ssl.SSLError):
        await edge.peer_certificate("a.example.com", maximum=ssl.TLSVersion.TLSv1_2)
    assert await edge.peer_certificate("a.example.com", maximum=ssl.TLSVersion.TLSv1_3) == der(source)


async def test_a_new_chain_drains_nobody_on_the_others(edge: Edge) -> None:
    edge.world.put_certificate(certificate("default/cert", "*.example.com"), ["a.example.com"])
    edge.world.put(site("a.example.com"))
    async with edge.client() as client:

        async def answers() -> bool:
            return (await edge.send(client, "https://a.example.com/")).status_code == 200

        await edge.eventually(answers)
        before = await edge.admin("/stats?filter=listener.https.downstream_cx_total")
        edge.world.put(site("*.example.com", own_chain=True))
        async with edge.client() as other:

            async def other_answers() -> bool:
                return (await edge.send(other, "https://c.example.com/")).status_code == 200

            await edge.eventually(other_answers)
        assert await answers()
        assert "listener_in_place_updated: 1" in await edge.admin("/stats?filter=in_place_updated")
    assert int(before.split(": ")[1]) >= 1
