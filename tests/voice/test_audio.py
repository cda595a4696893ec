"""Levels, joins, stretching, resampling and formats."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from isoline_voice.audio.encoders import FORMATS, UNKNOWN_SIZE, Format, make_encoder
from isoline_voice.audio.finishing import OUTPUT_RATE, Finisher
from isoline_voice.audio.levels import CEILING, KNEE, DirectCurrentFilter, gain_of, limit, to_int16
from isoline_voice.audio.stretching import Stretcher
from isoline_voice.errors import UnsupportedFormatError
from voice.waveforms import Samples, pitch, samples_of

RATE = 22_050


def tone(frequency: float, seconds: float, *, rate: int = RATE, level: float = 0.25) -> Samples:
    """A sine that begins and ends abruptly."""
    time = np.arange(round(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * frequency * time + 0.5)


def pcm(samples: Samples) -> bytes:
    """Samples as int16."""
    return np.rint(samples * 32767).astype("<i2").tobytes()


def decoded(audio: bytes) -> tuple[Samples, int]:
    """The samples and the rate of any encoded audio."""
    with av.open(io.BytesIO(audio), mode="r") as container:
        frames: list[Any] = list(container.decode(audio=0))
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    scale = 32768.0 if parts[0].dtype == np.int16 else 1.0
    return np.concatenate(parts).astype(np.float64) / scale, frames[0].sample_rate


def test_the_limiter_leaves_quiet_audio_alone_and_lets_nothing_reach_full_scale() -> None:
    quiet = tone(200, 0.1, level=KNEE - 0.01).astype(np.float32)
    assert np.array_equal(limit(quiet), quiet)
    loud = tone(200, 0.1, level=5.0).astype(np.float32)
    assert np.abs(limit(loud)).max() <= CEILING
    assert (np.sign(limit(loud)) == np.sign(loud)).all()


def test_the_limiter_keeps_the_order_of_levels() -> None:
    ramp = np.linspace(-3, 3, 1001, dtype=np.float32)
    assert (np.diff(limit(ramp)) >= 0).all()


def test_out_of_range_samples_do_not_wrap_round() -> None:
    assert np.frombuffer(to_int16(np.array([2.0, -2.0], dtype=np.float32)), "<i2").tolist() == [32767, -32767]


def test_direct_current_goes_and_speech_stays() -> None:
    filter_ = DirectCurrentFilter(RATE)
    source = (tone(150, 2.0) + 0.05).astype(np.float32)
    out = np.concatenate([filter_.feed(part) for part in np.array_split(source, 37)])
    settled = out[RATE // 5 :]
    assert abs(settled.mean()) < 1e-3
    assert np.sqrt(np.mean(settled**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("factor", [1.3, 2.0, 3.0])
@pytest.mark.parametrize("piece", [64, 1324, 20_000])
def test_stretching_makes_it_longer_and_not_lower(factor: float, piece: int) -> None:
    source = tone(180, 1.5).astype(np.float32)
    stretcher = Stretcher(factor, RATE)
    parts = [stretcher.feed(source[start : start + piece]) for start in range(0, source.size, piece)]
    out = np.concatenate([*parts, stretcher.finish()]).astype(np.float64)
    assert out.size == round(source.size * factor)
    assert pitch(out, RATE) == pytest.approx(180, rel=0.03)
    middle = out[RATE // 4 : -RATE // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.1)


def test_stretching_can_begin_again() -> None:
    stretcher = Stretcher(2.0, RATE)
    source = tone(180, 0.5).astype(np.float32)
    first = np.concatenate((stretcher.feed(source), stretcher.finish()))
    second = np.concatenate((stretcher.feed(source), stretcher.finish()))
    assert np.array_equal(first, second)


def finish(
    parts: list[Samples], *, gain: float = 1.0, pause: float = 0.1, piece: int = 1324, stretch: float = 1.0
) -> Samples:
    """What a listener hears of some parts."""
    finisher = Finisher(RATE, stretch=stretch)
    out = b""
    for part in parts:
        finisher.begin(gain=gain)
        data = pcm(part)
        for start in range(0, len(data), 2 * piece):
            out += finisher.feed(data[start : start + 2 * piece])
        out += finisher.end(pause=pause)
    return samples_of(out + finisher.finish())


def test_parts_are_joined_by_their_pauses_at_the_new_rate() -> None:
    heard = finish([tone(200, 0.5), tone(200, 0.5)], pause=0.25)
    assert heard.size / OUTPUT_RATE == pytest.approx(1.5, abs=0.01)
    assert np.abs(heard[int(0.6 * OUTPUT_RATE) : int(0.72 * OUTPUT_RATE)]).max() < 0.01


def test_no_join_clicks_though_the_parts_begin_and_end_abruptly() -> None:
    heard = finish([tone(200, 0.3), tone(310, 0.3)], pause=0.0)
    steepest = np.abs(np.diff(tone(310, 0.3, rate=OUTPUT_RATE))).max()
    assert np.abs(np.diff(heard)).max() < 1.3 * steepest
    assert abs(heard[0]) < 0.01


def test_the_pieces_that_come_make_no_difference() -> None:
    source = [tone(200, 0.31)]
    assert np.allclose(finish(source, piece=97), finish(source, piece=100_000), atol=2 / 32768)


def test_loud_is_louder_and_does_not_clip() -> None:
    plain, loud = finish([tone(200, 0.5)]), finish([tone(200, 0.5)], gain=gain_of(20))
    assert np.sqrt(np.mean(loud**2)) > 2 * np.sqrt(np.mean(plain**2))
    assert np.abs(loud).max() < 0.99


def test_a_part_without_audio_is_its_pause() -> None:
    assert finish([np.zeros(0)], pause=0.2).size / OUTPUT_RATE == pytest.approx(0.2, abs=0.01)


def encode(audio_format: Format, source: Samples, *, length: int | None = None) -> list[bytes]:
    """What the encoder gives out for each 40 ms, and at the end."""
    encoder = make_encoder(audio_format, OUTPUT_RATE, length=length)
    data = pcm(source)
    return [*(encoder.feed(data[start : start + 1920]) for start in range(0, len(data), 1920)), encoder.finish()]


@pytest.mark.parametrize("audio_format", [name for name in FORMATS if name != "pcm"])
def test_a_format_holds_the_audio(audio_format: Format) -> None:
    source = tone(220, 1.0, rate=OUTPUT_RATE)
    heard, rate = decoded(b"".join(encode(audio_format, source)))
    assert heard.size / rate == pytest.approx(1.0, abs=0.08)
    assert pitch(heard, rate) == pytest.approx(220, rel=0.02)
    middle = heard[rate // 4 : -rate // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_format_flows_while_it_is_spoken(audio_format: Format) -> None:
    pieces = encode(audio_format, tone(220, 2.0, rate=OUTPUT_RATE))
    flowing = [index for index, piece in enumerate(pieces) if piece]
    assert flowing[0] * 0.04 <= 0.25
    assert max(np.diff(flowing)) * 0.04 <= 0.25


def test_lossless_formats_keep_every_sample() -> None:
    source = tone(220, 0.5, rate=OUTPUT_RATE)
    for audio_format in ("wav", "flac"):
        heard, _ = decoded(b"".join(encode(audio_format, source)))
        assert pcm(heard * 32768 / 32767) == pcm(source)
    assert b"".join(encode("pcm", source)) == pcm(source)


def test_a_wav_of_known_length_says_so_and_a_stream_leaves_it_open() -> None:
    source = tone(220, 0.5, rate=OUTPUT_RATE)
    whole = b"".join(encode("wav", source, length=source.size))
    info = soundfile.info(io.BytesIO(whole))
    assert (info.frames, info.samplerate, info.channels, info.subtype) == (source.size, OUTPUT_RATE, 1, "PCM_16")
    assert int.from_bytes(whole[4:8], "little") == len(whole) - 8
    stream = b"".join(encode("wav", source))
    assert stream[40:44] == UNKNOWN_SIZE.to_bytes(4, "little")


def test_silence_is_still_a_file() -> None:
    for audio_format in ("wav", "flac", "mp3", "opus", "aac"):
        encoder = make_encoder(audio_format, OUTPUT_RATE)
        out = encoder.feed(b"") + encoder.feed(b"\0\0" * 2400) + encoder.finish()
        assert decoded(out)[0].size > 0


def test_an_unknown_format_is_an_error_that_names_the_field_and_the_formats() -> None:
    with pytest.raises(UnsupportedFormatError, match=r"'m4a'.*wav, mp3, opus, aac, flac, pcm") as caught:
        make_encoder("m4a", OUTPUT_RATE)
    assert caught.value.param == "response_format"
