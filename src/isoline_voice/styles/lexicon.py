"""Every phrase that the parser knows and what it may mean, and the scanner that finds them in a sentence.

At each place the longest phrase wins, which is what tells 快乐 (happy) from 快 (fast).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from math import log2
from typing import Any, Literal, NamedTuple

from isoline_voice.styles.catalog import read_data

Scale = Literal["volume", "rate", "pitch"]
Name = Literal["dialect", "language", "emotion", "persona"]
Degree = Literal["slight", "plain", "strong", "most", "too_much"]

SCALES: tuple[Scale, ...] = ("volume", "rate", "pitch")
NAMES: tuple[Name, ...] = ("dialect", "language", "emotion", "persona")
DEFAULT_STRENGTH = 0.6


class ScaleWish(NamedTuple):
    """A place on a scale from -1 to 1."""

    scale: Scale
    value: float


class NameWish(NamedTuple):
    """A dialect, language, emotion or persona; `strength` and `opposite` matter for emotions only."""

    kind: Name
    name: str
    strength: float = DEFAULT_STRENGTH
    opposite: str | None = None


@dataclass(slots=True)
class Meaning:
    """What one phrase may mean; the sentence around it decides which of these it does mean."""

    wish: ScaleWish | NameWish | None = None
    noun: Scale | None = None
    directions: dict[Scale, int] = field(default_factory=dict)
    degree: Degree | None = None
    degree_after: Degree | None = None
    negates: bool = False
    carries: bool = False
    ends: bool = False
    filler: bool = False


class Token(NamedTuple):
    """A stretch of the sentence as it was typed; `meaning` is None for words that are not known."""

    text: str
    meaning: Meaning | None


class Break(NamedTuple):
    """The end of a clause."""


_UNKNOWN = re.compile(r"[a-z0-9][a-z0-9'&]*|\w", re.IGNORECASE)
_BREAK = re.compile(r"[,.!?;:，。！？；：、\n…—]+")
# Chinese doubles both characters to make a feeling livelier; without it 快快乐乐 would begin with 快 (fast).
_TWO_HAN = re.compile("[\u4e00-\u9fff]{2}")
_SPEED_FACTOR = re.compile(
    r"(?P<a>\d+(?:\.\d+)?) ?(?:倍速度?|倍语速|倍的语速|倍的?速度|x speed|times speed|x\b(?! ?\d))"
    r"|(?:语速|速度|speed|rate)(?: ?(?:为|是|到|调到|设为|of|at|to|=))? ?(?P<b>\d+(?:\.\d+)?) ?(?:倍|x\b|times\b)?"
)


class Lexicon:
    """The phrases by their first character, longest first."""

    def __init__(self, meanings: dict[str, Meaning], characters: dict[int, int]) -> None:
        self._characters = characters
        buckets: dict[str, list[tuple[str, Meaning]]] = {}
        for phrase, meaning in meanings.items():
            buckets.setdefault(phrase[:1], []).append((phrase, meaning))
        self._buckets = {
            first: sorted(bucket, key=lambda entry: len(entry[0]), reverse=True) for first, bucket in buckets.items()
        }

    def scan(self, text: str) -> Iterator[Token | Break]:
        """The tokens of a sentence in order; white space is left out."""
        folded = _fold(text).translate(self._characters)
        factors = {match.start(): match for match in _SPEED_FACTOR.finditer(folded)}
        at = 0
        while at < len(folded):
            if at in factors and (token := _speed_factor(factors[at], text)) is not None:
                yield token
                at = factors[at].end()
            elif (match := _BREAK.match(folded, at)) is not None:
                yield Break()
                at = match.end()
            elif (found := self._longest(folded, at)) is not None:
                phrase, meaning = found
                yield Token(text[at : at + len(phrase)], meaning)
                at += len(phrase)
            elif (match := _UNKNOWN.match(folded, at)) is not None:
                yield Token(text[at : match.end()], None)
                at = match.end()
            else:
                at += 1

    def _longest(self, text: str, at: int) -> tuple[str, Meaning] | None:
        if _is_latin(text[at]) and at > 0 and _is_latin(text[at - 1]):
            return None
        for entry in self._buckets.get(text[at], ()):
            phrase = entry[0]
            end = at + len(phrase)
            whole_word = not _is_latin(phrase[-1]) or end >= len(text) or not _is_latin(text[end])
            if whole_word and text.startswith(phrase, at):
                return entry
        return None


@cache
def lexicon() -> Lexicon:
    """The lexicon of the data files, built once."""
    meanings: dict[str, Meaning] = {}
    _add_names(meanings)
    _add_scales(meanings)
    words = read_data("words")
    for degree, phrases in words["degrees"].items():
        for phrase in phrases:
            _of(meanings, phrase).degree = degree
    for degree, phrases in words["degrees_after"].items():
        for phrase in phrases:
            _of(meanings, phrase).degree_after = degree
    for attribute, phrases in (
        ("negates", words["negation"]["words"]),
        ("carries", words["negation"]["carries_over"]),
        ("ends", words["negation"]["ends"]),
        ("filler", words["fillers"]["words"]),
    ):
        for phrase in phrases:
            setattr(_of(meanings, phrase), attribute, True)
    characters = words["characters"]
    simplify = zip(characters["traditional"], characters["simplified"], strict=True)
    return Lexicon(meanings, {ord(traditional): ord(simplified) for traditional, simplified in simplify})


def _add_names(meanings: dict[str, Meaning]) -> None:
    for kind in NAMES:
        data = read_data(f"{kind}s")
        for entry in data[kind]:
            wish = NameWish(kind, entry["name"], entry.get("strength", DEFAULT_STRENGTH), entry.get("opposite"))
            for phrase in (*entry["words"], *_places(entry, data)):
                _of(meanings, phrase).wish = wish
                if kind == "emotion" and _TWO_HAN.fullmatch(phrase):
                    _of(meanings, "".join(character * 2 for character in phrase)).wish = wish


def _places(entry: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    """Each place with each ending of its own script."""
    for place in entry.get("places", ()):
        for ending in data["endings"]:
            if place.isascii() == ending.isascii():
                yield f"{place} {ending}" if place.isascii() else place + ending


def _add_scales(meanings: dict[str, Meaning]) -> None:
    data = read_data("scales")
    for scale in SCALES:
        for phrase in data[scale]["nouns"]:
            _of(meanings, phrase).noun = scale
        for direction, sign in (("up", 1), ("down", -1)):
            for phrase in data[scale][direction]:
                _of(meanings, phrase).directions[scale] = sign
        for group in data[scale]["wish"]:
            for phrase in group["words"]:
                _of(meanings, phrase).wish = ScaleWish(scale, group["value"])


def _of(meanings: dict[str, Meaning], phrase: str) -> Meaning:
    return meanings.setdefault(_fold(phrase), Meaning())


def _fold(text: str) -> str:
    """Lower case and plain ASCII forms, with every character still where it was."""
    return text.translate(_FOLDING)


def _is_latin(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "'")


def _speed_factor(match: re.Match[str], text: str) -> Token | None:
    factor = float(match.group("a") or match.group("b"))
    if not 0.1 <= factor <= 10:
        return None
    value = max(-1.0, min(1.0, log2(factor)))
    return Token(text[match.start() : match.end()], Meaning(wish=ScaleWish("rate", round(value, 3))))


_FOLDING = (
    {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
    | {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}
    | {code: code - 0xFEE0 for code in range(0xFF41, 0xFF5B)}
    | {code: code - 0xFEC0 for code in range(0xFF21, 0xFF3B)}
    | {ord("’"): ord("'"), ord("‘"): ord("'"), ord("-"): ord(" "), ord("_"): ord(" "), ord("\u3000"): ord(" ")}
    | {ord("\t"): ord(" "), ord("\u00a0"): ord(" ")}
)
