"""Loudness without clipping, and no direct current."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono audio, full scale at ±1."""

KNEE = 0.7
CEILING = 0.97


def gain_of(decibels: float) -> float:
    """The factor for a level change in decibels."""
    return float(10.0 ** (decibels / 20.0))


def limit(samples: Samples) -> Samples:
    """The samples with all that is above KNEE bent smoothly so that nothing reaches CEILING.

    What is below the knee passes unchanged. Having no memory, it works on pieces of any length.
    """
    level = np.abs(samples)
    if level.size == 0 or level.max() <= KNEE:
        return samples
    room = np.float32(CEILING - KNEE)
    bent = KNEE + room * np.tanh((level - KNEE) / room)
    return np.where(level > KNEE, np.copysign(bent, samples), samples).astype(np.float32)


class DirectCurrentFilter:
    """Takes away the mean of the last tenth of a second, which holds no audible tone but all direct current."""

    def __init__(self, rate: int) -> None:
        self._past = np.zeros(rate // 10, dtype=np.float32)

    def feed(self, samples: Samples) -> Samples:
        """As many samples as came in."""
        if samples.size == 0:
            return samples
        window = self._past.size
        joined = np.concatenate((self._past, samples))
        sums = np.cumsum(joined, dtype=np.float64)
        means = (sums[window:] - sums[:-window]) / window
        self._past = joined[-window:]
        return (samples - means).astype(np.float32)


def from_int16(pcm: bytes) -> Samples:
    """Little-endian int16 bytes as samples."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768.0)


def to_int16(samples: Samples) -> bytes:
    """Samples as little-endian int16 bytes; what is out of range is clipped."""
    pcm: bytes = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
    return pcm
