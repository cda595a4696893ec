"""An app that says what reached it, byte for byte."""

import asyncio
import json
from contextlib import suppress
from typing import NamedTuple


class Seen(NamedTuple):
    """One request as it came over the wire."""

    line: bytes
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(b" ")[1].decode("latin-1")

    def values(self, name: str) -> list[str]:
        """The values of a header, by its name in lower case."""
        return [value for known, value in self.headers if known == name]


class Backend:
    """Speaks HTTP/1.1, and keeps connections open: a smuggled request would be seen as one of its own."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[Seen] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ValueError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head[:-4].split(b"\r\n")
                headers = [_header(each) for each in lines]
                seen = Seen(line, headers, await _body(reader, dict(headers)))
                self.seen.append(seen)
                answer = json.dumps({"path": seen.path, "headers": headers}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
                await writer.drain()
        writer.close()


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.lower(), value.strip()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body
