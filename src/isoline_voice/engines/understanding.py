"""What was asked for and not understood, or asked for twice: the same warnings whatever the engine."""

from __future__ import annotations

from collections.abc import Iterator

from isoline_voice.engines.protocol import SpeechWarning
from isoline_voice.styles.style import Style


def of_understanding(style: Style) -> Iterator[SpeechWarning]:
    """A warning for the phrases that were not understood, and one for each conflict."""
    if style.unknown:
        phrases = ", ".join(f"“{phrase}”" for phrase in style.unknown)
        yield SpeechWarning("style_not_understood", f"Not understood: {phrases}.", f"没有听懂：{phrases}。")
    for conflict in style.conflicts:
        yield SpeechWarning(
            "style_conflict",
            f"Two wishes exclude each other; the later one was followed: {conflict}.",
            f"前后要求不一致，以后者为准：{conflict}。",
        )
