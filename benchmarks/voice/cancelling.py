"""How soon the engine is free again when a listener leaves, by HTTP/1.1, HTTP/2 and WebSocket.

The studio's own figures are asked for, again and again, on a connection of its own: what is measured has the time of
one such request in it.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx

from benchmarks import speech
from benchmarks.figures import spread
from benchmarks.stack import Stack

LEAVES = 40
LONG = speech.TEXT * 400
BUSY = ("isoline_voice_active_streams", "isoline_voice_workers_busy", "isoline_voice_queue_depth")
PATIENCE = 30.0

Leave = Callable[[Stack], Awaitable[float]]
"""Begins to listen to a long text, leaves after the first audio, and returns when (`time.perf_counter`)."""


async def measure() -> dict[str, Any]:
    """Milliseconds from leaving until nothing is spoken any more, by how the listener was connected."""
    ways: dict[str, Leave] = {"HTTP/1.1": _http_1, "HTTP/2": _http_2, "WebSocket": _websocket}
    async with speech.studio() as stack, speech.connected(stack, 1) as watching:
        found = {}
        for name, leave in ways.items():
            times = []
            for _ in range(LEAVES):
                left = await leave(stack)
                times.append((await _free(watching, stack.https_port) - left) * 1000)
            taken = spread(times)
            found[name] = {field: round(value, 1) for field, value in taken._asdict().items()}
    return found


async def _free(session: aiohttp.ClientSession, port: int) -> float:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        if not any((await figures(session, port, *BUSY)).values()):
            return time.perf_counter()
        await asyncio.sleep(0.001)
    raise TimeoutError(f"the engine was not free after {PATIENCE} s")


async def figures(session: aiohttp.ClientSession, port: int, *names: str) -> dict[str, float]:
    """Figures of the studio's, each summed over its labels."""
    headers = {"Host": speech.HOST}
    async with session.get(speech.url(port, "/metrics"), headers=headers, server_hostname=speech.HOST) as answer:
        lines = (await answer.text()).splitlines()
    return {
        name: sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        for name in names
    }


async def _http_1(stack: Stack) -> float:
    async with speech.connected(stack, 1) as session:
        answer = await session.post(
            speech.url(stack.https_port),
            json={"input": LONG, "response_format": "pcm"},
            headers={"Host": speech.HOST},
            server_hostname=speech.HOST,
        )
        await answer.content.readany()
        left = time.perf_counter()
        answer.close()
    return left


async def _http_2(stack: Stack) -> float:
    async with httpx.AsyncClient(http2=True, verify=_trusting(stack)) as client:
        request = client.build_request(
            "POST",
            speech.url(stack.https_port),
            json={"input": LONG, "response_format": "pcm"},
            headers={"Host": speech.HOST},
            extensions={"sni_hostname": speech.HOST},
        )
        answer = await client.send(request, stream=True)
        await anext(answer.aiter_raw())
        left = time.perf_counter()
        await answer.aclose()
    return left


async def _websocket(stack: Stack) -> float:
    async with speech.connected(stack, 1) as session:
        stream = await session.ws_connect(
            speech.url(stack.https_port, "/v1/audio/speech/stream"),
            headers={"Host": speech.HOST},
            server_hostname=speech.HOST,
        )
        await stream.send_str(json.dumps({"type": "input.text", "text": LONG}))
        while (await stream.receive()).type is not aiohttp.WSMsgType.BINARY:
            pass
        left = time.perf_counter()
        await stream.close()
    return left


def _trusting(stack: Stack) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(stack.state / "ca.crt"))
