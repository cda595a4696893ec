"""Clients that say what no library would."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from fuzz.running import Running

Headers = Sequence[tuple[str, str]]
_PATIENCE = 5.0


def _context(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@asynccontextmanager
async def connection(
    gateway: Running, server_name: str | None = None, *protocols: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the plain port, or, with a server name, to the one with TLS."""
    port = gateway.http_port if server_name is None else gateway.https_port
    tls = None if server_name is None else _context(*protocols)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=server_name)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def exchange(gateway: Running, request: bytes, server_name: str | None = None) -> bytes:
    """What comes back until the gateway closes, or falls silent."""
    answer = b""
    async with connection(gateway, server_name) as (reader, writer):
        with suppress(OSError, TimeoutError):
            writer.write(request)
            await writer.drain()
            while part := await asyncio.wait_for(reader.read(65536), 0.3 if answer else _PATIENCE):
                answer += part
    return answer


def status(answer: bytes) -> int:
    """The status of the first answer; 0 when there is none."""
    line = answer.partition(b"\r\n")[0].split(b" ")
    return int(line[1]) if len(line) > 1 and line[1].isdigit() else 0


class Http2:
    """One HTTP/2 connection over TLS that sends whatever it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(
            validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False
        )
        self.protocol = h2.connection.H2Connection(config)
        self.protocol.initiate_connection()
        self._reader, self._writer = reader, writer

    async def flush(self) -> None:
        """Does nothing when the gateway has closed."""
        with suppress(OSError):
            self._writer.write(self.protocol.data_to_send())
            await self._writer.drain()

    async def raw(self, data: bytes) -> None:
        """Sends frames as they are. Raises OSError when the gateway has closed."""
        await self.flush()
        self._writer.write(data)
        await self._writer.drain()

    async def request(self, headers: Headers, body: bytes | None = None) -> int:
        """The status of the answer; 0 when the stream or the connection was ended instead."""
        with suppress(h2.exceptions.ProtocolError):
            return await self._request(headers, body)
        return 0

    async def _request(self, headers: Headers, body: bytes | None) -> int:
        stream = self.protocol.get_next_available_stream_id()
        self.protocol.send_headers(stream, headers, end_stream=body is None)
        if body is not None:
            self.protocol.send_data(stream, body, end_stream=True)
        await self.flush()
        return await self.answer(stream)

    async def answer(self, stream: int) -> int:
        """The status of a stream's answer; 0 when the stream or the connection was ended instead."""
        async for event in self.events():
            if getattr(event, "stream_id", stream) != stream:
                continue
            match event:
                case h2.events.ResponseReceived():
                    return int(dict(event.headers)[b":status"])
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    return 0
        return 0

    async def is_closed(self) -> bool:
        """Whether the gateway ends the connection, whatever it says until then; not so when it falls silent."""
        try:
            while await asyncio.wait_for(self._reader.read(65536), _PATIENCE):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    async def events(self) -> AsyncIterator[h2.events.Event]:
        """What the gateway says, until it closes or falls silent."""
        with suppress(OSError, TimeoutError, h2.exceptions.ProtocolError):
            while data := await asyncio.wait_for(self._reader.read(65536), _PATIENCE):
                for event in self.protocol.receive_data(data):
                    yield event
                await self.flush()


@asynccontextmanager
async def http2(gateway: Running, host: str) -> AsyncIterator[Http2]:
    """An HTTP/2 connection to a host."""
    async with connection(gateway, host, "h2") as (reader, writer):
        client = Http2(reader, writer)
        await client.flush()
        yield client


def get(host: str, path: str = "/", *more: tuple[str, str], method: str = "GET") -> list[tuple[str, str]]:
    """The headers of a request over HTTP/2."""
    return [(":method", method), (":scheme", "https"), (":authority", host), (":path", path), *more]
