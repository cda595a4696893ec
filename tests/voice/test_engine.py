"""The embedded engine: what is heard for a request, and what is said about what it cannot do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from isoline_voice.engines.embedded.engine import EmbeddedEngine
from isoline_voice.engines.embedded.voices import OPENAI_VOICES
from isoline_voice.engines.protocol import Speech, SpeechRequest
from isoline_voice.errors import (
    EngineBusyError,
    EngineUnavailableError,
    InvalidRequestError,
    UnknownVoiceError,
)
from isoline_voice.styles import Style, parse_style
from voice.waveforms import level, pitch, samples_of, seconds, until

CHINESE = "今天天气很好，我们一起去公园玩吧。"
ENGLISH = "The quick brown fox jumps over the lazy dog."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[EmbeddedEngine]:
    """One worker, shared by the tests of this file."""
    engine = EmbeddedEngine(workers=1)
    await engine.start()
    yield engine
    await engine.stop()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def collect(speech: Speech) -> bytes:
    """All of its audio."""
    return b"".join([piece async for piece in speech.pieces])


async def say(engine: EmbeddedEngine, text: str, how: str = "", *, voice: str = "alloy", speed: float = 1.0) -> bytes:
    """What is heard for a text in a style given in words."""
    return await collect(await engine.speak(SpeechRequest(text, voice=voice, style=parse_style(how), speed=speed)))


async def warnings(engine: EmbeddedEngine, text: str, how: str = "", *, voice: str = "alloy") -> list[str]:
    """The codes of the warnings for a request."""
    speech = await engine.speak(SpeechRequest(text, voice=voice, style=parse_style(how)))
    await speech.aclose()
    return [warning.code for warning in speech.warnings]


async def test_it_speaks_at_24_kilohertz_without_clipping_or_direct_current(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest(CHINESE))
    audio = await collect(speech)
    heard = samples_of(audio)
    assert speech.rate == 24_000
    assert 2.5 < seconds(audio, speech.rate) < 6
    assert -26 < level(audio) < -17
    assert np.abs(heard).max() < 0.95
    assert abs(heard.mean()) < 1e-3
    assert abs(heard[0]) < 0.01
    assert abs(heard[-1]) < 0.01


async def test_a_longer_text_is_a_longer_speech(engine: EmbeddedEngine) -> None:
    once, thrice = await say(engine, CHINESE), await say(engine, CHINESE * 3)
    assert len(thrice) == pytest.approx(3 * len(once), rel=0.05)


async def test_loud_is_louder_and_soft_is_softer(engine: EmbeddedEngine) -> None:
    levels = {how: level(await say(engine, CHINESE, how)) for how in ("尽可能大声", "大声", "", "轻声", "尽可能轻声")}
    steps = np.diff(list(levels.values()))
    assert (steps < -2.5).all(), levels
    assert levels["大声"] - levels["轻声"] > 12


async def test_as_loud_as_possible_does_not_clip(engine: EmbeddedEngine) -> None:
    heard = samples_of(await say(engine, f"{CHINESE}{ENGLISH}", "尽可能大声，非常激动"))
    assert np.abs(heard).max() < 0.99


@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
async def test_slow_is_longer_and_fast_is_shorter(engine: EmbeddedEngine, text: str) -> None:
    hows = ("as slowly as possible", "slowly", "", "fast", "as fast as possible")
    lengths = [len(await say(engine, text, how)) for how in hows]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[1] > 1.3 * lengths[2] > 1.3 * 1.3 * lengths[3]


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
async def test_speed_divides_the_duration(engine: EmbeddedEngine, text: str, speed: float) -> None:
    plain, changed = await say(engine, text), await say(engine, text, speed=speed)
    assert len(changed) == pytest.approx(len(plain) / speed, rel=0.2)


async def test_speed_multiplies_the_rate_of_the_style(engine: EmbeddedEngine) -> None:
    slow, slow_and_fast = await say(engine, CHINESE, "慢"), await say(engine, CHINESE, "慢", speed=2.0)
    assert len(slow_and_fast) == pytest.approx(len(slow) / 2, rel=0.15)


async def test_high_is_higher_and_deep_is_deeper(engine: EmbeddedEngine) -> None:
    heard = [pitch(samples_of(await say(engine, ENGLISH, how)), 24_000) for how in ("deep voice", "", "high pitched")]
    assert heard[0] < 0.95 * heard[1] < 0.95 * 0.95 * heard[2]


async def test_a_woman_is_higher_than_a_man(engine: EmbeddedEngine) -> None:
    woman = pitch(samples_of(await say(engine, ENGLISH, voice="english-us-female")), 24_000)
    man = pitch(samples_of(await say(engine, ENGLISH, voice="english-us-male")), 24_000)
    assert woman > 1.2 * man
    assert pitch(samples_of(await say(engine, ENGLISH, "in a man's voice", voice="nova")), 24_000) < 1.1 * man


async def test_feelings_change_the_voice_and_are_said_to_be_an_approximation(engine: EmbeddedEngine) -> None:
    happy, sad = await say(engine, CHINESE, "开心"), await say(engine, CHINESE, "伤心")
    assert len(happy) < len(sad)
    assert level(happy) > level(sad)
    assert await warnings(engine, CHINESE, "开心") == ["emotion_approximated"]


async def test_all_voices_speak_about_equally_loud(engine: EmbeddedEngine) -> None:
    texts = {
        "zh": CHINESE,
        "yue": CHINESE,
        "ja": "こんにちは、きょうはいいてんきですね。",
        "ko": "안녕하세요, 날씨가 좋습니다.",
    }
    texts |= {"ru": "Привет, сегодня хорошая погода.", "hak": "ngai2 oi3 hi3 gung1 yen2 liau3"}
    levels = {
        voice.id: level(await say(engine, texts.get(voice.language, ENGLISH), voice=voice.id))
        for voice in engine.voices()
    }
    levels |= {voice: level(await say(engine, CHINESE, voice=voice)) for voice in OPENAI_VOICES}
    assert max(levels.values()) - min(levels.values()) < 5, levels


@pytest.mark.parametrize("voice", sorted(OPENAI_VOICES))
async def test_openai_voice_names_speak_every_language(engine: EmbeddedEngine, voice: str) -> None:
    speech = await engine.speak(SpeechRequest("你好. Hello. Привет.", voice=voice.upper()))
    assert speech.voice.id == voice
    assert seconds(await collect(speech), speech.rate) > 1


async def test_each_language_is_read_by_its_own_voice(engine: EmbeddedEngine) -> None:
    def said(text: str, **request: str) -> list[tuple[str, str]]:
        from isoline_voice.engines.embedded.engine import _script

        parts = _script(SpeechRequest(text, **request)).parts  # type: ignore[arg-type]
        return [(part.job.voice.partition("+")[0], part.job.text) for part in parts]

    assert said("我喜欢Python。") == [("sit/cmn", "我喜欢"), ("gmw/en-US", "Python。")]
    assert said("カタカナ") == [("jpx/ja", "カタカナ")]
    assert said("안녕") == [("ko", "안녕")]
    assert said("Привет") == [("zle/ru", "Привет")]
    assert said("Bonjour, je suis très content") == [("roa/fr", "Bonjour, je suis très content")]
    assert said("Hello", voice="english-uk-male") == [("gmw/en", "Hello")]
    assert said("你好", voice="cantonese-male") == [("sit/yue", "你好")]
    assert said("Radio", language="de") == [("gmw/de", "Radio")]
    assert said("2024年", voice="french-male") == [("sit/cmn", "二零二四年")]
    assert said("42", voice="mandarin-male") == [("sit/cmn", "四十二")]
    assert said("42", voice="english-us-male") == [("gmw/en-US", "forty-two")]


async def test_a_dialect_that_it_speaks_is_spoken(engine: EmbeddedEngine) -> None:
    assert await warnings(engine, CHINESE, "用广东话") == []
    assert await say(engine, CHINESE, "用广东话") != await say(engine, CHINESE)


async def test_a_dialect_that_it_cannot_speak_is_said_and_read_in_mandarin(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest(CHINESE, style=parse_style("用四川话大声读出来")))
    await speech.aclose()
    (warning,) = speech.warnings
    assert warning.code == "dialect_unsupported"
    assert warning.message("en") == "This engine cannot speak Sichuanese (四川话); spoken in Mandarin."
    assert warning.message("zh-CN") == "此引擎不会说四川话，已用普通话朗读。"
    assert speech.style.dialect == "四川话"


@pytest.mark.parametrize(
    ("text", "how", "voice", "codes"),
    [
        (CHINESE, "像海盗一样", "alloy", ["style_not_understood"]),
        (CHINESE, "轻声地，大声地", "alloy", ["style_conflict"]),
        (CHINESE, "像小猪佩奇", "alloy", ["persona_unsupported"]),
        (CHINESE, "用英语读", "alloy", ["language_mismatch"]),
        (ENGLISH, "用葡萄牙语", "alloy", ["language_unsupported"]),
        ("東京は広い", "", "alloy", ["kanji_unsupported"]),
        ("東京", "", "japanese-female", ["kanji_unsupported"]),
        ("嗯[laughter]好", "", "alloy", ["tag_unsupported"]),
        (CHINESE, "", "hakka-male", ["dialect_unsupported"]),
        (ENGLISH, "用英语大声读", "alloy", []),
        (ENGLISH, "用上海话读", "alloy", ["dialect_mismatch"]),
        (ENGLISH, "in Cantonese", "alloy", ["dialect_mismatch"]),
        ("你好 hello", "in Cantonese", "alloy", []),
        ("สวัสดี", "", "alloy", ["script_unsupported"]),
        ("你好，مرحبا", "", "alloy", ["script_unsupported"]),
        ("Ça va à Köln? 第3名 No.1 ①", "", "alloy", []),
        ("ひらがな", "in Japanese", "alloy", []),
    ],
)
async def test_what_it_cannot_do_is_said(
    engine: EmbeddedEngine, text: str, how: str, voice: str, codes: list[str]
) -> None:
    assert await warnings(engine, text, how, voice=voice) == codes


async def test_markup_is_neither_spoken_nor_obeyed(engine: EmbeddedEngine) -> None:
    plain = await say(engine, "Hello world")
    marked = await say(engine, "<speak><prosody rate='x-slow'>Hello <|endofprompt|> world</prosody></speak>")
    assert len(marked) == pytest.approx(len(plain), rel=0.1)


@pytest.mark.parametrize(
    ("request_", "param", "code"),
    [
        (SpeechRequest(""), "input", "text_empty"),
        (SpeechRequest(" 。！<b></b>"), "input", "text_empty"),
        (SpeechRequest("x" * 1_000_001), "input", "text_too_long"),
        (SpeechRequest("x", speed=0.2), "speed", "speed_out_of_range"),
        (SpeechRequest("x", speed=float("nan")), "speed", "speed_out_of_range"),
        (SpeechRequest("x", language="tlh"), "language", "language_unsupported"),
    ],
)
async def test_a_request_that_cannot_be_spoken_names_its_field(
    engine: EmbeddedEngine, request_: SpeechRequest, param: str, code: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await engine.speak(request_)
    assert (caught.value.param, caught.value.code) == (param, code)


async def test_an_unknown_voice_is_answered_with_those_that_exist(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnknownVoiceError, match=r"'bob'.*mandarin-female.*alloy"):
        await engine.speak(SpeechRequest("x", voice="bob"))


async def test_voices_have_unique_ids_and_mandarin_comes_first(engine: EmbeddedEngine) -> None:
    ids = [voice.id for voice in engine.voices()]
    assert ids[0] == "mandarin-female"
    assert len(ids) == len(set(ids)) == 24
    assert {voice.language for voice in engine.voices()} == engine.capabilities.languages


async def test_audio_comes_in_pieces_while_the_text_is_still_being_worked_on(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest(CHINESE * 200))
    first = await anext(speech.pieces.__aiter__())
    assert 0 < seconds(first, speech.rate) <= 0.5
    assert engine.stats().active == 1
    await speech.aclose()
    assert engine.stats().active == 0


async def test_a_long_text_waits_for_its_listener_and_holds_no_worker(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest("你好，世界。Hello, this is a long text! " * 5_000))
    pieces = speech.pieces
    for _ in range(3):
        await pieces.__anext__()
    await until(lambda: not engine.stats().busy)
    assert len(await say(engine, "好")) > 0
    assert engine.stats().active == 1
    await speech.aclose()


async def test_it_counts_what_it_did(engine: EmbeddedEngine) -> None:
    before = engine.stats()
    audio = await say(engine, CHINESE)
    after = engine.stats()
    assert after.utterances == before.utterances + 1
    assert after.audio_seconds - before.audio_seconds == pytest.approx(seconds(audio, 24_000), abs=0.001)
    assert (after.workers, after.active) == (1, 0)


async def test_too_many_at_a_time_are_turned_away_until_one_ends() -> None:
    engine = EmbeddedEngine(workers=1, max_utterances=2)
    await engine.start()
    try:
        speeches = [await engine.speak(SpeechRequest(CHINESE)) for _ in range(2)]
        with pytest.raises(EngineBusyError) as caught:
            await engine.speak(SpeechRequest(CHINESE))
        assert caught.value.retry_after > 0
        await speeches[0].aclose()
        assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0
    finally:
        await engine.stop()


async def test_before_start_and_after_stop_it_says_that_it_does_not_run() -> None:
    engine = EmbeddedEngine(workers=1)
    assert not (await engine.health()).ok
    with pytest.raises(EngineUnavailableError):
        await engine.speak(SpeechRequest("x"))
    await engine.start()
    assert (await engine.health()).ok
    speech = await engine.speak(SpeechRequest(CHINESE * 100))
    await engine.stop()
    assert [piece async for piece in speech.pieces] == []
    assert not (await engine.health()).ok
    await engine.stop()


async def test_a_plain_style_says_nothing_about_how(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest(CHINESE, style=Style()))
    await speech.aclose()
    assert speech.warnings == ()
