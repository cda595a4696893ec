"""Recordings as people send them, made by arithmetic: harmonics of a pitch that moves, in syllables."""

from __future__ import annotations

import io

import av
import numpy as np
import soundfile

from .waveforms import Samples

RATE = 24_000


def spoken(seconds: float = 4.0, *, rate: int = RATE, level: float = 0.3) -> Samples:
    """What a pitch detector takes for a voice, with half a second of quiet before and after."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 140.0 + 30.0 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(number * phase) / number for number in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 2.0 * time) + 0.6, 0.0, 1.0)
    quiet = np.zeros(rate // 2)
    voiced: Samples = np.concatenate((quiet, level * voice / np.abs(voice).max() * syllables, quiet))
    noise = np.random.default_rng(1).normal(0.0, 0.0003, voiced.size)
    return voiced + noise


def wav(samples: Samples, rate: int = RATE) -> bytes:
    """A WAV file of samples."""
    written = io.BytesIO()
    soundfile.write(written, samples, rate, format="WAV", subtype="PCM_16")
    return written.getvalue()


def encoded(samples: Samples, container: str, codec: str, rate: int = RATE) -> bytes:
    """A file of any format that FFmpeg writes."""
    written = io.BytesIO()
    with av.open(written, mode="w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = RATE
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return written.getvalue()
