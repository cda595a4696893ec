"""Every phrase that the parser knows and what it may mean, built from the data files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

from isoline_voice.styles.catalog import read_data
from isoline_voice.styles.folding import fold

Scale = Literal["volume", "rate", "pitch", "pauses"]
Name = Literal["dialect", "language", "emotion", "persona"]
Degree = Literal["slight", "plain", "strong", "most", "too_much"]

SCALES: tuple[Scale, ...] = ("volume", "rate", "pitch", "pauses")
NAMES: tuple[Name, ...] = ("dialect", "language", "emotion", "persona")
DEFAULT_STRENGTH = 0.6
ANYBODY, DOING, WHO = range(3)
"""How much a persona says: a woman, somebody who tells a story, a grandmother."""

# Chinese doubles both characters to make a feeling livelier; without it 快快乐乐 would begin with 快 (fast).
_TWO_HAN = re.compile("[\u4e00-\u9fff]{2}")


class ScaleWish(NamedTuple):
    """A place on a scale from -1 to 1; `whisper` asks for breath without voice as well.

    A `complaint` (I can't hear you) is one only where nothing was said of loudness or speed.
    """

    scale: Scale
    value: float
    whisper: bool = False
    complaint: bool = False


class NameWish(NamedTuple):
    """A dialect, language, emotion or persona.

    `strength` and `opposite` matter for emotions only. A persona of a lower `precedence` (a woman) loses without a
    conflict against one that says more (a teacher); a `person` may also be who is spoken to ("for my grandma").
    """

    kind: Name
    name: str
    strength: float = DEFAULT_STRENGTH
    opposite: str | None = None
    precedence: int = WHO
    person: bool = False


@dataclass(slots=True)
class Meaning:
    """What one phrase may mean; the sentence around it decides which of these it does mean."""

    wish: ScaleWish | NameWish | None = None
    nouns: tuple[Scale, ...] = ()
    without: NameWish | None = None
    directions: dict[Scale, int] = field(default_factory=dict)
    alone: Scale | None = None
    degree: Degree | None = None
    degree_after: Degree | None = None
    negates: bool = False
    carries: bool = False
    lifts: bool = False
    ends: bool = False
    audience: bool = False
    listens: bool = False
    middle: bool = False
    between: bool = False
    filler: bool = False
    other: bool = False

    @property
    def wishes(self) -> bool:
        """Whether it can be a wish or a part of one, so that a misspelling of it is worth finding."""
        return bool(self.wish or self.directions or self.nouns or self.degree or self.degree_after)


@cache
def meanings() -> dict[str, Meaning]:
    """All phrases of the data files in folded form, read once."""
    found: dict[str, Meaning] = {}
    _add_names(found)
    _add_scales(found)
    _add_modifiers(found)
    for groups in read_data("fillers").values():
        for phrases in groups.values():
            for phrase in phrases:
                _of(found, phrase).filler = True
    for groups in read_data("other_words").values():
        for phrases in groups.values():
            for phrase in phrases:
                found[fold(phrase)] = Meaning(other=True)
    return found


def _add_names(found: dict[str, Meaning]) -> None:
    for kind in NAMES:
        data = read_data(f"{kind}s")
        for entry in data[kind]:
            wish = NameWish(
                kind,
                entry["name"],
                entry.get("strength", DEFAULT_STRENGTH),
                entry.get("opposite"),
                ANYBODY if entry.get("gives_way") else WHO,
                entry.get("person", False),
            )
            for phrase in entry.get("doing", ()):
                _of(found, phrase).wish = wish._replace(precedence=DOING)
            for phrase in entry.get("without", ()):
                _of(found, phrase).without = wish
            for phrase in (*entry["words"], *_places(entry, data)):
                _of(found, phrase).wish = wish
                if kind == "emotion" and _TWO_HAN.fullmatch(phrase):
                    _of(found, "".join(character * 2 for character in phrase)).wish = wish


def _places(entry: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    """Each place by itself and with each ending of its own script."""
    for place in entry.get("places", ()):
        yield place
        for ending in data["endings"]:
            if place.isascii() == ending.isascii():
                yield f"{place} {ending}" if place.isascii() else place + ending


def _add_scales(found: dict[str, Meaning]) -> None:
    data = read_data("scales")
    for scale in SCALES:
        for phrase in data[scale]["nouns"]:
            _of(found, phrase).nouns = (scale, *_of(found, phrase).nouns)
        for direction, sign in (("up", 1), ("down", -1)):
            for phrase in data[scale][direction]:
                _of(found, phrase).directions[scale] = sign
        for phrase in data[scale].get("alone", ()):
            _of(found, phrase).alone = scale
        for group in data[scale]["wish"]:
            for phrase in group["words"]:
                whisper, complaint = group.get("whisper", False), group.get("complaint", False)
                _of(found, phrase).wish = ScaleWish(scale, group["value"], whisper, complaint)


def _add_modifiers(found: dict[str, Meaning]) -> None:
    words = read_data("words")
    for degree, phrases in words["degrees"].items():
        for phrase in phrases:
            _of(found, phrase).degree = degree
    for degree, phrases in words["degrees_after"].items():
        for phrase in phrases:
            _of(found, phrase).degree_after = degree
    for direction, sign in (("up", 1), ("down", -1)):
        for phrase in words["directions"][direction]:
            for scale in ("volume", "rate", "pitch"):
                _of(found, phrase).directions.setdefault(scale, sign)
    for attribute, phrases in (
        ("negates", words["negation"]["words"]),
        ("carries", words["negation"]["carries_over"]),
        ("lifts", words["negation"]["lifted"]),
        ("ends", words["negation"]["ends"]),
        ("audience", words["audience"]["before"]),
        ("listens", words["audience"]["after"]),
        ("middle", words["middle"]["words"]),
        ("between", words["audience"]["between"]),
    ):
        for phrase in phrases:
            setattr(_of(found, phrase), attribute, True)


def _of(found: dict[str, Meaning], phrase: str) -> Meaning:
    return found.setdefault(fold(phrase), Meaning())
