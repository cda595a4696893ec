"""A client that leaves frees the engine; audio leaves before the speech ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import httpx
import pytest

from .conftest import PIECE, FakeEngine

PATH = "/v1/audio/speech"


async def request(
    served: str, path: str, body: Mapping[str, object]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = served.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {served}\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    await writer.drain()
    return reader, writer


async def free(engine: FakeEngine) -> None:
    async with asyncio.timeout(10):
        await engine.idle.wait()
    assert engine.active == 0


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
@pytest.mark.parametrize("response_format", ["pcm", "mp3"])
async def test_leaving_in_the_middle_stops_the_engine(
    served: str, engine: FakeEngine, stream_format: str, response_format: str
) -> None:
    engine.endless = True
    body = {"input": "For ever.", "response_format": response_format, "stream_format": stream_format}
    reader, writer = await request(served, PATH, body)
    assert b"200" in await reader.readline()
    await reader.readexactly(4000)
    assert engine.active == 1
    writer.transport.abort()
    await free(engine)


@pytest.mark.parametrize(("path", "field"), [(PATH, "input"), ("/predict", "text")])
async def test_leaving_before_the_first_audio_stops_the_engine(
    served: str, engine: FakeEngine, path: str, field: str
) -> None:
    engine.gate.clear()
    _, writer = await request(served, path, {field: "Hello."})
    async with asyncio.timeout(10):
        await engine.begun.wait()
    writer.transport.abort()
    await free(engine)


async def test_a_deadline_that_passes_is_told_and_frees_the_engine(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.gate.clear()
    answer = await client.post(PATH, json={"input": "Hello.", "deadline": 0.05})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")
    await free(engine)


async def test_a_deadline_is_over_with_the_first_audio(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    answer = await client.post(PATH, json={"input": "x" * 3000, "deadline": 60, "response_format": "pcm"})
    assert len(answer.content) == 300 * len(PIECE)
    assert engine.requests[0].deadline == 60


async def test_a_client_that_does_not_read_holds_the_engine_back(served: str, engine: FakeEngine) -> None:
    engine.endless = True
    _, writer = await request(served, PATH, {"input": "For ever.", "response_format": "pcm"})
    counts: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://{served}") as client, asyncio.timeout(60):
        while len(counts) < 3 or not counts[-1] or counts[-1] != counts[-3]:
            await asyncio.sleep(0.2)
            figures = (await client.get("/metrics")).text.splitlines()
            sent = [line for line in figures if line.startswith("isoline_voice_audio_seconds_total{")]
            counts.append(sum(float(line.split()[-1]) for line in sent))
    writer.transport.abort()
    await free(engine)


async def test_the_first_piece_leaves_while_the_rest_is_not_spoken_yet(served: str, engine: FakeEngine) -> None:
    async with (
        httpx.AsyncClient() as client,
        client.stream("POST", f"http://{served}{PATH}", json={"input": "x" * 500, "response_format": "pcm"}) as answer,
    ):
        pieces = answer.aiter_raw()
        first = await anext(pieces)
        engine.gate.clear()
        assert first.startswith(PIECE[:100])
        assert engine.active == 1, "the answer was held back until the speech was over"
        engine.gate.set()
        size = len(first) + sum([len(piece) async for piece in pieces])
    assert size == 50 * len(PIECE)
