"""First audio and real-time factor through the whole stack: HTTPS, Envoy, the studio, its embedded engine."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from benchmarks.figures import spread
from benchmarks.stack import Stack

HOST = "voice.localhost"
APP: dict[str, Any] = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "App",
    "metadata": {"name": "voice"},
    "spec": {"profile": "voice", "host": HOST},
}
TEXT = "今天天气很好，我们去公园里散步吧。路上的花都开了，孩子们在草地上放风筝。"
FEELING = "用开心的语气大声读"
REQUESTS = 60
RATE = 24_000
BYTES_A_SAMPLE = 2


class Heard(NamedTuple):
    """Seconds until the first byte of audio, until the last, and of audio."""

    first: float
    total: float
    audio: float


async def measure() -> dict[str, Any]:
    async with studio() as stack:
        result = {f"{clients} client{'s' * (clients > 1)}": await measure_clients(stack, clients) for clients in (1, 8)}
    print(f"  speech: {result}", flush=True)
    return result


@asynccontextmanager
async def studio(**spec: Any) -> AsyncIterator[Stack]:
    """An Isoline that serves the studio at HOST; `spec` is more of the App's."""
    async with Stack() as stack:
        app = {**APP, "spec": {**APP["spec"], **spec}}
        (stack.manifests / "voice.json").write_text(json.dumps(app))
        stack.start()
        await stack.ready()
        yield stack


@asynccontextmanager
async def connected(stack: Stack, clients: int) -> AsyncIterator[aiohttp.ClientSession]:
    """So many connections of HTTP/1.1 to the studio, opened as they are needed."""
    context = ssl.create_default_context(cafile=str(stack.state / "ca.crt"))
    connector = aiohttp.TCPConnector(ssl=context, limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def measure_clients(stack: Stack, clients: int, *, how: str = "") -> dict[str, Any]:
    """First audio in milliseconds and the real-time factor of REQUESTS sentences."""
    async with connected(stack, clients) as session:
        await speak(session, stack.https_port, instructions=how)

        async def client() -> list[Heard]:
            return [await speak(session, stack.https_port, instructions=how) for _ in range(REQUESTS // clients)]

        heard = [each for several in await asyncio.gather(*(client() for _ in range(clients))) for each in several]
    first = spread([each.first * 1000 for each in heard])
    return {
        "first_audio_ms": {name: round(value, 1) for name, value in first._asdict().items()},
        "real_time_factor": round(sum(each.total for each in heard) / sum(each.audio for each in heard), 4),
    }


async def speak(session: aiohttp.ClientSession, port: int, **fields: Any) -> Heard:
    """Has TEXT spoken, or what `fields` of the request say, to its end."""
    body = {"input": TEXT, "response_format": "pcm", **fields}
    started = time.perf_counter()
    async with session.post(url(port), json=body, headers={"Host": HOST}, server_hostname=HOST) as answer:
        answer.raise_for_status()
        first = await answer.content.readany()
        heard = time.perf_counter()
        size = len(first) + sum([len(piece) async for piece in answer.content.iter_any()])
    return Heard(heard - started, time.perf_counter() - started, size / BYTES_A_SAMPLE / RATE)


def url(port: int, path: str = "/v1/audio/speech") -> str:
    return f"https://127.0.0.1:{port}{path}"
