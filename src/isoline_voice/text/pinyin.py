"""Which of its readings a Chinese character has where it stands, written so that any engine reads it that way.

pypinyin knows the reading by the phrase (银行 yínháng, 行走 xíngzǒu); an engine that knows single characters only is
given another common character that has just this reading. The same makes pinyin marks ([j][ǐ]) readable for it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from pypinyin import Style, lazy_pinyin, pinyin

from isoline_voice.text.tags import pinyin_syllables

_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_TONES = {"1": "āēīōūǖ", "2": "áéíóúǘ", "3": "ǎěǐǒǔǚ", "4": "àèìòùǜ"}
_PLAIN = {
    letter: (plain, tone) for tone, letters in _TONES.items() for letter, plain in zip(letters, "aeiouv", strict=True)
}


def respelled(text: str) -> str:
    """Chinese text in which every character that is read otherwise than by itself is another one of that reading."""
    return _HAN_RUN.sub(lambda run: _respelled(run.group()), text)


def with_characters(text: str) -> str:
    """Text with pinyin marks replaced by characters that are read so; an unreadable one is left out."""
    parts: list[str] = []
    at = 0
    for start, end, syllable in pinyin_syllables(text):
        parts += [text[at:start], characters().get(_numbered(syllable), "")]
        at = end
    return "".join([*parts, text[at:]])


@cache
def characters() -> dict[str, str]:
    """A common character for each syllable (hang2), of those that have one reading only."""
    found: dict[str, str] = {}
    for row in range(0xB0, 0xD8):  # the first level of GB 2312: the 3755 commonest characters
        for cell in range(0xA1, 0xFF):
            character = bytes((row, cell)).decode("gb2312", errors="ignore")
            readings = pinyin(character, style=Style.TONE3, heteronym=True)[0] if character else []
            if len(readings) == 1:
                found.setdefault(readings[0], character)
    return found


def _respelled(run: str) -> str:
    readings = lazy_pinyin(run, style=Style.TONE3)
    if len(readings) != len(run):
        return run
    return "".join(
        character if reading == _alone(character) or not reading[-1].isdigit() else characters().get(reading, character)
        for character, reading in zip(run, readings, strict=True)
    )


@lru_cache(maxsize=8192)
def _alone(character: str) -> str:
    return lazy_pinyin(character, style=Style.TONE3)[0]


def _numbered(syllable: str) -> str:
    """jǐ as ji3, the way pypinyin writes it."""
    tone = "".join(_PLAIN[letter][1] for letter in syllable if letter in _PLAIN)
    return "".join(_PLAIN[letter][0] if letter in _PLAIN else letter for letter in syllable).replace("ü", "v") + tone
