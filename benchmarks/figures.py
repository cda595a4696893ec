"""Percentiles, once."""

from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    p50: float
    p95: float
    maximum: float
    samples: int

    def __str__(self) -> str:
        return f"p50 {self.p50:.2f}, p95 {self.p95:.2f}, max {self.maximum:.2f} (n={self.samples})"


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` from 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float]) -> Spread:
    return Spread(percentile(values, 0.5), percentile(values, 0.95), max(values), len(values))
