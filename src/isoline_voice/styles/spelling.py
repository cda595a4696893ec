"""Misspelt wishes: a letter too many, missing, wrong or swapped in Latin words; a homophone in Chinese ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from isoline_voice.styles.derivation import derived
from isoline_voice.styles.lexicon import Meaning, ScaleWish, meanings

SHORTEST_WORD = 4
TWO_MISTAKES_FROM = 9
"""Letters from which two mistakes may be made; shorter words with two are too often other words."""
LONGEST_PHRASE = 5
LONGEST_TEXT = 200
"""Characters up to which homophones are looked for; nobody mistypes in an essay about how to speak."""

_LATIN = re.compile(r"[a-z][a-z']*")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")  # sloooow
_DOUBLED = re.compile(r"(.)\1")  # storry is rather story than sorry
_HAN = re.compile("[\u4e00-\u9fff]+")
# A step between a word of degree and a single character: 曼一点 is 慢一点, while 曼 alone is a name.
_AFTER_ONE = ("一点", "点", "一些", "些")
# What speakers of southern dialects, and their input methods, do not tell apart.
_SAME_SOUNDS = (
    (re.compile("^(z|c|s)h"), r"\1"),
    (re.compile("(?<=[aei]n)g$"), ""),
)


class Spelling:
    """Finds what somebody meant, among phrases that are known."""

    def __init__(self, known: dict[str, Meaning]) -> None:
        self._known = known
        self._words = {word for phrase in known for word in _LATIN.findall(phrase)}
        self._near: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if len(word) >= SHORTEST_WORD:
                for variant in {word, *_shortened(word, 2 if len(word) >= TWO_MISTAKES_FROM else 1)}:
                    self._near.setdefault(variant, []).append(word)

    def word(self, written: str) -> str | None:
        """The known word that a Latin word is a misspelling of; None if it is known, or like none."""
        if written in self._words or len(written) < SHORTEST_WORD:
            return None
        for kept in (r"\1", r"\1\1"):
            shorter = _DRAWN_OUT.sub(kept, written)
            if shorter != written and shorter in self._words:
                return shorter
        return self._made_of_a_wish(written) or self._corrected(written)

    def _made_of_a_wish(self, written: str) -> str | None:
        for words in derived(written):
            meaning = self._known.get(words.rpartition(" ")[2])
            if meaning is not None and meaning.wish is not None and not meaning.filler:
                return words
        return None

    @lru_cache(maxsize=1024)  # noqa: B019 (there is one Spelling, which lives as long as the program)
    def _corrected(self, written: str) -> str | None:
        allowed = 2 if len(written) >= TWO_MISTAKES_FROM else 1
        candidates = {
            word
            for variant in {written, *_shortened(written, allowed)}
            for word in self._near.get(variant, ())
            if word[0] == written[0] and abs(len(word) - len(written)) <= allowed
        }
        if len(written) == SHORTEST_WORD:
            # Half of all words of four letters are one letter away from another word.
            candidates = {word for word in candidates if sorted(word) == sorted(written) or len(word) > len(written)}
        squeezed = _DOUBLED.sub(r"\1", written)
        found = min(
            (
                (
                    _distance(written, word),
                    _DOUBLED.sub(r"\1", word) != squeezed,
                    self._rarity(word),
                    word,
                )
                for word in candidates
            ),
            default=(allowed + 1, False, 0, ""),
        )
        return found[3] if found[0] <= allowed else None

    def _rarity(self, word: str) -> int:
        """Loudness, speed and pitch are wished most often; a word that is only a part of a phrase least."""
        wish = self._known[word].wish if word in self._known else None
        return 0 if isinstance(wish, ScaleWish) else 1 if wish is not None else 2

    def homophones(self, text: str, unknown: set[int], ends: set[int]) -> str:
        """The text with phrases of which some characters are `unknown` replaced by known ones that sound the same.

        `ends` holds the places at which words begin and end, so that none is torn apart.
        """
        if len(text) > LONGEST_TEXT:
            return text
        at = 0
        while at < len(text):
            for size in range(LONGEST_PHRASE, 1, -1):
                window = text[at : at + size]
                if len(window) < size or not {at, at + size} <= ends or not _HAN.fullmatch(window):
                    continue
                if unknown.isdisjoint(range(at, at + size)):
                    continue
                if (phrase := self._sounding_like(window)) is not None:
                    text = text[:at] + phrase + text[at + size :]
                    at += size - 1
                    break
            at += 1
        return text

    def _sounding_like(self, window: str) -> str | None:
        """The phrase that has most characters in common: with none it is another word, and sounds alike by chance."""
        same, similar = self._by_sound()
        for phrases in (same.get(_sound(window), ()), similar.get(_blurred(window), ())):
            found = max(phrases, key=lambda phrase: _in_common(phrase, window), default=None)
            if found is not None and _in_common(found, window):
                return found
        return None

    @cache  # noqa: B019
    def _by_sound(self) -> tuple[dict[tuple[str, ...], list[str]], dict[tuple[str, ...], list[str]]]:
        same: dict[tuple[str, ...], list[str]] = {}
        similar: dict[tuple[str, ...], list[str]] = {}
        for phrase in _worth_finding(self._known):
            same.setdefault(_sound(phrase), []).append(phrase)
            similar.setdefault(_blurred(phrase), []).append(phrase)
        return same, similar


@cache
def spelling() -> Spelling:
    """Of the data files."""
    return Spelling(meanings())


def _worth_finding(known: dict[str, Meaning]) -> Iterator[str]:
    for phrase, meaning in known.items():
        if not meaning.wishes or len(phrase) > LONGEST_PHRASE or not _HAN.fullmatch(phrase):
            continue
        if len(phrase) > 1 and phrase[-1] not in "的地得":
            yield phrase
        elif isinstance(meaning.wish, ScaleWish) or meaning.directions:
            yield from (phrase + after for after in _AFTER_ONE)


def _in_common(phrase: str, other: str) -> int:
    return sum(map(str.__eq__, phrase, other))


def _sound(phrase: str) -> tuple[str, ...]:
    return tuple(map(_reading, phrase))


@lru_cache(maxsize=4096)
def _reading(character: str) -> str:
    # It reads a dictionary of megabytes, which most sentences never need.
    from pypinyin import lazy_pinyin

    return lazy_pinyin(character)[0]


def _blurred(phrase: str) -> tuple[str, ...]:
    """The sounds without what many speakers do not tell apart."""
    return tuple(_syllable(sound) for sound in _sound(phrase))


def _syllable(sound: str) -> str:
    for pattern, same in _SAME_SOUNDS:
        sound = pattern.sub(same, sound)
    return sound


def _shortened(word: str, times: int) -> set[str]:
    """The word with one letter left out, or up to two."""
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    return once if times == 1 else once.union(*(_shortened(shorter, times - 1) for shorter in once))


def _distance(written: str, word: str) -> int:
    """Letters to insert, leave out, change or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(written, 1):
        above, row = row, [i]
        for j, other in enumerate(word, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and written[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
