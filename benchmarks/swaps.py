"""What a change of where requests go costs: a Service swapped, weights shifted, replicas rolled, with streams open."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import aiohttp.web

from benchmarks import manifests
from benchmarks.manifests import Manifest
from benchmarks.stack import Stack
from benchmarks.survival import Traffic
from benchmarks.websockets_under_change import open_websocket

RATE = 500
STREAMS = 100
TIMES = 20
PAUSE = 0.25
NAMES = ("one", "two")


async def measure() -> dict[str, Any]:
    answered: set[int] = set()
    async with contextlib.AsyncExitStack() as servers, Stack() as stack:
        ports = [await servers.enter_async_context(_replica(answered)) for _ in range(4)]
        await _begin(stack, ports)
        result: dict[str, Any] = {}
        for kind, change in _changes(stack, ports).items():
            await stack.apply([manifests.site(0, service=NAMES[0])])
            await asyncio.sleep(1)
            answered.clear()
            result[kind] = {**await _under_load(stack, change), "replicas": len(answered)}
            print(f"  {kind}: {result[kind]}", flush=True)
        return result


@contextlib.asynccontextmanager
async def _replica(answered: set[int]) -> AsyncIterator[int]:
    """An app that answers, and that echoes over WebSockets. Yields its port, which is in `answered` once it has."""
    application = aiohttp.web.Application()

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        answered.add(runner.addresses[0][1])
        return await _answer(request)

    application.router.add_get("/{path:.*}", answer)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    if request.headers.get("upgrade", "").lower() != "websocket":
        return aiohttp.web.Response(text="ok")
    socket = aiohttp.web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def _begin(stack: Stack, ports: list[int]) -> None:
    stack.start()
    await stack.ready()
    for name, port in zip(NAMES, ports, strict=False):
        await stack.apply(manifests.backend(port, name=name))
    await stack.apply([_site(100, 0)])
    await asyncio.sleep(1)


def _site(*weights: int) -> Manifest:
    """A site that shares requests out among the Services; one of weight 0 is named all the same."""
    site = manifests.site(0)
    (route,) = site["spec"]["routes"]
    route["services"] = [
        {"name": name, "port": 80, "weight": weight} for name, weight in zip(NAMES, weights, strict=True)
    ]
    return site


def _slice(name: str, ports: Iterable[int]) -> list[Manifest]:
    """EndpointSlices of one Service, one a replica: their ports differ."""
    return [
        {**manifests.backend(port, name=name)[1], "metadata": _slice_metadata(name, number)}
        for number, port in enumerate(ports)
    ]


def _slice_metadata(name: str, number: int) -> Manifest:
    labels = {"kubernetes.io/service-name": name}
    return {"name": f"{name}-{number + 1}", "namespace": "default", "labels": labels}


def _changes(stack: Stack, ports: list[int]) -> dict[str, Callable[[int], Awaitable[None]]]:
    async def swap(turn: int) -> None:
        await stack.apply([manifests.site(0, service=NAMES[turn % 2])])

    async def shift(turn: int) -> None:
        await stack.apply([_site(*((0, 100) if turn % 2 else (100, 0)))])

    async def roll(turn: int) -> None:
        # The next replica comes, then the one before goes.
        old, new = ports[turn % 4], ports[(turn + 1) % 4]
        await stack.apply(_slice(NAMES[0], (old, new)))
        await stack.apply(_slice(NAMES[0], (new, new)))

    return {"swap": swap, "shift": shift, "roll": roll}


async def _under_load(stack: Stack, change: Callable[[int], Awaitable[None]]) -> dict[str, Any]:
    host = manifests.host(0)
    opened = await asyncio.gather(*(open_websocket(stack.http_port, host) for _ in range(STREAMS)))
    streams = [each for each in opened if each is not None]
    traffic = Traffic(stack.http_port, host, "/", rate=RATE)
    async with traffic.running():
        for turn in range(TIMES):
            await change(turn)
            await asyncio.sleep(PAUSE)
    lost = STREAMS - len(streams)
    for stream in streams:
        try:
            await stream.send("here?")
            await asyncio.wait_for(stream.recv(), 10)
        except Exception:
            lost += 1
    await asyncio.gather(*(stream.close() for stream in streams), return_exceptions=True)
    return {
        "changes": TIMES,
        "requests": traffic.sent,
        "failed": len(traffic.failures),
        "streams": STREAMS,
        "lost": lost,
        "failures": sorted(set(traffic.failures)),
    }
