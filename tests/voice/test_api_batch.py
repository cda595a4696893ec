"""Several texts in one request: the request and the results of vllm-omni and sglang-omni."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from isoline_voice.errors import SynthesisError

from .conftest import PIECE, FakeEngine
from .recordings import spoken, wav
from .test_api_leaving import free, request

PATH = "/v1/audio/speech/batch"


async def batch(client: httpx.AsyncClient, *items: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"items": list(items), **defaults})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_results_come_in_the_order_of_the_items(client: httpx.AsyncClient) -> None:
    items = [{"input": "x" * (60 - 10 * number)} for number in range(6)]
    told = await batch(client, *items, response_format="pcm")
    assert [result["index"] for result in told["results"]] == list(range(6))
    assert [base64.b64decode(result["audio_data"]) for result in told["results"]] == [
        PIECE * (6 - number) for number in range(6)
    ]
    assert (told["total"], told["succeeded"], told["failed"]) == (6, 6, 0)
    assert told["id"].startswith("speech-batch-")
    assert told["results"][0]["usage"]["input_tokens"] == 60
    assert told["results"][0]["engine"] == "fake"


async def test_an_item_goes_before_the_defaults(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    told = await batch(
        client,
        {"input": "One."},
        {"input": "Two.", "response_format": "mp3", "speed": 2, "instructions": "slowly"},
        instructions="大声",
        speed=0.5,
    )
    assert [result["media_type"] for result in told["results"]] == ["audio/wav", "audio/mpeg"]
    asked = {each.text: each for each in engine.requests}
    assert [asked[text].speed for text in ("One.", "Two.")] == [0.5, 2]
    assert asked["One."].style.volume == 0.6
    assert asked["Two."].style.volume is None
    assert {each.priority for each in engine.requests} == {"batch"}


async def test_a_wav_tells_its_length(client: httpx.AsyncClient) -> None:
    told = await batch(client, {"input": "Hello."})
    audio = base64.b64decode(told["results"][0]["audio_data"])
    assert int.from_bytes(audio[4:8], "little") == len(audio) - 8


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({}, "input"),
        ({"input": "  "}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"input": "Hello.", "voice": "nobody"}, "voice"),
        ({"input": "Hello.", "speed": 9}, "speed"),
        ({"input": "Hello.", "ref_audio": "!"}, "ref_audio"),
        ({"input": "Hello.", "response_format": "srt"}, "response_format"),
        ({"input": "Hello.", "stream_format": "sse", "timestamp_granularities": ["word"]}, "timestamp_granularities"),
    ],
)
async def test_what_is_wrong_with_one_item_holds_up_no_other(
    client: httpx.AsyncClient, item: dict[str, Any], param: str
) -> None:
    told = await batch(client, {"input": "One."}, item, {"input": "Three."})
    assert [result["status"] for result in told["results"]] == ["success", "error", "success"]
    error = told["results"][1]["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert (told["succeeded"], told["failed"]) == (2, 1)


async def test_an_engine_that_breaks_is_the_items_error(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.refuse = SynthesisError("The worker fell over.")
    told = await batch(client, {"input": "One."})
    assert told["results"][0]["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": "Hello."}, "items"),
        ({"items": ["Hello."]}, "items"),
        ({"items": [{"input": "Hello."}] * 33}, "items"),
        ({"items": [{"input": "Hello."}], "speed": 9}, "speed"),
        ({"items": [{"input": "Hello."}], "response_format": "midi"}, "response_format"),
    ],
)
async def test_what_is_wrong_with_all_is_refused(
    client: httpx.AsyncClient, engine: FakeEngine, body: dict[str, Any], param: str
) -> None:
    answer = await client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert engine.requests == []


async def test_a_field_that_nobody_knows_is_told_where_it_stood(client: httpx.AsyncClient) -> None:
    told = await batch(client, {"input": "One.", "sped": 1}, task_type="Base")
    assert [warning["code"] for warning in told["warnings"]] == ["unknown_field"]
    assert "speed" in told["results"][0]["warnings"][0]["message"]


async def test_one_recording_serves_all_items(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    audio = base64.b64encode(wav(spoken())).decode()
    await batch(client, {"input": "One."}, {"input": "Two."}, ref_audio=audio, ref_text="Hello.")
    first, second = (each.reference for each in engine.requests)
    assert first is not None
    assert first is second
    assert first.transcript == "Hello."


async def test_leaving_stops_the_engine_and_what_waits_behind(served: str, engine: FakeEngine) -> None:
    engine.gate.clear()
    _, writer = await request(served, PATH, {"items": [{"input": f"Text {number}."} for number in range(20)]})
    async with asyncio.timeout(30):
        await engine.begun.wait()
    writer.transport.abort()
    await free(engine)
    assert len(engine.requests) <= 4


async def test_an_item_that_breaks_off_is_an_error_and_no_half_file(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.break_after = 1
    told = await batch(client, {"input": "One."}, {"input": "x" * 20})
    assert [result["status"] for result in told["results"]] == ["success", "error"]
    assert "audio_data" not in told["results"][1]
