"""A certificate on demand that Envoy refuses is told as refused, also to a control plane that kept nothing."""

import asyncio
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from isoline.routing import ir
from isoline.xds import types
from isoline.xds.server import Server
from unit.xds.edge import Edge
from unit.xds.support import World, certificate, respond

HOST = "a.example.com"


def mismatched() -> ir.Certificate:
    one, other = (certificate("default/cert", HOST) for _ in range(2))
    return ir.Certificate(name="default/cert", chain=one.chain, key=other.key)


def put(world: World, source: ir.Certificate) -> None:
    world.put_certificate(source, [HOST])
    world.put(ir.Site(host=HOST, https=(respond("secure"),), tls=ir.Tls(certificate="default/cert")))


async def restart_with(edge: Edge, source: ir.Certificate) -> None:
    """A control plane that knows of no refusal, and never had what Envoy holds."""
    await edge.server.stop()
    edge.world = World(edge.world.gateway)
    put(edge.world, source)
    edge.world.cache.mark_ready()
    edge.server = Server(edge.world.cache, address=edge.address, on_rejected=lambda *each: edge.rejected.append(each))
    await edge.server.start()


async def refused(edge: Edge, times: int) -> None:
    async def told() -> bool:
        return len(edge.rejected) == times

    await edge.eventually(told)
    name, words = edge.rejected[-1]
    assert (name.type_url, name.name) == (types.SECRET, HOST)
    assert "KEY_VALUES_MISMATCH" in words


async def serves(edge: Edge, source: ir.Certificate) -> None:
    der = x509.load_pem_x509_certificate(source.chain).public_bytes(Encoding.DER)

    async def served() -> bool:
        return await edge.peer_certificate(HOST) == der

    await edge.eventually(served)


@pytest.fixture
async def good(edge: Edge) -> ir.Certificate:
    """What is served at first."""
    source = certificate("default/cert", HOST)
    put(edge.world, source)
    await edge.answers(f"https://{HOST}/")
    return source


async def test_what_was_refused_while_the_old_one_is_not_known_stays_refused(edge: Edge, good: ir.Certificate) -> None:
    bad = mismatched()
    await restart_with(edge, bad)
    await refused(edge, 1)
    await asyncio.sleep(0.2)
    for times in (2, 3):
        await restart_with(edge, bad)
        await refused(edge, times)
    await serves(edge, good)
    put(edge.world, mismatched())
    await refused(edge, 4)
    renewed = certificate("default/cert", HOST)
    put(edge.world, renewed)
    await serves(edge, renewed)
    assert len(edge.rejected) == 4


async def test_each_later_bad_one_is_refused_after_restarts(edge: Edge, good: ir.Certificate) -> None:
    put(edge.world, mismatched())
    await refused(edge, 1)
    await restart_with(edge, mismatched())
    await refused(edge, 2)
    await restart_with(edge, good)
    await serves(edge, good)
    put(edge.world, mismatched())
    await refused(edge, 3)
    await serves(edge, good)


async def test_one_that_was_bad_from_the_start_stays_refused(edge: Edge) -> None:
    bad = mismatched()
    put(edge.world, bad)
    await edge.answers("http://other.example.com/", 404)
    with pytest.raises((ssl.SSLError, OSError)):
        await edge.peer_certificate(HOST)
    await refused(edge, 1)
    await asyncio.sleep(0.2)
    await restart_with(edge, bad)
    await refused(edge, 2)
    mended = certificate("default/cert", HOST)
    put(edge.world, mended)
    await serves(edge, mended)
