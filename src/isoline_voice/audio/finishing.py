"""From the parts that an engine speaks to one even stream: soft joins, pauses, level, rate, no clipping."""

from __future__ import annotations

import numpy as np
import soxr

from isoline_voice.audio.levels import (
    DirectCurrentFilter,
    Samples,
    from_int16,
    limit,
    to_int16,
)
from isoline_voice.audio.stretching import Stretcher

OUTPUT_RATE = 24_000
FADE_IN_SECONDS = 0.002
FADE_OUT_SECONDS = 0.006


class Finisher:
    """Turns raw int16 PCM of parts at `rate` hertz into the stream that a listener gets, at OUTPUT_RATE.

    Each part begins and ends at zero, so that no join clicks. `gain` is a factor; `stretch` makes the speech, not the
    pauses, that many times as long.
    """

    def __init__(self, rate: int, *, stretch: float = 1.0) -> None:
        self._rate = rate
        self._stretcher = Stretcher(stretch, rate) if abs(stretch - 1.0) > 0.001 else None
        self._direct_current = DirectCurrentFilter(rate)
        self._resampler = (
            None if rate == OUTPUT_RATE else soxr.ResampleStream(rate, OUTPUT_RATE, 1, dtype="float32", quality="HQ")
        )
        self._held = _nothing()
        self._faded_in = 0
        self._gain = 1.0

    def begin(self, *, gain: float) -> None:
        """The next part begins."""
        self._gain = gain
        self._held = _nothing()
        self._faded_in = 0

    def feed(self, pcm: bytes) -> bytes:
        """Audio of the part that has begun."""
        samples = from_int16(pcm)
        if self._stretcher is not None:
            samples = self._stretcher.feed(samples)
        joined = np.concatenate((self._held, self._fade_in(samples)))
        hold = int(FADE_OUT_SECONDS * self._rate)
        cut = max(0, joined.size - hold)
        self._held = joined[cut:]
        return self._out(joined[:cut])

    def end(self, *, pause: float) -> bytes:
        """The part is over; `pause` seconds of silence follow it."""
        rest = self._held
        if self._stretcher is not None:
            rest = np.concatenate((rest, self._fade_in(self._stretcher.finish())))
        fade = min(rest.size, int(FADE_OUT_SECONDS * self._rate))
        rest = rest.copy()
        if fade:
            rest[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        self._held = _nothing()
        return self._out(np.concatenate((rest, np.zeros(int(pause * self._rate), dtype=np.float32))))

    def finish(self) -> bytes:
        """What the resampler still holds; nothing follows."""
        return b"" if self._resampler is None else self._level(self._resampler.resample_chunk(_nothing(), last=True))

    def _fade_in(self, samples: Samples) -> Samples:
        length = int(FADE_IN_SECONDS * self._rate)
        if self._faded_in >= length or samples.size == 0:
            return samples
        count = min(samples.size, length - self._faded_in)
        ramp = (np.arange(self._faded_in, self._faded_in + count, dtype=np.float32)) / length
        self._faded_in += count
        return np.concatenate((samples[:count] * ramp, samples[count:]))

    def _out(self, samples: Samples) -> bytes:
        if samples.size == 0:
            return b""
        scaled = self._direct_current.feed((samples * np.float32(self._gain)).astype(np.float32))
        return self._level(scaled if self._resampler is None else self._resampler.resample_chunk(scaled))

    @staticmethod
    def _level(samples: Samples) -> bytes:
        return to_int16(limit(samples)) if samples.size else b""


def _nothing() -> Samples:
    return np.zeros(0, dtype=np.float32)
