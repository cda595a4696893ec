"""Splits text into sentences, and sentences into pieces short enough to speak in one go.

Chinese and Western rules side by side, since one text often holds both. A full stop ends a sentence only where a
reader would stop: not in 3.14, not after Dr. or e.g., not within an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st jr sr vs etc no nos vol fig figs pp ca approx dept est inc ltd co corp gen col capt lt sgt
    rev hon gov pres sen rep ave blvd mt ft e.g i.e a.m p.m u.s u.k u.n ph.d cf al jan feb mar apr jun jul aug sep
    sept oct nov dec
    mon tue wed thu fri sat sun z.b d.h bzw usw nr hr fr str m mme mlle sra srta ud uds sig dott""".split()  # noqa: SIM905
)
ENDS = "。！？!?…；;｡"
CLOSERS = "”’」』）》】〕)\"'］]"
CLAUSE_ENDS = "，,、：:；;—–"

_END = re.compile(rf"(?:[{ENDS}.]+[{re.escape(CLOSERS)}]*|\n+)")
_WORD_BEFORE = re.compile(r"[^\W\d_](?:[\w.]*[^\W\d_])?$")
_NUMBERED_ITEM = re.compile(r"(?:^|\n)\s*\d{1,3}$")
_CLAUSE = re.compile(rf"[{CLAUSE_ENDS}]+[{re.escape(CLOSERS)}]*\s*")

PIECE_WEIGHT = 90.0
FIRST_PIECE_WEIGHT = 24.0
WIDE_WEIGHT = 1.0
NARROW_WEIGHT = 0.35


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text in order, each with its punctuation and its trailing newline if one ended it.

    Lazy, so that a long text costs nothing before it is spoken. Nothing but white space is lost.
    """
    start = 0
    for match in _END.finditer(text):
        if match.end() > start and _ends_sentence(text, start, match):
            sentence = text[start : match.end()]
            if sentence.strip():
                yield sentence.lstrip()
            start = match.end()
    if text[start:].strip():
        yield text[start:].strip()


def pieces(text: str) -> Iterator[str]:
    """Sentences cut to at most PIECE_WEIGHT, the first to about FIRST_PIECE_WEIGHT where a clause ends there.

    Weight is about the number of Chinese characters that would take as long to say.
    """
    limit = FIRST_PIECE_WEIGHT
    for sentence in sentences(text):
        start = 0
        while start < len(sentence):
            # No piece is longer than this window, so a text without any punctuation is still cut in linear time.
            window = sentence[start : start + int(PIECE_WEIGHT / NARROW_WEIGHT) + 2]
            at = _cut(window, limit) if limit < PIECE_WEIGHT else None
            at = at or _cut(window, PIECE_WEIGHT, hard=True) or len(window)
            limit = PIECE_WEIGHT
            if window[:at].strip():
                yield window[:at]
            start += at


def weight(text: str) -> float:
    """How long it takes to say, in Chinese characters, roughly."""
    return sum(WIDE_WEIGHT if character >= "\u2e80" else NARROW_WEIGHT for character in text)


def clauses(text: str) -> Iterator[str]:
    """A text cut after each comma and its like; nothing is lost."""
    start = 0
    for match in _CLAUSE.finditer(text):
        if not _within_number(text, match):
            yield text[start : match.end()]
            start = match.end()
    if text[start:].strip():
        yield text[start:]


Granularity = Literal["sentence", "clause", "none"]


class SentenceBuffer:
    """Collects text that arrives in scraps and gives out whole sentences; or clauses; or all of it at the end.

    The last sentence stays until the next scrap shows that it has ended (a full stop may be a decimal point), or until
    `finish`. A stretch without punctuation is given out in pieces.
    """

    def __init__(self, granularity: Granularity = "sentence") -> None:
        self._granularity = granularity
        self._held = ""

    def feed(self, scrap: str) -> list[str]:
        """What this scrap completes."""
        self._held += scrap
        match self._granularity:
            case "none":
                return []
            case "clause":
                whole = [clause for sentence in self._whole_sentences() for clause in clauses(sentence)]
                return [*whole, *self._whole_clauses()]
            case _:
                return self._whole_sentences()

    def finish(self) -> list[str]:
        """What is left."""
        rest, self._held = self._held, ""
        match self._granularity:
            case "none":
                return [rest] if rest.strip() else []
            case "clause":
                return [clause for sentence in sentences(rest) for clause in clauses(sentence)]
            case _:
                return list(sentences(rest))

    def _whole_sentences(self) -> list[str]:
        whole = list(sentences(self._held))
        if not whole:
            return []
        last = whole[-1]
        if last.rstrip(CLOSERS)[-1:] in "。！？\n" and self._held.endswith(last):
            self._held = ""
            return whole
        if weight(last) > 2 * PIECE_WEIGHT:
            *parts, self._held = pieces(last)
            return [*whole[:-1], *parts]
        self._held = self._held[self._held.rindex(last) :]
        return whole[:-1]

    def _whole_clauses(self) -> list[str]:
        """Those at the beginning of what is held; the mark at its very end may be one within a number."""
        *whole, held = list(clauses(self._held)) or [""]
        if not whole:
            return []
        self._held = held
        return whole


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    mark = match.group()
    if "\n" in mark or any(character in "。！？…；｡" for character in mark):
        return True
    following = text[match.end() : match.end() + 1]
    if mark[0] in "!?;":
        return not following or not following.isalnum() or following >= "\u2e80"
    if following and not following.isspace() and following < "\u2e80":
        return False
    if mark.startswith(".") and not mark.startswith(".."):
        return not _is_abbreviation(text, start, match)
    return not _next_letter(text, match.end()).islower()


def _is_abbreviation(text: str, start: int, match: re.Match[str]) -> bool:
    before = text[max(start, match.start() - 20) : match.start()]
    if _NUMBERED_ITEM.search(text[max(0, match.start() - 6) : match.start()]):
        return bool(text[match.end() : match.end() + 40].strip())
    word = _WORD_BEFORE.search(before)
    if word is None or not text[match.end() : match.end() + 40].strip():
        return False
    name = word.group().lower()
    if name in ABBREVIATIONS or (len(name) == 1 and name.isalpha() and name < "\u2e80"):
        return True
    return _next_letter(text, match.end()).islower()


def _next_letter(text: str, at: int) -> str:
    return text[at : at + 20].lstrip()[:1]


def _cut(text: str, limit: float, *, hard: bool = False) -> int | None:
    """Where to cut so that the head weighs at most `limit`, or None if all of it does.

    After a clause if one ends there; with `hard` else after a word, else anywhere.
    """
    spent, reach = 0.0, 0
    for reach, character in enumerate(text):  # noqa: B007
        spent += WIDE_WEIGHT if character >= "\u2e80" else NARROW_WEIGHT
        if spent > limit:
            break
    else:
        return None
    clauses = [match.end() for match in _CLAUSE.finditer(text[:reach]) if not _within_number(text, match)]
    if clauses or not hard:
        return clauses[-1] if clauses else None
    space = text.rfind(" ", 0, reach)
    if space > reach // 3:
        return space + 1
    digits = reach
    while digits > reach // 2 and text[digits - 1].isdigit() and text[digits].isdigit():
        digits -= 1
    return digits if digits > reach // 2 else reach


def _within_number(text: str, match: re.Match[str]) -> bool:
    return text[match.start() - 1 : match.start()].isdigit() and text[match.end() : match.end() + 1].isdigit()
