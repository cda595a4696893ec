"""First audio and real-time factor through the whole stack: HTTPS, Envoy, the studio, its embedded engine."""

import asyncio
import json
import ssl
import time
from typing import Any, NamedTuple

import aiohttp

from benchmarks.figures import spread
from benchmarks.stack import Stack

HOST = "voice.localhost"
APP = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "App",
    "metadata": {"name": "voice"},
    "spec": {"profile": "voice", "host": HOST},
}
TEXT = "今天天气很好，我们去公园里散步吧。路上的花都开了，孩子们在草地上放风筝。"
REQUESTS = 60
RATE = 24_000
BYTES_A_SAMPLE = 2


class Heard(NamedTuple):
    """Seconds until the first byte of audio, until the last, and of audio."""

    first: float
    total: float
    audio: float


async def measure() -> dict[str, Any]:
    async with Stack() as stack:
        (stack.manifests / "voice.json").write_text(json.dumps(APP))
        stack.start()
        await stack.ready()
        result = {f"{clients} client{'s' * (clients > 1)}": await _clients(stack, clients) for clients in (1, 8)}
    print(f"  speech: {result}", flush=True)
    return result


async def _clients(stack: Stack, clients: int) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=str(stack.state / "ca.crt"))
    connector = aiohttp.TCPConnector(ssl=context, limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        await _speak(session, stack.https_port)

        async def client() -> list[Heard]:
            return [await _speak(session, stack.https_port) for _ in range(REQUESTS // clients)]

        heard = [each for several in await asyncio.gather(*(client() for _ in range(clients))) for each in several]
    first = spread([each.first * 1000 for each in heard])
    return {
        "first_audio_ms": {name: round(value, 1) for name, value in first._asdict().items()},
        "real_time_factor": round(sum(each.total for each in heard) / sum(each.audio for each in heard), 4),
    }


async def _speak(session: aiohttp.ClientSession, port: int) -> Heard:
    body = {"input": TEXT, "response_format": "pcm", "instructions": "用开心的语气大声读"}
    started = time.perf_counter()
    async with session.post(
        f"https://127.0.0.1:{port}/v1/audio/speech", json=body, headers={"Host": HOST}, server_hostname=HOST
    ) as answer:
        answer.raise_for_status()
        first = await answer.content.readany()
        heard = time.perf_counter()
        size = len(first) + sum([len(piece) async for piece in answer.content.iter_any()])
    return Heard(heard - started, time.perf_counter() - started, size / BYTES_A_SAMPLE / RATE)
