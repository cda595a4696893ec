"""No policy holds a stream back: each piece of a body goes on before the next has come, in both directions."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from isoline.objects.core import ServicePort
from unit.routing.support import compiled, proxy, service
from unit.xds.edge import Edge
from unit.xds.support import endpoints

HOST = "voice.example.com"
SPEC = f"""
virtualhost:
  fqdn: {HOST}
  corsPolicy: {{allowOrigin: ["*"], allowMethods: [POST]}}
  rateLimitPolicy: {{local: {{requests: 1000, unit: second}}}}
  ipAllowPolicy: [{{source: Peer, cidr: 127.0.0.0/8}}]
routes:
- services: [{{name: app, port: 80}}]
  timeoutPolicy: {{response: infinity}}
  retryPolicy: {{count: 2}}
  requestHeadersPolicy: {{set: [{{name: x-a, value: b}}]}}
  responseHeadersPolicy: {{set: [{{name: x-c, value: d}}]}}
  cookieRewritePolicies: [{{name: session, secure: true}}]
"""


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers at once, and sends every chunk back as it comes."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    else:
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nset-cookie: session=1\r\nconnection: close\r\n\r\n"
        )
        await writer.drain()
        while size := await reader.readuntil(b"\r\n"):
            chunk = await reader.readexactly(int(size, 16) + 2)
            writer.write(size + chunk)
            await writer.drain()
            if size == b"0\r\n":
                break
    writer.close()


@pytest.fixture
async def echoing() -> AsyncIterator[int]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_pieces_pass_as_they_come(edge: Edge, echoing: int) -> None:
    result = compiled(proxy(SPEC), service("app", "default", ServicePort(name="http", port=80)))
    assert result.site is not None
    edge.world.put_endpoints(endpoints("app", echoing))
    edge.world.put(result.site)
    await edge.answers(f"http://{HOST}/")
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.http_port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://a.example\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    for wanted in (b"200 OK", b"x-c: d", b"access-control-allow-origin", b"session=1; Secure"):
        assert wanted in head
    for piece in (b"first", b"second", b"third"):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        size = int(await reader.readuntil(b"\r\n"), 16)
        assert await reader.readexactly(size + 2) == piece + b"\r\n"
    writer.write(b"0\r\n\r\n")
    assert await reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"
    writer.close()
