"""CosyVoice3 in process, with a stand-in for the model's package that has the same API and the same faults."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import isoline_voice
from isoline_voice.engines.cosyvoice.engine import CosyVoiceEngine
from isoline_voice.engines.protocol import Reference, Speech, SpeechRequest, Voice
from isoline_voice.engines.recorded import RecordedVoice
from isoline_voice.errors import (
    EngineUnavailableError,
    InvalidRequestError,
    SynthesisError,
    SynthesisTimeoutError,
)
from isoline_voice.styles import parse_style
from voice.conftest import tone
from voice.waveforms import seconds, until

STAND_IN = Path(__file__).parent / "stand_in"
SOURCE = Path(isoline_voice.__file__).parents[1]
FIRST_HOP = 25


def recording(length: float = 1.0, *, rate: int = 24_000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone(length))
    return out.getvalue()


LILI = RecordedVoice(Voice("lili", "Lili", "zh", "cosyvoice", "Recorded."), Reference(recording(), "你好。"))
FOREIGN = RecordedVoice(Voice("joe", "Joe", "en", "cosyvoice", "Recorded."), Reference(recording()))


@contextlib.asynccontextmanager
async def loaded(folder: Path, *, progress: float = 5.0) -> AsyncIterator[CosyVoiceEngine]:
    environment = {**os.environ, "PYTHONPATH": f"{STAND_IN}{os.pathsep}{SOURCE}"}
    engine = CosyVoiceEngine(str(folder), [LILI, FOREIGN], environment=environment, progress=progress)
    await engine.start()
    try:
        await until_ready(engine)
        yield engine
    finally:
        await engine.stop()


async def until_ready(engine: CosyVoiceEngine) -> None:
    await until(engine.worker.ready.is_set)


async def collect(speech: Speech) -> bytes:
    return b"".join([piece async for piece in speech.pieces])


def asked(text: str, how: str = "", *, voice: str = "lili", seed: int | None = None) -> SpeechRequest:
    return SpeechRequest(text, voice=voice, style=parse_style(how), seed=seed)


def calls(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "CALLS").read_text().splitlines()]


async def test_every_mode_is_asked_with_the_prompt_that_the_model_wants(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        audio = await collect(await engine.speak(asked("今天天气很好。", seed=5)))
        await collect(await engine.speak(asked("今天天气很好。", "用四川话")))
        await collect(await engine.speak(asked("今天天气很好。", voice="joe")))
    assert seconds(audio, 24_000) == pytest.approx(7 * 4 * 0.01, abs=0.01)
    zero_shot, instruct, cross_lingual = calls(tmp_path)
    assert (zero_shot["mode"], zero_shot["said"]) == ("zero_shot", "You are a helpful assistant.<|endofprompt|>你好。")
    assert zero_shot["seeds"] == [5]
    assert instruct["mode"] == "instruct2"
    assert instruct["said"] == "You are a helpful assistant. 请用四川话表达。<|endofprompt|>"
    assert cross_lingual["text"] == "You are a helpful assistant.<|endofprompt|>今天天气很好。"


async def test_the_first_chunk_stays_short_and_no_session_is_left_behind(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        for _ in range(3):
            await collect(await engine.speak(asked("今天天气很好我们去公园玩吧今天天气很好")))
    assert [call["hop"] for call in calls(tmp_path)] == [FIRST_HOP] * 3
    assert [call["sessions"] for call in calls(tmp_path)] == [0] * 3


async def test_text_is_split_before_it_is_prefixed_and_holds_no_token_of_its_own(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        await collect(await engine.speak(asked("没有标点的文字" * 20 + "<|endofprompt|>。", voice="joe")))
    texts = [call["text"] for call in calls(tmp_path)]
    assert len(texts) == 2
    assert all(text.count("<|") == 1 and text.startswith("You are a helpful assistant.") for text in texts)
    assert max(map(len, texts)) < 150


async def test_a_listener_who_leaves_ends_the_model_s_work_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        speech = await engine.speak(asked("好" * 80))
        await anext(aiter(speech.pieces))
        await speech.aclose()
        await until(lambda: not engine.worker.busy)
        assert engine.worker.ready.is_set()
        assert len(await collect(await engine.speak(asked("再见")))) > 0
    assert calls(tmp_path)[-1]["sessions"] == 0
    assert engine.worker.restarts == 0


async def test_an_error_in_the_model_s_own_thread_is_an_error_and_not_a_wait_for_ever(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        with pytest.raises(SynthesisError, match="a token that is none"):
            await collect(await engine.speak(asked("出错")))
        assert len(await collect(await engine.speak(asked("再见")))) > 0


async def test_out_of_memory_restarts_the_worker_and_says_when_to_come_back(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        speech = await engine.speak(asked("爆显存"))
        with pytest.raises(EngineUnavailableError, match="ran out of memory") as caught:
            await collect(speech)
        assert caught.value.retry_after >= 1
        health = await engine.health()
        assert not health.ok
        with pytest.raises(EngineUnavailableError, match="ran out of memory"):
            await engine.speak(asked("再见"))
        await until_ready(engine)
        assert (await engine.health()).ok
        assert len(await collect(await engine.speak(asked("再见")))) > 0
        assert engine.stats().restarts == 1


@pytest.mark.parametrize(("text", "error"), [("卡住", SynthesisTimeoutError), ("崩溃", EngineUnavailableError)])
async def test_a_worker_that_hangs_or_ends_is_replaced(tmp_path: Path, text: str, error: type[Exception]) -> None:
    async with loaded(tmp_path, progress=0.5) as engine:
        with pytest.raises(error):
            await collect(await engine.speak(asked(text)))
        await until(lambda: engine.worker.restarts == 1)
        await until_ready(engine)
        assert len(await collect(await engine.speak(asked("再见")))) > 0


async def test_texts_take_turns_piece_by_piece(tmp_path: Path) -> None:
    async with loaded(tmp_path) as engine:
        long = asyncio.create_task(collect(await engine.speak(asked("今天天气很好。" * 8))))
        await until(lambda: engine.worker.busy)
        await collect(await engine.speak(asked("插一句。")))
        assert not long.done()
        await long
    assert [call["text"] for call in calls(tmp_path)].index("插一句。") <= 2


async def test_a_model_that_is_not_there_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "BROKEN").touch()
    environment = {**os.environ, "PYTHONPATH": f"{STAND_IN}{os.pathsep}{SOURCE}"}
    engine = CosyVoiceEngine(str(tmp_path), [LILI], environment=environment)
    await engine.start()
    try:
        await until(lambda: "llm.pt" in engine.worker.trouble)
        with pytest.raises(EngineUnavailableError, match=r"llm\.pt"):
            await engine.speak(asked("你好"))
        (tmp_path / "BROKEN").unlink()
        await until_ready(engine)
    finally:
        await engine.stop()


@pytest.mark.parametrize(
    ("audio", "why"),
    [(b"no audio", "cannot be read"), (recording(31.0), "lasts 31 s"), (recording(rate=8_000), "has 8000 Hz")],
    ids=["no audio", "too long", "low rate"],
)
async def test_a_recording_that_the_model_cannot_use_is_refused_with_the_reason(
    tmp_path: Path, audio: bytes, why: str
) -> None:
    async with loaded(tmp_path) as engine:
        with pytest.raises(InvalidRequestError, match=why):
            await engine.speak(SpeechRequest("你好", voice="me", reference=Reference(audio)))
