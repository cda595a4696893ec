"""The real studio over real HTTP, with OpenAI's own client, listened to."""

from __future__ import annotations

import io
import json

import av
import httpx
import numpy as np
import numpy.typing as npt
import openai
import pytest

RATE = 24_000
FORMATS = ["wav", "mp3", "opus", "aac", "flac", "pcm"]

Samples = npt.NDArray[np.float64]


def decode(content: bytes, audio_format: str) -> Samples:
    """The audio at 24 000 Hz, from -1 to 1."""
    if audio_format == "pcm":
        return np.frombuffer(content, "<i2") / 32768
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.fixture
def speech(studio: str) -> openai.resources.audio.Speech:
    return openai.OpenAI(base_url=f"{studio}/v1", api_key="none", max_retries=0).audio.speech


def heard(speech: openai.resources.audio.Speech, **fields: object) -> Samples:
    defaults = {"model": "tts-1", "voice": "alloy", "input": "Good morning, everybody.", "response_format": "pcm"}
    answer = speech.create(**{**defaults, **fields})  # type: ignore[arg-type]
    return decode(answer.content, str(fields.get("response_format", "pcm")))


@pytest.mark.parametrize("audio_format", FORMATS)
def test_each_format_says_the_same(speech: openai.resources.audio.Speech, audio_format: str) -> None:
    plain = heard(speech)
    samples = heard(speech, response_format=audio_format)
    assert len(samples) / RATE == pytest.approx(len(plain) / RATE, abs=0.15)
    assert loudness(samples) == pytest.approx(loudness(plain), rel=0.15)


def test_the_client_gets_mp3_when_it_names_no_format(speech: openai.resources.audio.Speech) -> None:
    answer = speech.create(model="tts-1", voice="nova", input="Hello.")
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert loudness(decode(answer.content, "mp3")) > 0.01


@pytest.mark.parametrize(
    ("text", "louder", "softer"),
    [("Good morning, everybody.", "very loud", "very softly"), ("大家早上好。", "大声", "小声")],
)
def test_loud_is_louder_and_nothing_clips(
    speech: openai.resources.audio.Speech, text: str, louder: str, softer: str
) -> None:
    plain = loudness(heard(speech, input=text))
    loud = heard(speech, input=text, instructions=louder)
    assert loudness(loud) > 1.2 * plain
    assert np.abs(loud).max() < 1
    assert loudness(heard(speech, input=text, instructions=softer)) < 0.8 * plain


@pytest.mark.parametrize(
    ("text", "slower", "faster"),
    [("Good morning, everybody.", "slowly", "fast"), ("大家早上好。", "慢一点", "快一点")],
)
def test_slow_is_longer_and_fast_is_shorter(
    speech: openai.resources.audio.Speech, text: str, slower: str, faster: str
) -> None:
    plain = len(heard(speech, input=text))
    assert len(heard(speech, input=text, instructions=slower)) > 1.1 * plain
    assert len(heard(speech, input=text, instructions=faster)) < 0.9 * plain


def test_speed_multiplies(speech: openai.resources.audio.Speech) -> None:
    assert len(heard(speech, speed=2.0)) < 0.7 * len(heard(speech)) < 0.5 * len(heard(speech, speed=0.5))


def test_audio_arrives_before_a_long_text_is_spoken(speech: openai.resources.audio.Speech, studio: str) -> None:
    book = "The quick brown fox jumps over the lazy dog. " * 2000
    with speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=book, response_format="pcm"
    ) as answer:
        pieces = answer.iter_bytes(4800)
        assert len(next(pieces)) == 4800
        assert "isoline_voice_active_streams 1.0" in httpx.get(f"{studio}/metrics").text


def test_sichuanese_is_understood_and_its_absence_said(studio: str) -> None:
    answer = httpx.post(
        f"{studio}/v1/audio/speech", content='{"input":"你好，世界","instructions":"用四川话大声读出来"}'.encode()
    )
    assert answer.headers["content-type"] == "audio/wav"
    assert loudness(decode(answer.content, "wav")) > 0.01
    style = json.loads(answer.headers["x-voice-style"])
    assert style["dialect"] == "四川话"
    [warning] = json.loads(answer.headers["x-voice-warnings"])
    assert warning["code"] == "dialect_unsupported"


def test_cantonese_is_not_mandarin(speech: openai.resources.audio.Speech) -> None:
    mandarin = heard(speech, input="你好，世界")
    cantonese = heard(speech, input="你好，世界", instructions="用粤语读")
    assert loudness(cantonese) > 0.01
    assert len(mandarin) != len(cantonese)


@pytest.mark.parametrize(("field", "value"), [("voice", "nobody"), ("speed", 7.0), ("input", "  ")])
def test_the_client_raises_its_own_error_with_the_field(
    speech: openai.resources.audio.Speech, field: str, value: object
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        heard(speech, **{field: value})
    assert caught.value.param == field


def test_models_and_voices_are_there(studio: str) -> None:
    client = openai.OpenAI(base_url=f"{studio}/v1", api_key="none")
    assert client.models.list().data[0].id
    voices = httpx.get(f"{studio}/v1/audio/voices").json()["data"]
    languages = {voice["language"].split("-")[0] for voice in voices}
    assert {"en", "ja", "ko", "de", "es", "fr", "it", "ru"} <= languages
    assert httpx.get(f"{studio}/readyz").status_code == 200
