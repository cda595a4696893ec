"""From a sentence to a style."""

from __future__ import annotations

from isoline_voice.styles.style import Style


def parse_style(text: str) -> Style:
    """What `text`, Chinese or English or both, asks for; raises nothing, an empty text gives an empty style."""
    return Style(unknown=(text,) if text.strip() else ())
