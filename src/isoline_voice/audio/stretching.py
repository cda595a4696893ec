"""Makes speech longer or shorter without changing its pitch, for rates that an engine cannot speak at.

Waveform-similarity overlap-add (Verhelst and Roelands, 1993): windows are taken from the input at a shorter hop than
they are laid down at, or at a longer one, each moved by a few milliseconds to where it best continues the one before.
"""

from __future__ import annotations

import numpy as np

from isoline_voice.audio.levels import Samples

WINDOW_SECONDS = 0.03
SEARCH_SECONDS = 0.008


class Stretcher:
    """Makes what is fed `factor` (0.25 to 4) times as long, at the same pitch."""

    def __init__(self, factor: float, rate: int) -> None:
        self._hop = int(rate * WINDOW_SECONDS / 2)
        self._advance = self._hop / factor
        self._search = int(rate * SEARCH_SECONDS)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * self._hop) / (2 * self._hop))
        self._fade_in, self._fade_out = window[: self._hop].astype(np.float32), window[self._hop :].astype(np.float32)
        self._input = np.zeros(0, dtype=np.float32)
        self._position = 0.0
        self._tail: Samples | None = None
        """What the last window goes on with, faded out, waiting for the next one to be laid over it."""
        self._expected = np.zeros(0, dtype=np.float32)
        self._given = 0
        self._taken = 0
        self._factor = factor

    def feed(self, samples: Samples) -> Samples:
        """The output that is settled by now."""
        self._input = np.concatenate((self._input, samples))
        self._taken += samples.size
        laid = []
        reach = 2 * self._hop + 2 * self._search
        while int(self._position) + self._search + reach <= self._input.size:
            laid.append(self._next_window())
        keep = min(self._input.size, max(0, int(self._position) - self._search))
        self._input = self._input[keep:]
        self._position -= keep
        output = np.concatenate(laid) if laid else np.zeros(0, dtype=np.float32)
        self._given += output.size
        return output

    def finish(self) -> Samples:
        """The rest, to the length that was asked for; the stretcher is then ready for other audio."""
        due = round(self._taken * self._factor) - self._given
        silence = np.zeros(4 * self._hop + 4 * self._search + int(self._advance), dtype=np.float32)
        parts: list[Samples] = []
        while sum(part.size for part in parts) < due:
            parts.append(self.feed(silence))
        self._input, self._position, self._tail = np.zeros(0, dtype=np.float32), 0.0, None
        self._given = self._taken = 0
        return np.concatenate(parts)[:due] if parts else np.zeros(0, dtype=np.float32)

    def _next_window(self) -> Samples:
        hop, at = self._hop, int(self._position)
        if self._tail is None:
            head = self._input[at : at + hop]
        else:
            first = max(0, at - self._search)
            at = first + self._best_offset(self._input[first : at + self._search + hop])
            head = self._tail + self._input[at : at + hop] * self._fade_in
        following = self._input[at + hop : at + 2 * hop]
        self._tail = following * self._fade_out
        self._expected = following
        self._position += self._advance
        return head

    def _best_offset(self, candidates: Samples) -> int:
        """Where in `candidates` the audio is most like what would follow naturally."""
        likeness = np.correlate(candidates, self._expected, mode="valid")
        energy = np.cumsum(np.concatenate((np.zeros(1), np.square(candidates, dtype=np.float64))))
        norm = np.sqrt(np.maximum(energy[self._hop :] - energy[: -self._hop], 1e-6))
        return int(np.argmax(likeness / norm))
