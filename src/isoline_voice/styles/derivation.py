"""English words that are made of a known one: fearfully, loudest, grannyish, unromantic, overexcited, superfast."""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST_STEM = 3

# What is taken off a word's end, and what its stem ends with then.
_ENDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(ending), stem)
    for ending, stem in (
        (r"(?:ily|iness|ier|iest|ies|ied)$", "y"),
        (r"(?:ly|ness|s|'s|er|est|ish|like|ing|ed|ful|fully|y|ally|ishly|ingly|edly)$", ""),
        (r"(?:er|est|ish|ing|ed|ingly|edly|y)$", "e"),
        (r"(?:ably|ibly)$", "able"),
        (r"([b-df-hj-np-tv-z])\1(?:er|est|ing|ed|y|ish)$", r"\1"),
    )
)
# What a prefix says as a word of its own.
_PREFIXES = {"un": "not", "non": "not", "over": "too", "super": "very", "ultra": "very", "extra": "very"}
_WITHOUT = re.compile(r"less(?:ly)?$")


def derived(written: str) -> Iterator[str]:
    """Known words that `written` may be made of, the likeliest first, each with what a prefix or "-less" adds."""
    for stem in _stems(written):
        yield stem
    for prefix, word in _PREFIXES.items():
        if written.startswith(prefix):
            for stem in (written.removeprefix(prefix), *_stems(written.removeprefix(prefix))):
                if len(stem) > SHORTEST_STEM:
                    yield f"{word} {stem}"
    if _WITHOUT.search(written):
        yield f"not {_WITHOUT.sub('', written)}"


def _stems(written: str) -> Iterator[str]:
    for ending, stem in _ENDINGS:
        found, count = ending.subn(stem, written)
        if count and len(found) >= SHORTEST_STEM:
            yield found
