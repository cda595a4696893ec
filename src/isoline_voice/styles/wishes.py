"""Collects the wishes of a sentence: how strong each is, what "not" makes of it, and which one wins."""

from __future__ import annotations

from dataclasses import dataclass

from isoline_voice.styles.lexicon import Degree, Name, NameWish, Scale, ScaleWish
from isoline_voice.styles.style import Style

FACTORS: dict[Degree, float] = {"slight": 0.5, "plain": 1.0, "strong": 1.5}
MILD = 0.3
"""How far "not too fast" goes towards slow."""

_RANK: tuple[Degree, ...] = ("plain", "slight", "strong", "too_much", "most")


_ACCENTS = ("口音", "腔", "味", "味儿", "accent")


@dataclass(frozen=True, slots=True)
class Strength:
    """What the words of degree around a wish say together."""

    degree: Degree | None = None

    def and_then(self, degree: Degree) -> Strength:
        """With another word of degree; the more telling one counts."""
        if self.degree is None or _RANK.index(degree) > _RANK.index(self.degree):
            return Strength(degree)
        return self

    @property
    def excessive(self) -> bool:
        """Too much of it."""
        return self.degree == "too_much"

    def of(self, value: float) -> float:
        """A value of -1 to 1 at this strength."""
        if self.degree == "most":
            return 1.0 if value > 0 else -1.0 if value < 0 else 0.0
        if self.degree is None or self.excessive:
            return value
        return round(max(-1.0, min(1.0, value * FACTORS[self.degree])), 3)


@dataclass(slots=True)
class _Chosen:
    """What holds for one scale or kind so far, and the words that asked for it; `firm` unless it is only implied."""

    value: float | str
    words: str
    firm: bool
    strength: float | None = None
    precedence: int = 0
    whisper: bool = False


class Wishes:
    """The wishes so far. Of two that exclude each other the later one wins, and the conflict is kept."""

    def __init__(self) -> None:
        self._chosen: dict[str, _Chosen] = {}
        self._conflicts: list[str] = []
        self._avoided: list[str] = []

    def add(self, wish: ScaleWish | NameWish, words: str, *, strength: Strength, negated: bool) -> None:
        """Take a wish, in the user's `words`."""
        if isinstance(wish, ScaleWish):
            if wish.complaint and not {"volume", "rate"}.isdisjoint(self._chosen):
                return
            if negated or (strength.excessive and wish.value):
                self._avoid(wish, words)
            else:
                self._set_scale(wish, strength.of(wish.value), words)
        elif negated or (strength.excessive and words.isascii()):  # 太高兴了 is no complaint, "too happy" is
            self._avoid_name(wish, words, excessive=strength.excessive)
        else:
            self._set_name(wish, words, strength)

    def style(self, *, unknown: tuple[str, ...]) -> Style:
        """All wishes as a Style."""
        emotion, volume = self._chosen.get("emotion"), self._chosen.get("volume")
        return Style(
            dialect=self._name("dialect"),
            language=self._name("language"),
            volume=self._value("volume"),
            rate=self._value("rate"),
            pitch=self._value("pitch"),
            emotion=self._name("emotion"),
            emotion_strength=None if emotion is None else emotion.strength,
            persona=self._name("persona"),
            pauses=self._value("pauses"),
            whisper=volume is not None and volume.whisper,
            avoided=tuple(dict.fromkeys(self._avoided)),
            unknown=unknown,
            conflicts=tuple(self._conflicts),
        )

    def _set_scale(self, wish: ScaleWish, value: float, words: str) -> None:
        before = self._chosen.get(wish.scale)
        whisper = wish.whisper
        if before is not None and before.firm and isinstance(before.value, float):
            if before.value * value > 0:
                value = max(before.value, value, key=abs)
                whisper = whisper or before.whisper
            elif before.value != value:
                self._conflicts.append(f"{before.words} → {words}")
        self._chosen[wish.scale] = _Chosen(float(value), words, firm=True, whisper=whisper)

    def _avoid(self, wish: ScaleWish, words: str) -> None:
        """Not fast: somewhat slow, unless something was asked for; fast but not too fast: somewhat fast."""
        away = -MILD if wish.value > 0 else MILD
        before = self._chosen.get(wish.scale)
        if before is None:
            self._chosen[wish.scale] = _Chosen(away, words, firm=False)
        elif isinstance(before.value, float) and before.value * away < 0:
            kept = min(abs(before.value), MILD) * (1 if before.value > 0 else -1) if before.firm else 0.0
            self._chosen[wish.scale] = _Chosen(kept, before.words, before.firm)

    def _set_name(self, wish: NameWish, words: str, strength: Strength) -> None:
        before = self._chosen.get(wish.kind)
        degree: float | None = None
        if wish.kind == "emotion" and wish.name != "neutral":
            degree = 1.0 if strength.excessive else strength.of(wish.strength)
        if before is not None and before.firm and before.value != wish.name:
            if wish.precedence < before.precedence or _is_said_closer(before, wish):
                return
            if wish.precedence == before.precedence and not wish.name.startswith(f"{before.value}-"):
                self._conflicts.append(f"{before.words} → {words}")
        elif before is not None and before.value == wish.name and degree is not None:
            degree = max(degree, before.strength or 0.0)
        self._chosen[wish.kind] = _Chosen(wish.name, words, firm=True, strength=degree, precedence=wish.precedence)

    def _avoid_name(self, wish: NameWish, words: str, *, excessive: bool) -> None:
        """Not sad: whatever else was asked for stays. "Not too excited" is rather calm."""
        before = self._chosen.get(wish.kind)
        if before is not None and before.value == wish.name:
            if wish.kind == "emotion" and before.firm:
                before.strength = min(before.strength or MILD, MILD)
            else:
                del self._chosen[wish.kind]
        elif before is None and excessive and wish.opposite is not None:
            self._chosen["emotion"] = _Chosen(wish.opposite, words, firm=False, strength=MILD)
        else:
            self._avoided.append(wish.name)

    def _name(self, kind: Name) -> str | None:
        chosen = self._chosen.get(kind)
        return chosen.value if chosen is not None and isinstance(chosen.value, str) else None

    def _value(self, scale: Scale) -> float | None:
        chosen = self._chosen.get(scale)
        return chosen.value if chosen is not None and isinstance(chosen.value, float) else None


def _is_said_closer(before: _Chosen, wish: NameWish) -> bool:
    """English with an American accent, and Mandarin with a Sichuanese one, are named by the accent."""
    if wish.kind == "dialect":
        return wish.name == "普通话" and before.words.endswith(_ACCENTS)
    return wish.kind == "language" and str(before.value).startswith(f"{wish.name}-")
