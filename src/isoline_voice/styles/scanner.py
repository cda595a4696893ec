"""Finds the known phrases in a sentence; longer ones win, which tells 快乐 (happy) from 快 (fast)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from math import log2
from operator import itemgetter
from typing import NamedTuple

from isoline_voice.styles.folding import fold
from isoline_voice.styles.lexicon import ANYBODY, Meaning, NameWish, ScaleWish, meanings
from isoline_voice.styles.spelling import Spelling, spelling


class Token(NamedTuple):
    """A stretch of the sentence as it was typed; `meaning` is None for words that are not known."""

    text: str
    meaning: Meaning | None


class Break(NamedTuple):
    """The end of a clause."""


_UNKNOWN = re.compile(r"[a-z0-9][a-z0-9'&]*|\w")
_BREAK = re.compile(r"[,.!?;:()\[\]，。！？；：、\n…—~～]+")
_CHINESE_DIGITS = {character: str(value) for value, character in enumerate("零一二三四五六七八九")} | {"两": "2"}
_FIGURE = r"\d+(?:\.\d+)?|[零一二两三四五六七八九](?:点[零一二三四五六七八九]+)?"
_TO = r"(?:设置?为|设置?成|[调降提升快慢]到|提[高升]到|降低到|放慢到|加快到|为|是|到|of|at|to|=|:|：)"
_SPEED_FACTOR = re.compile(
    rf"(?P<times>{_FIGURE}) ?(?:倍速度?|倍的?语速|倍的?速度?|x speed|times speed| speed|x\b(?! ?\d))"
    rf"|(?P<percent>\d+) ?(?:%|percent) (?:of )?(?:the )?(?:normal )?speed"
    rf"|(?:语速|速度|speed|rate) ?{_TO}? ?(?P<percent_after>\d+) ?%"
    rf"|(?:语速|速度|speed|rate) ?{_TO}? ?(?P<figure>{_FIGURE}) ?(?P<unit>倍速?|x\b|times\b)?"
)
_PERCENT = re.compile(r"\d+(?:\.\d+)? ?(?:%|percent\b)|百分之[零一二三四五六七八九十百\d]+")
_AGE = re.compile(
    r"(?P<years>\d+|[零一二三四五六七八九十两]+|几)[多来]?(?:周岁|岁半|岁)(?:大)?(?!.?生日)"
    r"|(?P<old>\d+) ?(?:years?|yrs?) ?olds?(?:'s)?\b"
)
_A_CHILD_UP_TO = 12
_FIRST_OF_FIGURES = frozenset("语速sr百零一二两三四五六七八九十几")
_COST_OF_UNKNOWN = 4
_LATIN_WORD = re.compile(r"[a-z][a-z']*")


class Scanner:
    """Phrases by their first character and length."""

    def __init__(self, known: dict[str, Meaning], speller: Spelling) -> None:
        self._known = known
        self._speller = speller
        lengths: dict[str, set[int]] = {}
        for phrase in known:
            lengths.setdefault(phrase[:1], set()).add(len(phrase))
        self._lengths = {first: sorted(sizes, reverse=True) for first, sizes in lengths.items()}

    def scan(self, text: str) -> list[Token | Break]:
        """The tokens of a sentence in order; white space and what is no word are left out.

        What is not known is looked up again as a misspelling of what is.
        """
        folded, origin = self._spelled(fold(text))
        tokens = list(self._tokens(text, folded, origin))
        if any(isinstance(token, Token) and token.meaning is None and token.text[0] >= "\u3400" for token in tokens):
            known = self._speller.homophones(folded, *self._unknown_places(folded))
            if known != folded:
                return list(self._tokens(text, known, origin))
        return tokens

    def _spelled(self, folded: str) -> tuple[str, list[int]]:
        """The text with misspelt Latin words put right, and for each place in it the place in the text."""
        parts: list[str] = []
        origin: list[int] = []
        at = 0
        for match in _LATIN_WORD.finditer(folded):
            right = self._speller.word(match.group())
            if right is None:
                continue
            start, end = match.span()
            parts += [folded[at:start], right]
            origin += [*range(at, start), *(min(start + index, end - 1) for index in range(len(right)))]
            at = end
        return "".join([*parts, folded[at:]]), [*origin, *range(at, len(folded) + 1)]

    def _tokens(self, text: str, folded: str, origin: list[int]) -> Iterator[Token | Break]:
        for start, meaning, end in self._cut(folded):
            if isinstance(meaning, Break):
                yield meaning
            elif meaning is not None or _UNKNOWN.match(folded, start):
                known = None if meaning is None or meaning.other else meaning
                yield Token(text[origin[start] : origin[end]], known)

    def _cut(self, folded: str) -> Iterator[tuple[int, Meaning | Break | None, int]]:
        """The phrases in order, cut so that the least is unknown, then so that they are few, then the longest first.

        The longest at each place would read 用上海话 (in Shanghainese) as 用上 (make use of) and something left over.
        """
        ends = [len(folded)] * (len(folded) + 1)
        found: list[Meaning | Break | None] = [None] * (len(folded) + 1)
        costs = [0] * (len(folded) + 1)
        for at in range(len(folded) - 1, -1, -1):
            if at > 0 and _is_latin(folded[at]) and _is_latin(folded[at - 1]):
                continue
            costs[at], ends[at], found[at] = min(
                ((costs[end] + cost, -end, meaning) for meaning, end, cost in self._beginnings(folded, at)),
                key=itemgetter(0, 1),
            )
            ends[at] = -ends[at]
        at = 0
        while at < len(folded):
            yield at, found[at], ends[at]
            at = ends[at]

    def _beginnings(self, folded: str, at: int) -> Iterator[tuple[Meaning | Break | None, int, int]]:
        """What may begin at a place, where it ends, and what it costs."""
        character = folded[at]
        if character.isdigit() or character in _FIRST_OF_FIGURES:
            if (factor := _SPEED_FACTOR.match(folded, at)) and (meaning := _speed(factor)) is not None:
                yield meaning, factor.end(), 0
            elif match := _PERCENT.match(folded, at):
                yield Meaning(filler=True), match.end(), 0
            elif match := _AGE.match(folded, at):
                yield _aged(match["years"] or match["old"]), match.end(), 0
        if match := _BREAK.match(folded, at):
            yield Break(), match.end(), 0
            return
        for length in self._lengths.get(character, ()):
            end = at + length
            phrase = folded[at:end]
            if (meaning := self._known.get(phrase)) is None or len(phrase) < length:
                continue
            if not _is_latin(phrase[-1]) or end >= len(folded) or not _is_latin(folded[end]):
                yield meaning, end, 1
        if match := _UNKNOWN.match(folded, at):
            yield None, match.end(), _COST_OF_UNKNOWN
        else:
            yield None, at + 1, 0 if character == " " else 2  # an emoji that is a phrase costs 1

    def _unknown_places(self, folded: str) -> tuple[set[int], set[int]]:
        """Where unknown characters stand, and where words begin and end."""
        places: set[int] = set()
        ends = {0}
        for start, meaning, end in self._cut(folded):
            if meaning is None:
                places.update(range(start, end))
            ends.add(end)
        return places, ends


@cache
def scanner() -> Scanner:
    """The scanner over the data files, built once."""
    return Scanner(meanings(), spelling())


def _aged(years: str) -> Meaning:
    """A child, or an age that says nothing: whether a grandmother or a grandfather, another word tells."""
    young = int(years) <= _A_CHILD_UP_TO if years.isdecimal() else len(years) == 1 or years in ("十一", "十二")
    child = NameWish("persona", "child", precedence=ANYBODY, person=True)
    return Meaning(wish=child if young else None, between=True, filler=True)


def _is_latin(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "'")


def _speed(match: re.Match[str]) -> Meaning | None:
    figure = match["times"] or match["figure"]
    percent = match["percent"] or match["percent_after"]
    if match["figure"] and not match["unit"] and not re.search("[.点]", figure):
        return None  # 语速一 and "speed 2" are rather the beginning of something else
    if percent:
        factor = int(percent) / 100
    else:
        factor = float("".join(_CHINESE_DIGITS.get(character, character) for character in figure.replace("点", ".")))
    if not 0.1 <= factor <= 10:
        return None
    return Meaning(wish=ScaleWish("rate", round(max(-1.0, min(1.0, log2(factor))), 3)))
