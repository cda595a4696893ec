"""The WebSocket: text in, token by token, audio out, sentence by sentence."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from isoline_voice.api import stream
from isoline_voice.errors import EngineBusyError

from .conftest import PIECE, FakeEngine


def session(served: str) -> connect:
    return connect(f"ws://{served}/v1/audio/speech/stream")


async def send(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def until(socket: ClientConnection, kind: str) -> list[dict[str, Any] | bytes]:
    """Everything up to the message of a kind, which is the last."""
    received: list[dict[str, Any] | bytes] = []
    while True:
        frame = await socket.recv()
        received.append(frame if isinstance(frame, bytes) else json.loads(frame))
        last = received[-1]
        if isinstance(last, dict) and last["type"] == kind:
            return received


def kinds(received: list[dict[str, Any] | bytes]) -> list[str]:
    """The sequence of message types; a run of binary frames counts once."""
    names = ["audio" if isinstance(message, bytes) else message["type"] for message in received]
    return [name for index, name in enumerate(names) if index == 0 or name != "audio" or names[index - 1] != "audio"]


async def test_each_sentence_is_announced_spoken_and_closed(served: str) -> None:
    async with session(served) as socket:
        await send(
            socket,
            {"type": "session.config", "voice": "alloy", "instructions": "用四川话大声读"},
            {"type": "input.text", "text": "你好。再见！"},
            {"type": "input.done"},
        )
        configured, *received = await until(socket, "session.done")
        assert isinstance(configured, dict)
        assert configured["type"] == "session.configured"
        assert kinds(received) == ["audio.start", "audio", "audio.done"] * 2 + ["session.done"]
        start = received[0]
        assert isinstance(start, dict)
        assert (start["sentence_index"], start["sentence_text"]) == (0, "你好。")
        assert (start["format"], start["sample_rate"], start["engine"]) == ("pcm", 24_000, "fake")
        assert start["style"]["dialect"] == "四川话"
        assert start["warnings"][0]["code"] == "dialect_unsupported"
        assert b"".join(frame for frame in received if isinstance(frame, bytes)) == PIECE * 2
        times = [message["sentences"] for message in received if isinstance(message, dict) and "sentences" in message]
        assert times == [
            [{"text": "你好。", "start": 0.0, "end": 0.1}],
            [{"text": "再见！", "start": 0.1, "end": 0.2}],
        ]
        done = received[-1]
        assert isinstance(done, dict)
        assert done["total_sentences"] == 2
        with pytest.raises(ConnectionClosed) as closing:
            await socket.recv()
        assert closing.value.rcvd is not None
        assert closing.value.rcvd.code == 1000


async def test_a_sentence_is_spoken_before_the_text_is_complete(served: str) -> None:
    async with session(served) as socket:
        for token in ("Once ", "upon ", "a ", "time. ", "There "):
            await send(socket, {"type": "input.text", "text": token})
        received = await until(socket, "audio.done")
        assert isinstance(received[0], dict)
        assert received[0]["sentence_text"].strip() == "Once upon a time."
        await send(socket, {"type": "input.text", "text": "was"}, {"type": "input.done"})
        [start, *_] = await until(socket, "session.done")
        assert isinstance(start, dict)
        assert start["sentence_text"].strip() == "There was"


async def test_a_session_without_words_is_simply_done(served: str) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "input.text", "text": "……\n\n"}, {"type": "input.done"})
        [done] = await until(socket, "session.done")
        assert isinstance(done, dict)
        assert done["total_sentences"] == 0


async def test_a_sentence_of_markup_only_is_passed_over(studio: str) -> None:
    async with session(studio.removeprefix("http://")) as socket:
        await send(socket, {"type": "input.text", "text": "<b>\n\n[breath]\n\nHello.\n"}, {"type": "input.done"})
        received = await until(socket, "session.done")
        assert kinds(received) == ["audio.start", "audio", "audio.done", "session.done"]


async def test_a_span_may_go_over_several_sentences(studio: str) -> None:
    async with session(studio.removeprefix("http://")) as socket:
        await send(socket, {"type": "input.text", "text": "<strong>One. Two.</strong>"}, {"type": "input.done"})
        received = await until(socket, "session.done")
    starts = [message for message in received if isinstance(message, dict) and message["type"] == "audio.start"]
    assert [start["sentence_text"] for start in starts] == ["One.", "Two."]


async def test_another_format_makes_each_sentence_a_file(served: str) -> None:
    async with session(served) as socket:
        await send(
            socket,
            {"type": "session.config", "response_format": "wav"},
            {"type": "input.text", "text": "One. Two."},
            {"type": "input.done"},
        )
        received = await until(socket, "session.done")
        firsts = [
            received[index + 1]
            for index, name in enumerate(received)
            if isinstance(name, dict) and name["type"] == "audio.start"
        ]
        assert [frame[:4] for frame in firsts if isinstance(frame, bytes)] == [b"RIFF", b"RIFF"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ('{"type": "session.config", "speed": 9}', "speed"),
        ('{"type": "session.config", "response_format": "midi"}', "response_format"),
        ('{"type": "input.text"}', "text"),
        ('{"type": "sing"}', "type"),
        ("{", None),
        ("[]", None),
        (b"\x00", None),
        (json.dumps({"type": "input.text", "text": "x" * 10_001}), "text"),
    ],
)
async def test_a_wrong_message_is_answered_and_closes(served: str, message: str | bytes, param: str | None) -> None:
    async with session(served) as socket:
        await socket.send(message)
        [error] = await until(socket, "error")
        assert isinstance(error, dict)
        assert error["error"]["type"] == "invalid_request_error"
        assert error["error"]["param"] == param
        with pytest.raises(ConnectionClosed) as closing:
            await socket.recv()
        assert closing.value.rcvd is not None
        assert closing.value.rcvd.code == 1008


async def test_a_client_of_vllm_omni_says_one_text_after_the_other(
    served: str, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MORE_SECONDS", 30.0)  # or a busy machine might be too late
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "speaker": "alloy", "language": "Auto", "response_format": "wav"})
        for number in range(3):
            await send(socket, {"type": "input.text", "text": f"Text {number}. The end."}, {"type": "input.done"})
            received = [message for message in await until(socket, "session.done") if isinstance(message, dict)]
            told = [message for message in received if message["type"] != "session.configured"]
            assert {message["utterance_index"] for message in told} == {number}
            assert [message["sentence_index"] for message in told if message["type"] == "audio.done"] == [0, 1]
            assert [message["error"] for message in told if message["type"] == "audio.done"] == [False, False]
            assert told[-1]["total_sentences"] == 2
        await send(socket, {"type": "session.close"})
        with pytest.raises(ConnectionClosed) as closing:
            await socket.recv()
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1000
    assert [each.language for each in engine.requests] == [None] * 6


async def test_a_client_of_sglang_omni_awaits_its_configuration(served: str) -> None:
    async with session(served) as socket:
        fields = {"voice": "default", "response_format": "pcm", "stream_audio": False, "split_granularity": "clause"}
        await send(socket, {"type": "session.config", "session": fields})
        [configured] = await until(socket, "session.configured")
        assert isinstance(configured, dict)
        assert configured["session_id"]
        assert {name: configured[name] for name in fields if name != "voice"} == {
            name: value for name, value in fields.items() if name != "voice"
        }
        await send(socket, {"type": "input.text", "text": "alpha, beta；gamma 1,000"}, {"type": "input.done"})
        received = await until(socket, "session.done")
        starts = [message for message in received if isinstance(message, dict) and message["type"] == "audio.start"]
        assert [start["sentence_text"].strip() for start in starts] == ["alpha,", "beta；", "gamma 1,000"]
        frames = [message for message in received if isinstance(message, bytes)]
        assert len(frames) == 3, "one frame for each, where no stream is wanted"


async def test_a_client_of_sglang_omni_commits_before_it_is_done_and_is_let_go_at_once(served: str) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "session": {"voice": "default"}})
        await send(socket, {"type": "input.text", "text": "One. Two"}, {"type": "input.commit"})
        *_, first = await until(socket, "input.committed")
        await send(socket, {"type": "input.text", "text": " three"}, {"type": "input.commit"}, {"type": "input.done"})
        received = await until(socket, "session.done")
        committed = [
            first,
            *(each for each in received if isinstance(each, dict) and each["type"] == "input.committed"),
        ]
        counts = ("segment_index", "segment_sentences", "total_sentences")
        assert [tuple(each[name] for name in counts) for each in committed if isinstance(each, dict)] == [
            (0, 2, 2),
            (1, 1, 3),
        ]
        assert isinstance(received[-1], dict)
        assert received[-1]["total_sentences"] == 3
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_client_of_vllm_omni_hears_when_each_word_is_said(served: str) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "word_timestamps": True})
        await send(socket, {"type": "input.text", "text": "Hello, world! 你好。"}, {"type": "input.done"})
        received = await until(socket, "session.done")
    messages = [message for message in received if isinstance(message, dict)]
    assert len(messages) == len(received), "no binary frames"
    assert [message["word_timestamps"] for message in messages if message["type"] == "audio.start"] == [True, True]
    first = [message for message in messages if message.get("sentence_index") == 0 and message["type"] == "audio.chunk"]
    *audible, last = first
    assert [chunk["chunk_id"] for chunk in first] == [0, 1, 2]
    assert [(chunk["chunk_start_ms"], chunk["chunk_end_ms"]) for chunk in audible] == [(0, 100), (100, 200)]
    assert b"".join(base64.b64decode(chunk["audio_b64"]) for chunk in audible) == PIECE * 2
    assert [chunk["timestamps"] for chunk in audible] == [None, None]
    assert (last["audio_b64"], last["chunk_end_ms"]) == ("", 200)
    assert last["timestamps"] == [
        {"word": "Hello", "start_ms": 0, "end_ms": 100},
        {"word": "world", "start_ms": 100, "end_ms": 200},
    ]
    second = [message for message in messages if message.get("sentence_index") == 1 and message.get("timestamps")]
    assert second[0]["timestamps"] == [
        {"word": "你", "start_ms": 0, "end_ms": 50},
        {"word": "好", "start_ms": 50, "end_ms": 100},
    ], "from the beginning of the sentence"


@pytest.mark.parametrize("otherwise", [{"response_format": "mp3"}, {"stream_audio": False}])
async def test_the_times_of_words_come_with_a_stream_of_pcm(served: str, otherwise: dict[str, Any]) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "word_timestamps": True, **otherwise})
        [error] = await until(socket, "error")
        assert isinstance(error, dict)
        assert (error["error"]["param"], error["error"]["code"]) == ("word_timestamps", "unsupported_value")


async def test_a_session_says_how_long_it_waits_for_the_next_text(served: str) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "idle_timeout": 30})
        await send(socket, {"type": "input.text", "text": "One."}, {"type": "input.done"})
        await until(socket, "session.done")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(stream.MORE_SECONDS + 0.3):
                await socket.recv()
        await send(socket, {"type": "session.config", "idle_timeout": 0})
        await send(socket, {"type": "input.text", "text": "Two."}, {"type": "input.done"})
        await until(socket, "session.done")
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_text_may_be_spoken_whole(served: str, engine: FakeEngine) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "split_granularity": "none"})
        await send(socket, {"type": "input.text", "text": "One. "}, {"type": "input.text", "text": "Two."})
        await send(socket, {"type": "input.done"})
        await until(socket, "session.done")
    assert [each.text for each in engine.requests] == ["One. Two."]


async def test_the_way_of_speaking_changes_between_texts(served: str, engine: FakeEngine) -> None:
    async with session(served) as socket:
        for speed in (0.5, 2.0):
            await send(socket, {"type": "session.config", "speed": speed, "idle_timeout": 30})
            await send(socket, {"type": "input.text", "text": "Hello."}, {"type": "input.done"})
            await until(socket, "session.done")
    assert [each.speed for each in engine.requests] == [0.5, 2.0]


async def test_an_open_session_that_says_nothing_is_no_stream(served: str) -> None:
    async with session(served) as socket, httpx.AsyncClient() as client:
        await send(socket, {"type": "session.config"})
        await until(socket, "session.configured")
        assert "isoline_voice_active_streams 0.0" in (await client.get(f"http://{served}/metrics")).text


async def test_a_stop_lets_a_text_be_spoken_to_its_end_and_begins_no_other(
    served: str, engine: FakeEngine, app: FastAPI
) -> None:
    studio = app.state.studio
    engine.gate.clear()
    async with session(served) as socket:
        await send(socket, {"type": "input.text", "text": "One. Two."}, {"type": "input.done"})
        await engine.begun.wait()
        studio.draining = True
        assert not studio.idle.is_set()
        engine.gate.set()
        received = await until(socket, "session.done")
        assert sum(len(frame) for frame in received if isinstance(frame, bytes)) == 2 * len(PIECE)
        with pytest.raises(ConnectionClosed) as closing:
            await socket.recv()
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1000
    assert studio.idle.is_set()


async def test_an_error_says_its_message_where_other_servers_do(served: str) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "sing"})
        [error] = await until(socket, "error")
        assert isinstance(error, dict)
        assert error["message"] == error["error"]["message"]


@pytest.mark.parametrize("session_field", ["a text", 5, []])
async def test_a_session_that_is_no_object_is_refused(served: str, session_field: object) -> None:
    async with session(served) as socket:
        await send(socket, {"type": "session.config", "session": session_field})
        [error] = await until(socket, "error")
        assert isinstance(error, dict)
        assert error["error"]["param"] == "session"


@pytest.mark.parametrize("late", ["session.config", "input.text"])
async def test_what_comes_too_late_is_refused(served: str, engine: FakeEngine, late: str) -> None:
    engine.gate.clear()
    async with session(served) as socket:
        await send(socket, {"type": "session.config"}, {"type": "input.text", "text": "Hello."}, {"type": "input.done"})
        await send(socket, {"type": late, "text": "more"})
        received = await until(socket, "error")
        assert isinstance(received[-1], dict)
        assert received[-1]["error"]["param"] == "type"


async def test_the_engines_refusal_is_an_error_message(served: str, engine: FakeEngine) -> None:
    engine.refuse = EngineBusyError("The queue is full.", retry_after=1)
    async with session(served) as socket:
        await send(socket, {"type": "input.text", "text": "Hello."}, {"type": "input.done"})
        [error] = await until(socket, "error")
        assert isinstance(error, dict)
        assert error["error"]["code"] == "engine_busy"


async def test_leaving_stops_the_engine(served: str, engine: FakeEngine) -> None:
    engine.endless = True
    async with session(served) as socket:
        await send(socket, {"type": "input.text", "text": "For ever."}, {"type": "input.done"})
        while not isinstance(await socket.recv(), bytes):
            pass
        assert engine.active == 1
    async with asyncio.timeout(10):
        await engine.idle.wait()
    assert engine.active == 0
