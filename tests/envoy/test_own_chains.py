"""Chains of sites' own come, change and go, the gateway's TLS changes, and nobody's stream is cut."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, respond

HOSTS = ["shared.example.com", "own.example.com", "c.wild.example.com"]


def site(host: str, *, own_chain: bool, maximum: ir.TlsVersion | None = None) -> ir.Site:
    return ir.Site(
        host=host,
        https=(forward("default/app/http/a", websocket=True),),
        tls=ir.Tls(certificate=f"default/{host.removeprefix('*.')}", maximum=maximum),
        own_chain=own_chain,
        clusters=(cluster("app"),),
    )


def put(edge: Edge, *sites: ir.Site) -> None:
    for each in sites:
        assert each.tls is not None
        names = [] if each.host.startswith("*") else [each.host]
        edge.world.put_certificate(certificate(each.tls.certificate, each.host), names)
    edge.world.put(*sites)


@asynccontextmanager
async def stream(edge: Edge, host: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket to the app."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{edge.https_port}/"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, ssl=context, server_hostname=host, headers={"host": host}) as socket,
    ):
        yield socket


async def talks(socket: aiohttp.ClientWebSocketResponse) -> bool:
    await socket.send_str("still there?")
    return await socket.receive_str() == "still there?"


@pytest.fixture
async def three(edge: Edge, app: App) -> Edge:
    """A site on the shared chain, one on its own, and a wildcard."""
    edge.world.put_endpoints(endpoints("app", app.port))
    put(
        edge,
        site("shared.example.com", own_chain=False),
        site("own.example.com", own_chain=True, maximum=ir.TlsVersion.V1_2),
        site("*.wild.example.com", own_chain=True),
    )
    for host in HOSTS:
        await edge.answers(f"https://{host}/")
    return edge


async def test_twenty_changes_of_other_chains_cut_no_stream(three: Edge) -> None:
    async with stream(three, HOSTS[0]) as one, stream(three, HOSTS[1]) as two, stream(three, HOSTS[2]) as other:
        streams = (one, two, other)
        before = (await _listener_updates(three))["in_place_updated"]
        for number in range(10):
            host = f"b{number}.example.com"
            put(three, msgspec.structs.replace(site(host, own_chain=True), https=(respond(host),), clusters=()))
            await three.answers(f"https://{host}/", text=host)
            if number % 2:
                changed = site(host, own_chain=True, maximum=ir.TlsVersion.V1_2)
                three.world.put(msgspec.structs.replace(changed, https=(respond(host),), clusters=()))
            else:
                three.world.remove(host)
            changes = before + 2 * (number + 1)

            async def taken(changes: int = changes) -> bool:
                return (await _listener_updates(three))["in_place_updated"] >= changes

            await three.eventually(taken)
            assert all([await talks(each) for each in streams])
    updates = await _listener_updates(three)
    assert updates["in_place_updated"] == updates["modified"] == before + 20
    assert three.rejected == []


async def _listener_updates(edge: Edge) -> dict[str, int]:
    shown = await edge.admin("/stats?filter=listener_manager.listener_(in_place_updated|modified)")
    return {
        name.partition("listener_manager.listener_")[2]: int(count)
        for name, _, count in (line.partition(": ") for line in shown.splitlines())
    }


async def test_a_change_of_the_gateways_tls_is_for_new_connections_and_cuts_none(three: Edge) -> None:
    async with stream(three, HOSTS[0]) as one, stream(three, HOSTS[1]) as two, stream(three, HOSTS[2]) as other:
        assert await _parameters(three, HOSTS[0], curve="prime256v1")
        three.world.gateway = msgspec.structs.replace(
            three.world.gateway,
            tls_maximum=ir.TlsVersion.V1_2,
            tls_ciphers=("ECDHE-ECDSA-AES256-GCM-SHA384",),
            tls_curves=("P-384",),
        )
        three.world.listen()

        async def changed() -> bool:
            return all(
                [await _parameters(three, host) == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384") for host in HOSTS]
            )

        await three.eventually(changed)
        assert all([await talks(each) for each in (one, two, other)])
        with pytest.raises(ssl.SSLError):
            await _parameters(three, HOSTS[0], curve="prime256v1")
    assert three.rejected == []


async def _parameters(edge: Edge, host: str, *, curve: str = "") -> tuple[str, str]:
    """The version and the cipher of a handshake. Raises `ssl.SSLError` where there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if curve:
        context.set_ecdh_curve(curve)
    _, writer = await asyncio.open_connection("127.0.0.1", edge.https_port, ssl=context, server_hostname=host)
    shown = writer.get_extra_info("ssl_object")
    writer.close()
    return shown.version(), shown.cipher()[0]
