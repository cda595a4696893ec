"""What costs the client little must not cost the gateway much: it ends what floods it, and its memory stays flat."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from fuzz.running import Running, rss_of
from isoline.xds import types
from security.backend import Backend
from security.clients import connection, exchange, get, http2, status
from security.sites import OPEN, WILD

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
NAMES = int(os.environ.get("ISOLINE_FUZZ_NAMES", "1000"))
"""Handshakes under unknown names: `make fuzz` tries 50 000."""


@asynccontextmanager
async def memory_stays_flat(gateway: Running, *, within: int) -> AsyncIterator[None]:
    """Envoy's and the control plane's, each within so many bytes of what it was; and others are answered."""
    before = gateway.rss(), rss_of("self")
    yield
    gateway.check_alive()
    assert status(await exchange(gateway, b"GET /x HTTP/1.1\r\nHost: open.test\r\nConnection: close\r\n\r\n")) == 200
    after = gateway.rss(), rss_of("self")
    assert max(now - then for now, then in zip(after, before, strict=True)) < within, (before, after)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """RFC 9113, section 4.1."""
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0x0, 0x1, 0x3, 0x4, 0x6, 0x9
# GET https://open.test/, as HPACK's static table has it, and a literal authority.
SMALL_GET = b"\x82\x87\x84\x41\x09open.test"


async def flood(gateway: Running, frames: Callable[[int], bytes], times: int = 200_000) -> bool:
    """Sends until the gateway has had enough. Returns whether it had."""
    async with http2(gateway, OPEN) as client:
        reading = asyncio.create_task(client.is_closed())
        with suppress(OSError):
            for at in range(0, times, 1000):
                await client.raw(b"".join(frames(each) for each in range(at, at + 1000)))
                await asyncio.sleep(0)
        return await reading


FLOODS = {
    "streams that are reset at once": lambda n: (
        frame(HEADERS, 0x5, 2 * n + 1, SMALL_GET) + frame(RST_STREAM, 0, 2 * n + 1, b"\0\0\0\x08")
    ),
    "headers that never end": lambda n: (
        frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b") if n else frame(HEADERS, 0x1, 1, SMALL_GET)
    ),
    "headers that never end and say nothing": lambda n: (
        frame(CONTINUATION, 0, 1) if n else frame(HEADERS, 0x1, 1, SMALL_GET)
    ),
    "settings": lambda _n: frame(SETTINGS, 0, 0, b"\x00\x03\x00\x00\x00\x64"),
    "empty bodies": lambda n: frame(DATA, 0, 1) if n else frame(HEADERS, 0x4, 1, SMALL_GET),
    "priorities": lambda n: frame(0x2, 0, 2 * n + 1, b"\0\0\0\0\x10"),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_of_frames_is_cut_off(gateway: Running, backend: Backend, name: str) -> None:
    backend.seen.clear()
    async with memory_stays_flat(gateway, within=48 * MIB):
        cut_off = await flood(gateway, FLOODS[name])
    # Settings that are acknowledged one by one, to a client that reads, cost nobody anything.
    assert cut_off or name == "settings"
    assert len(backend.seen) < 20_000


async def test_pings_are_answered_for_as_long_as_the_answers_are_read(gateway: Running) -> None:
    async with memory_stays_flat(gateway, within=48 * MIB):
        await flood(gateway, lambda _n: frame(PING, 0, 0, b"12345678"), times=50_000)


async def test_headers_that_are_too_large_or_too_many(gateway: Running, backend: Backend) -> None:
    backend.seen.clear()
    head = b"GET /x HTTP/1.1\r\nHost: open.test\r\n"
    async with memory_stays_flat(gateway, within=32 * MIB):
        for much in (b"X: " + b"a" * 64 * 1024 + b"\r\n", b"X: y\r\n" * 101, b"X" * 70_000 + b": y\r\n"):
            assert status(await exchange(gateway, head + much + b"\r\n")) == 431
        assert (
            status(await exchange(gateway, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: open.test\r\n\r\n")) == 431
        )
        # Without an end, and in small parts.
        assert status(await exchange(gateway, head + b"X: " + b"a" * 1_000_000)) == 431
        for headers in ([("x", "a" * 64 * 1024)], [(f"x{at}", "y") for at in range(101)], [("x" * 70_000, "y")]):
            async with http2(gateway, OPEN) as client:
                assert await client.request(get(OPEN, "/x", *headers)) in {0, 431}
        # Small on the wire, as each is one reference to the table of the connection.
        async with http2(gateway, OPEN) as client:
            await client.request(get(OPEN, "/x", *[("x", "a" * 3000)] * 99))
    assert len(backend.seen) == 1


async def test_who_dawdles_is_not_waited_for(gateway: Running, backend: Backend) -> None:
    """The limits of the gateway's configuration hold: for headers, for bodies, and for handshakes that never come."""
    backend.seen.clear()
    parts = {
        "headers": (b"GET /x HTTP/1.1\r\nHost: open.test\r\n", b"X: y\r\n", 408),
        "a body": (b"POST /x HTTP/1.1\r\nHost: open.test\r\nContent-Length: 1000\r\n\r\n", b"a", 408),
        "chunks": (b"POST /x HTTP/1.1\r\nHost: open.test\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 408),
    }

    async def dawdle(start: bytes, part: bytes, expected: int) -> None:
        async with connection(gateway) as (reader, writer):
            writer.write(start)
            dripping = asyncio.create_task(_drip(writer, part))
            answer = await reader.readuntil(b"\r\n\r\n")
            dripping.cancel()
            assert status(answer) == expected, answer

    async with memory_stays_flat(gateway, within=32 * MIB), asyncio.TaskGroup() as group:
        for each in parts.values():
            for _ in range(20):
                group.create_task(dawdle(*each))


async def _drip(writer: asyncio.StreamWriter, part: bytes) -> None:
    with suppress(OSError):
        while True:
            await asyncio.sleep(0.1)
            writer.write(part)
            await writer.drain()


def _handshakes(port: int, names: list[str]) -> int:
    """How many of the names were answered with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    answered = 0
    for name in names:
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            answered += 1
    return answered


@pytest.mark.parametrize(("pattern", "known"), [("r{}.wild.test", True), ("r{}.nowhere.test", False)])
@pytest.mark.timeout(1800)
async def test_names_by_the_thousand(gateway: Running, pattern: str, known: bool) -> None:
    """Whoever asks for many names must leave nothing behind: Envoy keeps every name it ever got a certificate for."""
    await asyncio.to_thread(_handshakes, gateway.https_port, [WILD, "nobody.test"] * 100)
    asked = gateway.streams[0].subscriptions[types.SECRET].asked
    before = len(asked)
    async with memory_stays_flat(gateway, within=32 * MIB):
        names = [pattern.format(at) for at in range(NAMES)]
        assert await asyncio.to_thread(_handshakes, gateway.https_port, names) == (NAMES if known else 0)
    await gateway.settled()
    assert len(asked) <= before + 10


async def test_a_name_in_many_spellings(gateway: Running) -> None:
    """Names ignore case, and one of nine letters can be written in 512 ways."""
    spellings = [
        "".join(letter.upper() if at >> bit & 1 else letter for bit, letter in enumerate("opentest"))
        for at in range(0, 256, 4)
    ]
    spellings = [f"{each[:4]}.{each[4:]}" for each in spellings]
    async with memory_stays_flat(gateway, within=32 * MIB):
        await asyncio.to_thread(_handshakes, gateway.https_port, spellings)
        assert await asyncio.to_thread(_handshakes, gateway.https_port, ["open.test"]) == 1
