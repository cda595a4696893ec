"""How much goes through at a time, where a TrafficPolicy says it."""

from typing import Literal

from isoline.routing.ir.base import IR

Encoding = Literal["gzip", "brotli", "zstd"]


class Compression(IR, frozen=True, kw_only=True):
    """Answers are compressed for clients that accept it."""

    encodings: tuple[Encoding, ...]
    """The best first."""
    content_types: tuple[str, ...]
    minimum: int
    """Bytes, where the length is known."""


class Bandwidth(IR, frozen=True, kw_only=True):
    """KiB in a second, of all requests together; None: no limit."""

    requests: int | None = None
    responses: int | None = None


class AdaptiveConcurrency(IR, frozen=True, kw_only=True):
    """As many requests at a time as are answered without getting slower; more get 503. Times are seconds."""

    maximum: int
    minimum: int
    """While the quickest answer is measured."""
    percentile: int
    update_interval: float
    measure_interval: float
    samples: int
