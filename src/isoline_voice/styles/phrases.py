"""A style as phrases that the parser reads back: what a page shows as chips, one for each wish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache

from isoline_voice.styles.catalog import catalog
from isoline_voice.styles.describe import describe
from isoline_voice.styles.style import Style

SCALES: Mapping[str, tuple[float, ...]] = {
    "volume": (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0),
    "rate": (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0),
    "pitch": (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0),
    "pauses": (-0.6, -0.3, 0.3, 0.6),
}
"""The steps that have words which lead back to them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish: the field of `Style` that it sets ("avoided" for what is not wanted), in English and in Chinese."""

    field: str
    en: str
    zh: str

    def to_json(self) -> dict[str, str]:
        """The three fields."""
        return asdict(self)


def wishes(style: Style) -> tuple[Wish, ...]:
    """What `style` wishes, one by one; joined with commas in one language, they are the style again."""
    return tuple(_wish(field, part) for field, part in _parts(style))


@cache
def choices() -> Mapping[str, tuple[Wish, ...]]:
    """For each field what can be wished, in order."""
    names = catalog()
    whispered = _wish("volume", Style(volume=-0.9, whisper=True))
    return {
        "dialect": tuple(_wish("dialect", Style(dialect=name)) for name in names.dialects),
        "language": tuple(_wish("language", Style(language=name)) for name in names.languages),
        "volume": (whispered, *_steps("volume")),
        "rate": _steps("rate"),
        "pitch": _steps("pitch"),
        "pauses": _steps("pauses"),
        "emotion": tuple(_wish("emotion", Style(emotion=name)) for name in names.emotions),
        "persona": tuple(_wish("persona", Style(persona=name)) for name in names.personas),
    }


def _parts(style: Style) -> Iterator[tuple[str, Style]]:
    if style.dialect is not None:
        yield "dialect", Style(dialect=style.dialect)
    if style.language is not None:
        yield "language", Style(language=style.language)
    if style.volume is not None:
        yield "volume", Style(volume=style.volume, whisper=style.whisper)
    if style.rate is not None:
        yield "rate", Style(rate=style.rate)
    if style.pitch is not None:
        yield "pitch", Style(pitch=style.pitch)
    if style.pauses is not None:
        yield "pauses", Style(pauses=style.pauses)
    if style.emotion is not None:
        yield "emotion", Style(emotion=style.emotion, emotion_strength=style.emotion_strength)
    if style.persona is not None:
        yield "persona", Style(persona=style.persona)
    for name in style.avoided:
        yield "avoided", Style(avoided=(name,))


def _steps(field: str) -> tuple[Wish, ...]:
    make: Callable[..., Style] = Style
    return tuple(_wish(field, make(**{field: value})) for value in SCALES[field])


def _wish(field: str, style: Style) -> Wish:
    return Wish(field, describe(style, "en"), describe(style, "zh"))
