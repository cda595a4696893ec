"""People who use a site while something breaks: they ask again and again, and hold WebSockets open."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from kubernetes.planes import HTTP, apply_service
from kubernetes.rig import Api

HTTPS = 8443
RATE = 200.0
PATIENCE = 30.0
PORT = 9000


class Load:
    """Requests to `/` of a host, up to 200 a second: as many as the machine can, for it has other work to do."""

    def __init__(
        self,
        address: str,
        host: str,
        *,
        body: str | None = None,
        methods: tuple[str, ...] = ("GET",),
        authority: bytes | None = None,
        port: int | None = None,
        rate: float = RATE,
    ) -> None:
        """`body` is what each answer must be. With an `authority`, in PEM, it is HTTPS. `rate` is requests a second."""
        self.failures: list[str] = []
        self.answered = 0
        self._address = address
        self._url = f"http://{host}:{port or HTTP}/" if authority is None else f"https://{host}:{port or HTTPS}/"
        self._pause = 1 / rate
        self._trust = True if authority is None else ssl.create_default_context(cadata=authority.decode())
        self._body = body
        self._methods = itertools.cycle(methods)
        self._asking: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=20, ssl=self._trust, resolver=_Resolver(self._address))
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE), connector=connector)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, *self._asking, return_exceptions=True)
        await self._session.close()

    async def more(self, answers: int = 100) -> None:
        """Wait for so many more answers. Raises AssertionError at the first that is not the wanted one."""
        enough = self.answered + answers
        async with asyncio.timeout(PATIENCE):
            while self.answered < enough and not self.failures:  # noqa: ASYNC110 - simply counted
                await asyncio.sleep(0.01)
        assert not self.failures, "\n".join(self.failures)

    async def websocket(self) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket that echoes; it ends with the load."""
        opened = await self._session.ws_connect(self._url + "ws")
        await echoes(opened)
        return opened

    async def _run(self) -> None:
        while True:
            if len(self._asking) < 40:
                task = asyncio.create_task(self._ask(next(self._methods)))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            await asyncio.sleep(self._pause)

    async def _ask(self, method: str) -> None:
        try:
            async with self._session.request(method, self._url) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(f"{method}: {error!r}")
            return
        if response.status == 200 and self._body in (None, text):
            self.answered += 1
        else:
            self.failures.append(f"{method}: {response.status} {text[:200]}")


class _Resolver(AbstractResolver):
    """Finds every host at one address."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=self._address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """There is nothing to close."""


async def echoes(opened: aiohttp.ClientWebSocketResponse) -> None:
    """Wait until what is said on a WebSocket has come back."""
    await opened.send_str("hello")
    assert await opened.receive_str(timeout=PATIENCE) == "hello"


@asynccontextmanager
async def app(api: Api, namespace: str, address: str) -> AsyncIterator[None]:
    """A Service `app` with one endpoint, which says hello and echoes WebSockets."""
    handler = web.Application()
    handler.router.add_get("/", _hello)
    handler.router.add_get("/ws", _echo)
    runner = web.AppRunner(handler, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, address, PORT).start()
    await apply_service(api, namespace, address, PORT)
    try:
        yield
    finally:
        await runner.cleanup()


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _echo(request: web.Request) -> web.WebSocketResponse:
    opened = web.WebSocketResponse()
    await opened.prepare(request)
    async for message in opened:
        await opened.send_str(message.data)
    return opened


class Balancer:
    """A TCP load balancer before several addresses: connections go to the first that is in service and takes them."""

    def __init__(self, address: str, port: int, *targets: str) -> None:
        self.targets = list(targets)
        """Those in service."""
        self.address = address
        self._port = port
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._forward, self.address, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            for target in list(self.targets):
                with contextlib.suppress(OSError):
                    there, back = await asyncio.open_connection(target, self._port)
                    break
            else:
                return
            try:
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            finally:
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            # One end has gone: so does the other.
            return
        finally:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
