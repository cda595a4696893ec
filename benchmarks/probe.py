"""A client that adds little to what it measures: one kept-alive connection, one request after another."""

import asyncio
import time

_SHORTEST_REST = 0.001
"""An event loop counts in milliseconds."""


class Probe:
    """Asks one gateway over plain HTTP/1.1. Not for two tasks at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def head(self, host: str) -> tuple[int, dict[str, str]]:
        """The status and headers (lower case) of a GET of `/`."""
        for attempt in (1, 2):
            try:
                return await self._head(host)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError

    async def _head(self, host: str) -> tuple[int, dict[str, str]]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        await self._reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return int(first.split()[1]), headers

    async def until(
        self, host: str, version: str, *, header: str = "x-version", patience: float = 0.0, limit: float = 60.0
    ) -> float:
        """Asks until a response carries this version in the header. Returns when (`time.perf_counter`) it came.

        Between two questions it rests for this share of the time that has passed: then what is measured has the
        processors for itself, and the result is that much too late at most.

        Raises TimeoutError after `limit` seconds.
        """
        started = time.perf_counter()
        while True:
            try:
                _, headers = await self.head(host)
            except (ConnectionError, asyncio.IncompleteReadError):
                headers = {}
                await asyncio.sleep(0.01)
            now = time.perf_counter()
            if headers.get(header) == version:
                return now
            if now - started > limit:
                raise TimeoutError(f"{host} did not serve version {version} within {limit} s")
            rest = (now - started) * patience
            if rest > _SHORTEST_REST:
                await asyncio.sleep(rest)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
