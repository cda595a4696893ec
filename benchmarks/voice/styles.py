"""How many sentences about the way of speaking are understood whole, and how long that takes."""

import time
from typing import Any

from benchmarks.figures import spread
from isoline_voice.styles import parse_style
from voice.test_styles_lists import sentences, understood_as

LISTS = {"own": "development", "held out": "heldout"}
ROUNDS = 5


async def measure() -> dict[str, Any]:
    """Sentences, the share of them that is understood, and milliseconds a sentence; of each list."""
    return {name: _of_list(file) for name, file in LISTS.items()}


def _of_list(file: str) -> dict[str, Any]:
    listed = list(sentences(file))
    understood = sum(understood_as(sentence) == expected for sentence, expected in listed)
    times = []
    for _ in range(ROUNDS):
        for sentence, _expected in listed:
            started = time.perf_counter()
            parse_style(sentence)
            times.append((time.perf_counter() - started) * 1000)
    taken = spread(times)
    return {
        "sentences": len(listed),
        "share": round(understood / len(listed), 4),
        "ms": {"p50": round(taken.p50, 3), "p95": round(taken.p95, 3)},
    }
