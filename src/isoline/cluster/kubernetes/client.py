"""A thin client: requests to an API server, as bytes. What they mean is the callers' business.

A library would decode into its own types first, and ten thousand objects twice.
"""

import asyncio
import socket
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import UnreachableError, error_of
from isoline.version import VERSION

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
GOODBYE_SECONDS = 5.0
LOOK_SECONDS = 0.005
LARGEST_LINE = 64 * 1024 * 1024

# A server that went away without a word is noticed after half a minute, not after the kernel's two hours.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)


class Client:
    """One API server. Use it within one event loop; `close` it at the end."""

    def __init__(self, connection: Connection, *, user_agent: str = f"isoline/{VERSION}") -> None:
        self.connection = connection
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._proxy = connection.proxy or environment_proxy(connection.server)

    async def close(self) -> None:
        """Returns when every connection has ended: TLS says goodbye in the background, which takes the loop a while."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    while any(each.fileno() != -1 for each in self._sockets):  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(LOOK_SECONDS)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
    ) -> bytes:
        """Return the body of a good answer. Raises APIError, UnreachableError or CredentialsError."""
        headers = {"Content-Type": content_type} if body is not None else {}
        limits = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        async with self._answer(method, path, query, body, headers, limits) as response:
            return await response.read()

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[aiohttp.StreamReader]:
        """A body that comes bit by bit, for as long as it comes. Raises as `send` does, also while it is read."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with self._answer("GET", path, query, None, {}, limits) as response:
            yield response.content

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        headers: dict[str, str],
        limits: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        identity = self.connection.identity
        for attempt in (1, 2):
            proof = await identity.headers()
            context = self.connection.ssl_context()
            try:
                async with self._open().request(
                    method,
                    self.connection.server + path,
                    params=query,
                    data=body,
                    headers={**headers, **proof},
                    ssl=context if context is not None else True,
                    server_hostname=self.connection.server_name if context is not None else None,
                    proxy=self._proxy,
                    timeout=limits,
                ) as response:
                    if response.status == 401 and attempt == 1:
                        identity.rejected()
                        continue
                    if response.status >= 400:
                        retry_after = response.headers.get("Retry-After")
                        raise error_of(response.status, await response.read(), retry_after=retry_after)
                    yield response
                    return
            except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                raise UnreachableError(f"{self.connection.server}: {_words(error)}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, socket_factory=self._new_socket, keepalive_timeout=60),
                # Packing costs both sides more than the bytes do in a cluster.
                headers={"Accept": JSON, "Accept-Encoding": "identity", "User-Agent": self._user_agent},
                read_bufsize=1024 * 1024,
            )
        return self._session

    def _new_socket(self, address: tuple[Any, ...]) -> socket.socket:
        made = _socket(address)
        self._sockets.add(made)
        return made


def environment_proxy(server: str) -> str | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for a server.

    The client library would look it up for each request, on another thread.
    """
    parts = urlsplit(server)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    for option in _KEEPALIVE:
        made.setsockopt(*option)
    return made


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
