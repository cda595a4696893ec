"""Text as it is said: the numbers, dates, sums and units of each stretch in the words of its own language."""

from __future__ import annotations

from isoline_voice.text.chinese_numbers import read_numbers
from isoline_voice.text.english_numbers import read_english
from isoline_voice.text.languages import split_languages


def spoken_form(text: str) -> str:
    """The text with Chinese and English figures in words; other languages keep theirs, which their voices read."""
    return "".join(
        read_numbers(run.text) if run.language == "zh" else read_english(run.text) if run.language == "en" else run.text
        for run in split_languages(text)
    )
