"""What the studio and the gateway add to the first audio of a remote engine.

The engine is a server of ours that speaks sglang-omni's protocol and answers at once; it is asked directly and through
everything, in turns.
"""

import contextlib
import tempfile
import time
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks import speech
from benchmarks.figures import spread
from benchmarks.ports import free_port

REQUESTS = 200
PIECE = bytes(4_800)
PIECES = 5


async def measure() -> dict[str, Any]:
    """Milliseconds until the first audio, p50: asked directly, through everything, and the difference."""
    with tempfile.TemporaryDirectory(prefix="isoline-bench-") as folder:
        async with _engine() as port:
            engines = _configuration(Path(folder), port)
            environment = [{"name": "ISOLINE_VOICE_ENGINES", "value": str(engines)}]
            async with speech.studio(run={"env": environment}) as stack, speech.connected(stack, 1) as session:
                await speech.speak(session, stack.https_port, voice="tone")
                direct, whole = [], []
                for _ in range(REQUESTS):
                    direct.append(await _asked_directly(session, port))
                    whole.append((await speech.speak(session, stack.https_port, voice="tone")).first * 1000)
    found = {"direct_ms": spread(direct).p50, "whole_ms": spread(whole).p50}
    return {name: round(value, 2) for name, value in (found | {"overhead_ms": _difference(found)}).items()}


def _difference(found: dict[str, float]) -> float:
    return found["whole_ms"] - found["direct_ms"]


async def _asked_directly(session: aiohttp.ClientSession, port: int) -> float:
    started = time.perf_counter()
    body = {"input": speech.TEXT, "stream": True, "response_format": "pcm"}
    async with session.post(f"http://127.0.0.1:{port}/v1/audio/speech", json=body) as answer:
        await answer.content.readany()
        heard = time.perf_counter()
        await answer.read()
    return (heard - started) * 1000


@contextlib.asynccontextmanager
async def _engine() -> AsyncIterator[int]:
    """A server that answers every request with silence at once; gives its port."""
    app = web.Application(client_max_size=20 << 20)
    app.add_routes([web.post("/v1/audio/speech", _speak), web.get("/health", _health)])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def _health(_request: web.Request) -> web.Response:
    return web.Response()


async def _speak(request: web.Request) -> web.StreamResponse:
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
    await response.prepare(request)
    for _ in range(PIECES):
        await response.write(PIECE)
    await response.write_eof()
    return response


def _configuration(folder: Path, port: int) -> Path:
    """A file of engines that names the server, with a voice whose recording is two seconds long."""
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(b"\x00\x20\x00\xe0" * 24_000)
    engines = folder / "engines.toml"
    engines.write_text(
        f'[[engine]]\nkind = "sglang"\nurls = ["http://127.0.0.1:{port}"]\n'
        '[[engine.voice]]\nid = "tone"\nrecording = "tone.wav"\ntranscript = "Tone."\n'
    )
    return engines
