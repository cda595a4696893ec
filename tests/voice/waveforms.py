"""Measuring what is heard, and waiting for what is about to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]


def samples_of(pcm: bytes) -> Samples:
    """int16 PCM as samples with full scale at ±1."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768.0


def seconds(pcm: bytes, rate: int) -> float:
    """How long it lasts."""
    return len(pcm) / 2 / rate


def level(pcm: bytes) -> float:
    """The RMS in dBFS of the parts that are not silence."""
    frames = samples_of(pcm)[: len(pcm) // 2 // 480 * 480].reshape(-1, 480)
    rms = np.sqrt(np.mean(frames**2, axis=1))
    active = rms[rms > rms.max() * 0.1]
    return float(20 * np.log10(np.sqrt(np.mean(active**2))))


def pitch(samples: Samples, rate: int) -> float:
    """The frequency in hertz at which most of the voiced audio repeats itself, by autocorrelation of 50 ms frames."""
    size = rate // 20
    found = []
    for start in range(0, samples.size - size, size):
        frame = samples[start : start + size]
        if np.sqrt(np.mean(frame**2)) < 0.03:
            continue
        likeness = np.correlate(frame, frame, mode="full")[size - 1 :]
        shortest, longest = rate // 450, rate // 55
        lag = shortest + int(np.argmax(likeness[shortest:longest]))
        if likeness[lag] > 0.4 * likeness[0]:
            found.append(rate / lag)
    return float(np.median(found))


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds; the test's time limit is the limit."""
    while not condition():  # noqa: ASYNC110 (what changes has no event to wait for)
        await asyncio.sleep(0.005)
