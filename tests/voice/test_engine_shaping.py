"""What WORLD adds to the embedded engine: feelings that can be measured, and a recording's pitch and timbre."""

from __future__ import annotations

import asyncio
import io
import os
import re
import wave
from collections.abc import AsyncIterator
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio
import soxr
from pocketsphinx import Decoder  # type: ignore[import-untyped]

from isoline_voice.audio.levels import to_int16
from isoline_voice.audio.loudness import TARGET, loudness
from isoline_voice.audio.world import Shape, reshape, timbre_of
from isoline_voice.engines.embedded.engine import EmbeddedEngine
from isoline_voice.engines.embedded.vocoder import SHORTEST_BLOCK, Vocoder, quiet_places
from isoline_voice.engines.protocol import Reference, SpeechRequest
from isoline_voice.errors import InvalidRequestError
from isoline_voice.styles import parse_style
from voice.waveforms import Samples, pitch, samples_of

RATE = 24_000
CHINESE = "今天天气很好，我们一起去公园玩吧。"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(workers=1)
    await engine.start()
    yield engine
    await engine.stop()


async def say(
    engine: EmbeddedEngine,
    text: str = CHINESE,
    how: str = "",
    *,
    voice: str = "mandarin-male",
    like: bytes | None = None,
    seed: int | None = None,
) -> Samples:
    reference = None if like is None else Reference(like)
    request = SpeechRequest(text, voice=voice, style=parse_style(how), reference=reference, seed=seed)
    speech = await engine.speak(request)
    assert ("reference_imitated" in [warning.code for warning in speech.warnings]) == (like is not None)
    return samples_of(b"".join([piece async for piece in speech.pieces]))


def recorded(samples: Samples) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_int16(samples.astype(np.float32)))
    return out.getvalue()


def tilt(samples: Samples) -> float:
    """Decibels an octave from 500 Hz to 5.6 kHz."""
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    hertz = np.fft.rfftfreq(samples.size, 1 / RATE)
    octaves = np.arange(7) / 2
    bands = [power[(hertz >= 500 * 2**low) & (hertz < 500 * 2 ** (low + 0.5))].mean() for low in octaves]
    return float(np.polyfit(octaves, 10 * np.log10(bands), 1)[0])


async def test_anger_is_brighter_and_sadness_darker_than_a_plain_voice(engine: EmbeddedEngine) -> None:
    angry, plain, sad = [tilt(await say(engine, how=how)) for how in ("生气", "", "伤心")]
    assert angry > plain + 0.4
    assert sad < plain - 0.4


async def test_what_is_shaped_is_as_clean_and_about_as_loud(engine: EmbeddedEngine) -> None:
    for how in ("伤心", "非常惊讶", "害怕"):
        heard = await say(engine, how=how)
        measured = loudness(heard.astype(np.float32), RATE)
        assert measured is not None
        assert TARGET - 7 < measured < TARGET + 5
        assert np.abs(heard).max() < 0.99
        assert abs(heard.mean()) < 1e-3
        assert abs(heard[0]) < 0.01
        assert abs(heard[-1]) < 0.01


async def test_the_pitch_and_the_timbre_of_a_recording_are_imitated(engine: EmbeddedEngine) -> None:
    woman = await say(engine, voice="nova")
    plain, imitated = await say(engine), await say(engine, like=recorded(woman))
    wanted = pitch(woman, RATE)
    assert abs(pitch(imitated, RATE) / wanted - 1) < 0.12 < abs(pitch(plain, RATE) / wanted - 1)
    target, before, after = [timbre_of(each.astype(np.float32), RATE) for each in (woman, plain, imitated)]
    assert target is not None
    assert before is not None
    assert after is not None

    def distance(spectrum: tuple[float, ...]) -> float:
        return float(np.sqrt(np.mean((np.asarray(spectrum) - np.asarray(target.spectrum)) ** 2)))

    assert distance(after.spectrum) < 0.75 * distance(before.spectrum)


@pytest.mark.parametrize(("voice", "how"), [("mandarin-male", ""), ("mandarin-male", "伤心"), ("nova", "")])
async def test_a_seed_makes_the_output_repeatable(engine: EmbeddedEngine, voice: str, how: str) -> None:
    await say(engine)  # what was spoken before must not be heard
    text = "今天天气很好。Hello there, how are you?"
    first = await say(engine, text, how, voice=voice, seed=7)
    second = await say(engine, text, how, voice=voice, seed=7)
    assert np.array_equal(first, second)
    assert engine.stats().active == 0


async def test_a_listener_who_leaves_while_the_voice_is_shaped_ends_that_work(engine: EmbeddedEngine) -> None:
    speech = await engine.speak(SpeechRequest(CHINESE * 10, style=parse_style("伤心")))
    taking = asyncio.ensure_future(anext(aiter(speech.pieces)))
    await asyncio.sleep(0.05)
    await speech.aclose()
    await asyncio.gather(taking, return_exceptions=True)
    assert engine.stats().active == 0
    assert len(await say(engine, how="伤心")) > 0


@pytest.mark.parametrize(("audio", "why"), [(b"no audio", "cannot be read"), (recorded(np.zeros(RATE)), "No voice")])
async def test_a_recording_without_a_voice_is_refused(engine: EmbeddedEngine, audio: bytes, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        await say(engine, like=audio)


async def test_every_voice_is_at_the_loudness_of_broadcasts(engine: EmbeddedEngine) -> None:
    for voice in ("mandarin-female", "mandarin-male", "cantonese-female", "onyx", "shimmer", "verse"):
        measured = loudness((await say(engine, voice=voice)).astype(np.float32), RATE)
        assert measured is not None
        assert abs(measured - TARGET) < 1.5, voice


async def test_a_shape_changes_what_it_names_and_nothing_else() -> None:
    at = np.arange(RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 30)) * 0.1
    speech = np.asarray(voice, dtype=np.float32)
    kept = reshape(speech, RATE, Shape())
    assert kept.size == speech.size
    assert pitch(kept.astype(np.float64), RATE) == pytest.approx(140, rel=0.03)
    assert float(np.std(kept)) == pytest.approx(float(np.std(speech)), rel=0.02)
    rising = reshape(speech, RATE, Shape(ending=5.0)).astype(np.float64)
    assert pitch(rising[-RATE // 8 :], RATE) > 1.2 * pitch(rising[: RATE // 4], RATE)
    assert tilt(reshape(speech, RATE, Shape(tilt=3.0)).astype(np.float64)) > tilt(kept.astype(np.float64)) + 1.5
    silence = np.zeros(RATE, dtype=np.float32)
    assert np.array_equal(reshape(silence, RATE, Shape(tilt=3.0)), silence)


async def test_loudness_is_that_of_the_standard() -> None:
    at = np.arange(3 * RATE) / RATE
    sine = (0.1 * np.sin(2 * np.pi * 1000 * at)).astype(np.float32)
    assert loudness(sine, RATE) == pytest.approx(-23.0, abs=0.1)
    assert loudness(np.zeros(RATE, dtype=np.float32), RATE) is None
    assert loudness(sine[:100], RATE) is None


async def test_a_phrase_that_is_shaped_in_blocks_keeps_its_length_and_has_no_seams() -> None:
    at = np.arange(4 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 20)) * 0.1 * (1 + np.sin(2 * np.pi * 2 * at))
    speech = np.asarray(voice, dtype=np.float32)
    places = quiet_places(speech, RATE)
    assert len(places) > 2
    assert places[-1] == speech.size
    assert all(end - start >= SHORTEST_BLOCK * RATE for start, end in pairwise([0, *places]))
    vocoder = Vocoder(1)
    try:
        blocks = [block async for block in vocoder.reshape(to_int16(speech), RATE, Shape(tilt=1.0))]
    finally:
        await vocoder.stop()
    shaped = samples_of(b"".join(blocks))
    assert len(blocks) == len(places)
    assert shaped.size == speech.size
    assert np.abs(np.diff(shaped)).max() < 1.5 * np.abs(np.diff(speech)).max()


@pytest.mark.parametrize(("voice", "how"), [("english-us-female", ""), ("english-us-male", ""), ("alloy", "happy")])
async def test_a_recogniser_understands_most_of_it(engine: EmbeddedEngine, voice: str, how: str) -> None:
    said = "seven, two, nine, four, one, eight, three, six, five, two, seven, one."
    heard = recognised(await say(engine, said, how, voice=voice))
    matches = SequenceMatcher(None, re.findall(r"\w+", said), heard).get_matching_blocks()
    assert sum(match.size for match in matches) >= 8, heard


def recognised(samples: Samples) -> list[str]:
    """The digits that pocketsphinx hears, with the English model that its wheel holds."""
    digits = "zero one two three four five six seven eight nine"
    decoder = Decoder(samprate=16_000, logfn=os.devnull, lm=None)
    decoder.add_jsgf_string("digits", f"#JSGF V1.0; grammar digits; public <all> = ({digits.replace(' ', '|')})+;")
    decoder.activate_search("digits")
    decoder.start_utt()
    decoder.process_raw(to_int16(soxr.resample(samples, RATE, 16_000).astype(np.float32)), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr.split() if hypothesis else []
