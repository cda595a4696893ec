"""Clients that name no host in the handshake, or one that nobody knows."""

import asyncio
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import certificate, respond

FALLBACK = certificate("default/fallback", "fallback.example.com")


def put(edge: Edge, host: str, *, fallback: bool, own_chain: bool = False) -> None:
    name = "default/" + host.replace("*", "wild")
    edge.world.put_certificate(certificate(name, host), [] if host.startswith("*") else [host])
    edge.world.put(
        ir.Site(
            host=host,
            https=(respond(host),),
            tls=ir.Tls(certificate=name),
            own_chain=own_chain,
            fallback="default/fallback" if fallback else "",
        )
    )


async def ask(edge: Edge, host: str, server_name: str | None) -> tuple[int, str]:
    """Status and body of `GET https://host/` over a handshake for somebody else, or for nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.https_port, ssl=context, server_hostname=server_name or ""
    )
    writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length: ")[2].partition("\r\n")[0]
    body = await reader.readexactly(int(length or 0))
    writer.close()
    return int(head.split()[1]), body.decode()


async def refused(edge: Edge, server_name: str | None) -> bool:
    try:
        await edge.peer_certificate(server_name)
    except (ssl.SSLError, OSError):
        return True
    return False


@pytest.fixture
async def with_fallback(edge: Edge) -> Edge:
    """a.example.com and *.wild.example.com enable it, b.example.com, *.other.example.com do not."""
    edge.world.put_certificate(FALLBACK)
    put(edge, "a.example.com", fallback=True)
    put(edge, "b.example.com", fallback=False)
    put(edge, "*.wild.example.com", fallback=True, own_chain=True)
    put(edge, "*.other.example.com", fallback=False, own_chain=True)

    async def there() -> bool:
        return await ask(edge, "a.example.com", None) == (200, "a.example.com")

    await edge.eventually(there)
    return edge


@pytest.mark.parametrize("server_name", [None, "stranger.example.org", "c.b.a.example.com", "example.com"])
async def test_strangers_are_served_by_their_host(with_fallback: Edge, server_name: str | None) -> None:
    edge = with_fallback
    shown = x509.load_der_x509_certificate(await edge.peer_certificate(server_name))
    assert shown.public_bytes(Encoding.PEM) == FALLBACK.chain
    assert await ask(edge, "a.example.com", server_name) == (200, "a.example.com")
    assert await ask(edge, "A.Example.com:443", server_name) == (200, "a.example.com")
    assert await ask(edge, "c.wild.example.com", server_name) == (200, "*.wild.example.com")
    for host in ("b.example.com", "c.other.example.com", "nobody.example.org"):
        assert (await ask(edge, host, server_name))[0] == 404
    assert edge.rejected == []


async def test_whoever_names_a_known_host_gets_its_own_certificate(with_fallback: Edge) -> None:
    edge = with_fallback
    for host in ("a.example.com", "b.example.com", "c.wild.example.com", "c.other.example.com", "A.example.COM"):
        shown = x509.load_der_x509_certificate(await edge.peer_certificate(host))
        assert shown.public_bytes(Encoding.PEM) != FALLBACK.chain
    assert (await ask(edge, "b.example.com", "b.example.com")) == (200, "b.example.com")
    assert (await ask(edge, "a.example.com", "b.example.com"))[0] == 421
    assert (await ask(edge, "a.example.com", "c.other.example.com"))[0] == 421


async def test_it_comes_and_goes_without_draining_anybody(edge: Edge) -> None:
    put(edge, "b.example.com", fallback=False)
    put(edge, "*.other.example.com", fallback=False, own_chain=True)
    async with edge.client() as one, edge.client() as two:
        used: set[object] = set()

        async def both_answer() -> bool:
            first = await edge.send(one, "https://b.example.com/")
            second = await edge.send(two, "https://c.other.example.com/")
            used.update(each.extensions["network_stream"].get_extra_info("client_addr") for each in (first, second))
            return (first.status_code, second.status_code) == (200, 200)

        await edge.eventually(both_answer)
        assert await refused(edge, None)
        edge.world.put_certificate(FALLBACK)
        put(edge, "a.example.com", fallback=True)

        async def there() -> bool:
            return await ask(edge, "a.example.com", None) == (200, "a.example.com")

        await edge.eventually(there)
        assert await both_answer()
        put(edge, "a.example.com", fallback=False)

        async def gone() -> bool:
            return await refused(edge, None) and await refused(edge, "stranger.example.org")

        await edge.eventually(gone)
        assert await both_answer()
        assert len(used) == 2
    assert (await ask(edge, "a.example.com", "a.example.com")) == (200, "a.example.com")
