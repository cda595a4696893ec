"""POST /v1/audio/speech: its fields, its headers, its errors."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from isoline_voice.api.speech import accepted_format
from isoline_voice.engines.protocol import Speech, SpeechRequest
from isoline_voice.errors import EngineBusyError, EngineUnavailableError, SynthesisTimeoutError

from .conftest import PIECE, SICHUANESE, FakeEngine

PATH = "/v1/audio/speech"


async def speak(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post(PATH, json={"input": "Hello, world!", "response_format": "pcm", **fields})


async def test_the_audio_is_what_the_engine_spoke(client: httpx.AsyncClient) -> None:
    answer = await speak(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/pcm"
    assert answer.headers["x-voice-engine"] == "fake"
    assert answer.content == PIECE * 2


async def test_the_fields_reach_the_engine(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    await speak(client, voice={"id": "alloy"}, speed=1.5, language="fr", seed=7, instructions="slowly")
    [request] = engine.requests
    assert (request.voice, request.speed, request.language, request.seed) == ("alloy", 1.5, "fr", 7)
    assert request.style.rate is not None
    assert request.style.rate < 0


async def test_null_means_the_default(client: httpx.AsyncClient) -> None:
    assert (await speak(client, voice=None, speed=None, instructions=None)).status_code == 200


async def test_json_is_read_whatever_curl_calls_it(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        PATH,
        content='{"input":"你好，世界","instructions":"用四川话大声读出来"}'.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "wav"),
        ("application/octet-stream", "mp3"),
        ("", "mp3"),
        ("audio/flac, */*;q=0.1", "flac"),
        ("text/html, audio/ogg;q=0.8", "opus"),
    ],
)
def test_without_a_format_the_accept_header_decides(accept: str, expected: str) -> None:
    assert accepted_format(accept) == expected


async def test_what_was_understood_comes_back_in_ascii_headers(client: httpx.AsyncClient) -> None:
    answer = await speak(client, instructions="用四川话大声读出来")
    assert answer.headers["x-voice-style"].isascii()
    style = json.loads(answer.headers["x-voice-style"])
    assert style["dialect"] == "四川话"
    assert style["volume"] > 0
    [warning] = json.loads(answer.headers["x-voice-warnings"])
    assert warning["code"] == "dialect_unsupported"
    assert "普通话" in warning["message_zh"]


async def test_headers_stay_small_whatever_was_asked(client: httpx.AsyncClient) -> None:
    answer = await speak(client, instructions="咕" * 4000, **{"字" * 500 + str(n): n for n in range(20)})
    assert answer.status_code == 200
    assert sum(len(name) + len(value) for name, value in answer.headers.raw) < 16_000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"respose_format": "wav"}, "unknown_field"),
        ({"model": "cosyvoice3"}, "model_substituted"),
    ],
)
async def test_what_is_ignored_is_said(client: httpx.AsyncClient, fields: dict[str, str], code: str) -> None:
    answer = await speak(client, **fields)
    assert [warning["code"] for warning in json.loads(answer.headers["x-voice-warnings"])] == [code]


async def test_openai_models_are_taken_without_a_word(client: httpx.AsyncClient) -> None:
    assert "x-voice-warnings" not in (await speak(client, model="tts-1")).headers


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": ""}, "input", "empty_string"),
        ({"input": " \n"}, "input", "empty_string"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 5}, "input", "invalid_type"),
        ({"input": "x" * 10_001}, "input", "text_too_long"),
        ({"voice": "nobody"}, "voice", "voice_not_found"),
        ({"voice": ["alloy"]}, "voice", "invalid_type"),
        ({"response_format": "midi"}, "response_format", "unsupported_value"),
        ({"stream_format": "carrier pigeon"}, "stream_format", "unsupported_value"),
        ({"speed": 0.1}, "speed", "out_of_range"),
        ({"speed": 4.1}, "speed", "out_of_range"),
        ({"speed": "fast"}, "speed", "invalid_type"),
        ({"speed": True}, "speed", "invalid_type"),
        ({"seed": False}, "seed", "invalid_type"),
        ({"seed": "seven"}, "seed", "invalid_type"),
        ({"instructions": "x" * 5000}, "instructions", "string_above_max_length"),
    ],
)
async def test_each_wrong_field_is_named(
    client: httpx.AsyncClient, fields: dict[str, Any], param: str, code: str
) -> None:
    answer = await speak(client, **fields)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert param in error["message"] or code == "text_too_long"


async def test_every_wrong_field_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"speed": 9, "response_format": "midi"})
    error = answer.json()["error"]
    assert {detail["param"] for detail in error["details"]} == {"input", "speed", "response_format"}


@pytest.mark.parametrize("body", [b"", b"{", b'"hello"', b"[1]", b"\xff\xfe", b"input=hello"])
async def test_a_malformed_body_is_an_error_of_openais_shape(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(PATH, content=body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, content=b"x" * 600_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


async def test_a_body_of_untold_length_is_refused_too(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(600):
            yield b"x" * 1000

    assert (await client.post(PATH, content=endless())).status_code == 413


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (EngineBusyError("The queue is full.", retry_after=2.5), 503, "3"),
        (EngineUnavailableError("No worker."), 503, "1"),
        (SynthesisTimeoutError("No progress."), 504, None),
    ],
)
async def test_the_engines_troubles_have_their_status(
    client: httpx.AsyncClient, engine: FakeEngine, error: Exception, status: int, retry_after: str | None
) -> None:
    engine.refuse = error  # type: ignore[assignment]
    answer = await speak(client)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == retry_after
    assert answer.json()["error"]["type"] == "server_error"


async def test_a_failure_before_the_first_audio_is_an_error_not_a_broken_stream(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.break_after = 0
    answer = await speak(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")


async def test_a_failure_half_way_breaks_the_answer_off(served: str, engine: FakeEngine) -> None:
    engine.break_after = 2
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(f"http://{served}{PATH}", json={"input": "x" * 100, "response_format": "pcm"})


async def events(client: httpx.AsyncClient, **fields: Any) -> list[dict[str, Any]]:
    answer = await speak(client, stream_format="sse", **fields)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(event.removeprefix("data: ")) for event in answer.text.strip().split("\n\n")]


async def test_events_carry_the_audio_and_end_with_usage(client: httpx.AsyncClient) -> None:
    *deltas, done = await events(client, instructions="用四川话读")
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert b"".join(base64.b64decode(delta["audio"]) for delta in deltas) == PIECE * 2
    assert done["type"] == "speech.audio.done"
    assert done["usage"] == {"input_tokens": 13, "output_tokens": 5, "total_tokens": 18, "audio_seconds": 0.2}
    assert done["style"]["dialect"] == "四川话"
    assert done["warnings"][0]["code"] == "dialect_unsupported"


async def test_a_failure_half_way_is_an_event(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.break_after = 1
    *_, last = await events(client)
    assert last["type"] == "speech.audio.error"
    assert last["error"]["code"] == "synthesis_failed"


TWO = "Hello, world! 你好。"


async def test_events_tell_when_each_sentence_is_heard(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    told = await events(client, input=TWO, timestamp_granularities=["sentence"], deadline=9)
    kinds = [event["type"].removeprefix("speech.audio.") for event in told]
    assert kinds == ["delta", "delta", "delta", "timestamps", "timestamps", "done"]
    assert [event for event in told if event["type"] == "speech.audio.timestamps"] == [
        {"type": "speech.audio.timestamps", "sentences": [{"text": "Hello, world!", "start": 0.0, "end": 0.2}]},
        {"type": "speech.audio.timestamps", "sentences": [{"text": "你好。", "start": 0.2, "end": 0.3}]},
    ]
    assert told[-1]["usage"]["audio_seconds"] == 0.3
    assert [request.deadline for request in engine.requests] == [9, None], "for the first audio"


async def test_events_tell_when_each_word_is_heard(client: httpx.AsyncClient) -> None:
    told = await events(client, input=TWO, timestamp_granularities=["word"], response_format="mp3")
    times = [event for event in told if event["type"] == "speech.audio.timestamps"]
    assert [word["text"] for event in times for word in event["words"]] == ["Hello", "world", "你", "好"]
    assert times[1]["words"][0] == {"text": "你", "start": 0.2, "end": 0.25}
    assert all("sentences" not in event and event["word_times"] == "estimated" for event in times)


async def test_what_only_a_later_sentence_is_warned_of_is_told_at_the_end(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    spoken = engine.speak

    async def warned(request: SpeechRequest) -> Speech:
        speech = await spoken(request)
        return replace(speech, warnings=(SICHUANESE,)) if "你" in request.text else speech

    engine.speak = warned  # type: ignore[method-assign]
    told = await events(client, input=TWO, timestamp_granularities=["word"])
    assert [warning["code"] for warning in told[-1]["warnings"]] == ["dialect_unsupported"]


@pytest.mark.parametrize(
    ("fields", "subtitles"),
    [
        (
            {"response_format": "srt"},
            "1\n00:00:00,000 --> 00:00:00,200\nHello, world!\n\n2\n00:00:00,200 --> 00:00:00,300\n你好。\n\n",
        ),
        (
            {"response_format": "vtt", "timestamp_granularities": ["word"]},
            (
                "WEBVTT\n\n00:00:00.000 --> 00:00:00.100\nHello\n\n00:00:00.100 --> 00:00:00.200\nworld\n\n"
                "00:00:00.200 --> 00:00:00.250\n你\n\n00:00:00.250 --> 00:00:00.300\n好\n\n"
            ),
        ),
    ],
)
async def test_subtitles_are_an_answer_too(client: httpx.AsyncClient, fields: dict[str, Any], subtitles: str) -> None:
    answer = await speak(client, input=TWO, **fields)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(("application/x-subrip", "text/vtt"))
    assert answer.headers["x-voice-engine"] == "fake"
    assert answer.text == subtitles


async def test_a_client_of_vllm_omni_finds_the_words_in_a_header(client: httpx.AsyncClient) -> None:
    answer = await speak(client, input=TWO, word_timestamps=True)
    assert answer.content == PIECE * 3
    assert answer.headers["content-length"] == str(len(PIECE) * 3)
    told = answer.headers["x-word-timestamps"]
    assert told.isascii()
    assert json.loads(told)[2] == {"word": "你", "start_ms": 200, "end_ms": 250}


async def test_words_that_do_not_fit_a_header_are_left_out_of_it(client: httpx.AsyncClient) -> None:
    answer = await speak(client, input="word " * 101, word_timestamps=True)
    assert answer.status_code == 200
    assert "x-word-timestamps" not in answer.headers
    assert answer.headers["x-word-timestamps-omitted"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"timestamp_granularities": ["letter"], "stream_format": "sse"}, "timestamp_granularities"),
        ({"response_format": "srt", "stream_format": "sse"}, "stream_format"),
        ({"word_timestamps": "perhaps"}, "word_timestamps"),
        ({"response_format": "srt", "input": "x" * 10_001}, "input"),
        ({"response_format": "vtt", "input": "One. <strong>Two."}, "input"),
    ],
)
async def test_times_that_cannot_be_had_are_refused(
    client: httpx.AsyncClient, fields: dict[str, Any], param: str
) -> None:
    answer = await speak(client, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_subtitles_fail_as_audio_does(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.break_after = 0
    answer = await speak(client, response_format="srt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")


async def test_an_unforeseen_crash_keeps_the_shape_and_the_secret(
    client: httpx.AsyncClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError("inner workings")

    monkeypatch.setattr(engine, "speak", crash)
    answer = await speak(client)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "inner workings" not in answer.text
    assert 'code="500",route="/v1/audio/speech"} 1.0' in (await client.get("/metrics")).text
