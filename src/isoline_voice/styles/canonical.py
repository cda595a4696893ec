"""A style in the eight plain fields that programs compare: what `isoline-voice style --json` prints."""

from __future__ import annotations

from isoline_voice.styles.style import Style

SCALE_WORDS: dict[str, tuple[str, str, str]] = {
    "volume": ("soft", "normal", "loud"),
    "rate": ("slow", "normal", "fast"),
    "pitch": ("low", "normal", "high"),
}
"""What a value below zero, of zero and above zero is called."""


def canonical(style: Style) -> dict[str, str | list[str] | None]:
    """dialect, language, volume, rate, pitch, emotion, persona and unknown; None or [] for what was not said.

    How much of it (a bit louder, as loud as possible) is in `Style.to_json`.
    """
    return {
        "dialect": style.dialect,
        "language": style.language,
        "volume": _word("volume", style.volume),
        "rate": _word("rate", style.rate),
        "pitch": _word("pitch", style.pitch),
        "emotion": style.emotion,
        "persona": style.persona,
        "unknown": list(style.unknown),
    }


def _word(scale: str, value: float | None) -> str | None:
    if value is None:
        return None
    low, normal, high = SCALE_WORDS[scale]
    return normal if value == 0 else high if value > 0 else low
