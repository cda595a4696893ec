"""From a sentence to a style, by the words in it; no model, and the same answer every time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from isoline_voice.styles.lexicon import Meaning, NameWish, Scale, ScaleWish
from isoline_voice.styles.scanner import Token, scanner
from isoline_voice.styles.style import Style
from isoline_voice.styles.wishes import Strength, Wishes

LONGEST = 4_000
"""Characters of a sentence that are read; nobody says how to speak in more."""

_LINKS = frozenset("的地得着很了")
_JOINING = frozenset(("和", "与", "跟", "及", "以及", "还有", "and", "&"))
_LIKE = frozenset(("as", "像", "像是", "如", "似", "跟", "好像", "如同"))
_ARTICLES = frozenset(("a", "an", "the", "一个", "一只", "一头", "个", "只"))
_ADVERBS = frozenset(("都", "也", "还", "已经", "刚", "刚刚", "正", "正在", "在", "能", "可以", "会", "们"))
_VOICES = ("voice", "tone", "style", "声", "语气", "口吻", "腔", "音")
DIRECTION_VALUE = 0.6


def parse_style(text: str) -> Style:
    """What `text`, Chinese or English or both, asks for.

    Raises nothing; an empty text gives an empty style. What was not understood is in `unknown`, in the user's words.
    """
    wishes = Wishes()
    unknown: list[str] = []
    clause: list[Token] = []
    for token in [*scanner().scan(text[:LONGEST]), None]:
        if isinstance(token, Token):
            clause.append(token)
        elif clause:
            understood = _Clause(clause, wishes).read()
            unknown += _unknown_phrases(clause, understood=understood)
            clause = []
    return wishes.style(unknown=tuple(dict.fromkeys(unknown)))


class _Clause:
    """The reading of one clause: what is pending while its tokens are gone through from left to right."""

    def __init__(self, tokens: Sequence[Token], wishes: Wishes) -> None:
        self._tokens = tokens
        self._wishes = wishes
        self._nouns: tuple[Scale, ...] = ()
        self._also: tuple[Scale, ...] = ()
        """Scales that are named together with `_nouns`."""
        self._strength = Strength()
        self._negated = False
        self._was_negated = False
        self._open: tuple[ScaleWish | NameWish, str, bool] | None = None
        """The last wish, which a degree after it may still change."""
        self._last: ScaleWish | NameWish | None = None
        self._wished = False

    def read(self) -> bool:
        """Take the clause's wishes; returns whether there was one."""
        for index, token in enumerate(self._tokens):
            meaning = token.meaning
            if meaning is None:
                self._close()
                continue
            wish = self._direction(index) or meaning.wish
            if wish is not None and self._is_audience(wish, index):
                self._close()
            elif wish is not None:
                self._wish(wish, token.text)
            elif meaning.degree_after is not None and self._open is not None:
                self._strength = self._strength.and_then(meaning.degree_after)
                self._close()
            elif meaning.nouns:
                self._close()
                joined = index > 1 and self._tokens[index - 1].text.lower() in _JOINING
                self._also = (*self._also, *self._nouns[:1]) if joined else ()
                self._nouns = meaning.nouns
            elif meaning.without is not None and self._negated and not self._wish_follows(token):
                self._negated = False
                self._wish(meaning.without, token.text)
            else:
                self._read_modifier(token)
        self._close(at_end=True)
        return self._wished

    def _is_audience(self, wish: ScaleWish | NameWish, index: int) -> bool:
        """Whether a person is who is spoken to ("for my grandma", 给奶奶听) and not who speaks."""
        if not isinstance(wish, NameWish) or not wish.person or self._noun_follows(index):
            return False
        after = [token for token in self._tokens[index + 1 : index + 3] if token.text not in _ADVERBS]
        if after and after[0].meaning is not None and after[0].meaning.listens:
            return True
        for token in reversed(self._tokens[:index]):
            if token.meaning is None or not (token.meaning.between or token.meaning.audience):
                return False
            if token.meaning.audience:
                return True
        return False

    def _noun_follows(self, index: int) -> bool:
        return any(token.text.lower().startswith(_VOICES) for token in self._tokens[index + 1 : index + 3])

    def _read_modifier(self, token: Token) -> None:
        meaning = token.meaning
        assert meaning is not None
        if meaning.carries and self._was_negated:
            self._close()
            self._negated = True
        elif meaning.ends:
            self._close()
            self._negated = self._was_negated = False
        elif meaning.negates:
            self._close()
            self._negated = True
            if meaning.degree is not None:
                self._strength = self._strength.and_then(meaning.degree)
        elif meaning.lifts and self._open is not None:
            wish, text, _ = self._open
            self._open = (wish, text, False)
        elif meaning.degree is not None:
            if self._open is None or not token.text.isascii() or self._wish_follows(token):
                self._close()
            # "Not so loud" is "not too loud".
            excessive = self._negated and meaning.degree == "strong"
            self._strength = self._strength.and_then("too_much" if excessive else meaning.degree)
        elif token.text not in _LINKS:
            self._close()

    def _wish_follows(self, token: Token) -> bool:
        at = next(index for index, other in enumerate(self._tokens) if other is token)
        return any(
            other.meaning is not None and (other.meaning.wish or other.meaning.directions)
            for other in self._tokens[at + 1 :]
        )

    def _wish(self, wish: ScaleWish | NameWish, text: str) -> None:
        self._close()
        if self._was_negated and self._last is not None and _says_the_same(self._last, wish):
            self._negated = True  # 别扯着嗓子喊
        self._open = (wish, text, self._negated)
        self._last, self._wished = wish, True
        self._was_negated, self._negated = self._negated, False

    def _close(self, *, at_end: bool = False) -> None:
        """Record the open wish with what was said of its strength."""
        if self._open is not None:
            wish, text, negated = self._open
            self._wishes.add(wish, text, strength=self._strength, negated=negated)
            if isinstance(wish, ScaleWish) and wish.scale in self._nouns:
                for scale in self._also:  # 音量和语速都正常
                    self._wishes.add(wish._replace(scale=scale), text, strength=self._strength, negated=negated)
            self._open, self._strength = None, Strength()
        elif at_end:
            self._strength = Strength()

    def _direction(self, index: int) -> ScaleWish | None:
        """An adjective like 大 or low, by the scale that is named before it or after it in the clause."""
        meaning = self._tokens[index].meaning
        if meaning is not None and meaning.middle and (middle := self._middle(index)) is not None:
            return middle
        if meaning is None or not meaning.directions:
            return None
        nouns = list(self._nouns)
        if meaning.wish is None or not nouns:
            named = (token.meaning.nouns for token in self._tokens[index + 1 :] if token.meaning)
            nouns += next(filter(None, named), ())
        if not nouns and meaning.wish is None and meaning.alone is not None and self._is_degreed(index):
            nouns = [meaning.alone]
        for noun in nouns:
            for scale, sign in meaning.directions.items():
                if scale == noun:
                    return ScaleWish(scale, sign * DIRECTION_VALUE)
        return None

    def _middle(self, index: int) -> ScaleWish | None:
        """正常 or "medium" with the name of a scale beside it."""
        after = [token for token in self._tokens[index + 1 : index + 3] if token.text not in _LINKS][:1]
        for token in (*after, *reversed(self._tokens[max(0, index - 2) : index])):
            if token.meaning is not None and token.meaning.nouns and token.meaning.nouns != ("pauses",):
                return ScaleWish(token.meaning.nouns[0], 0.0)
        return None

    def _is_degreed(self, index: int) -> bool:
        """Whether a word of degree makes a wish of it: 大一点 and 再大 are wishes, 大 may be anything."""
        before, after = self._tokens[max(0, index - 1) : index], self._tokens[index + 1 :]
        if after:
            return after[0].meaning is not None and after[0].meaning.degree_after is not None
        return any(token.meaning is not None and token.meaning.degree is not None for token in before)


def _says_the_same(wish: ScaleWish | NameWish, other: ScaleWish | NameWish) -> bool:
    if isinstance(wish, ScaleWish) and isinstance(other, ScaleWish):
        return wish.scale == other.scale and wish.value * other.value > 0
    return isinstance(wish, NameWish) and isinstance(other, NameWish) and wish.name == other.name


def _illustrates(clause: Sequence[Token], index: int) -> bool:
    """Whether a word only says what something is like that has been said: quick as a flash, 慢得像树懒."""
    before = clause[:index]
    while before and (before[-1].meaning is None or before[-1].text.lower() in _ARTICLES):
        before = before[:-1]
    if len(before) < 2 or before[-1].text.lower() not in _LIKE:
        return False
    said = before[-3] if before[-2].text == "得" and len(before) > 2 else before[-2]
    if before[-1].text.lower() != "as" and said is before[-2]:
        return False
    return said.meaning is not None and bool(said.meaning.wish or said.meaning.directions)


def _only_directs(meaning: Meaning) -> bool:
    return bool(meaning.directions) and meaning.wish is None


def _unknown_phrases(clause: Sequence[Token], *, understood: bool) -> list[str]:
    """Runs of words that mean nothing here, with the little words between them but not around them.

    A single Chinese character beside a wish is no word of its own, and not worth a complaint.
    """
    phrases: list[list[str]] = [[]]
    between: list[str] = []
    for index, token in enumerate(clause):
        if token.meaning is None and _illustrates(clause, index):
            continue
        if token.meaning is None:
            phrases[-1] += [*between, token.text] if phrases[-1] else [token.text]
            between = []
        elif phrases[-1] and len(phrases[-1][-1]) == len(token.text) == 1 and _only_directs(token.meaning):
            phrases[-1][-1] += token.text  # 混响 is no more 混 than it is 响
        elif token.meaning.filler and token.meaning.wish is None:
            between.append(token.text)
        else:
            if phrases[-1]:
                phrases.append([])
            between = []
    found = [_joined(words) for words in phrases if words]
    return [phrase for phrase in found if not (understood and len(phrase) == 1 and not phrase.isascii())]


def _joined(words: Sequence[str]) -> str:
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", " ".join(words))
