"""From a text to the parts that are spoken one after the other, each in one language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from isoline_voice.audio.levels import gain_of
from isoline_voice.engines.embedded.rendering import VOLUME, Rendering
from isoline_voice.engines.embedded.voices import TONGUES
from isoline_voice.engines.embedded.worker import Job
from isoline_voice.text.chinese_numbers import read_numbers
from isoline_voice.text.cleaning import speakable
from isoline_voice.text.english_numbers import read_english
from isoline_voice.text.languages import split_languages
from isoline_voice.text.pinyin import respelled
from isoline_voice.text.sentences import CLOSERS, pieces

PAUSES = {
    "\n": 0.5,
    "…": 0.45,
    "。": 0.32,
    ".": 0.32,
    "！": 0.32,
    "!": 0.32,
    "？": 0.32,
    "?": 0.32,
    "；": 0.25,
    ";": 0.25,
}
CLAUSE_PAUSE, LANGUAGE_PAUSE, CUT_PAUSE = 0.16, 0.03, 0.04

_KANJI = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\u3005]+)")
# Quotes and brackets are not read, and a dash is a pause.
_CHINESE_SILENT = str.maketrans(dict.fromkeys('《》〈〉「」『』“”‘’"【】〔〕·•', "") | dict.fromkeys("（）()—–", "，"))


class Tongues(NamedTuple):
    """Which tongue (a key of TONGUES) reads which kind of text: Han characters, English, and Latin script as a whole if
    that is settled; `home` is for text without letters."""

    han: str = "zh"
    english: str = "en-US"
    latin: str | None = None
    home: str = "zh"

    def of(self, language: str) -> str:
        """The tongue for a run's language."""
        if language == "zh":
            return self.han
        return self.english if language == "en" else language


class Part(NamedTuple):
    """A job, the factor for its level, and the seconds of silence after it."""

    job: Job
    gain: float
    pause: float


def plan(text: str, tongues: Tongues, rendering: Rendering) -> Iterator[Part]:
    """The parts of a cleaned text in order, worked out one sentence at a time."""
    for piece in pieces(text):
        spoken = [(tongue, words) for tongue, words in _runs(piece, tongues) if speakable(words)]
        for index, (tongue, words) in enumerate(spoken):
            pause = _pause_after(piece if index == len(spoken) - 1 else words, last=index == len(spoken) - 1)
            job = Job(
                voice=f"{TONGUES[tongue].identifier}+{rendering.variant}",
                text=words.strip(),
                rate=rendering.words_per_minute(tongue),
                volume=VOLUME,
                pitch=rendering.pitch,
                range=rendering.range,
            )
            yield Part(job, gain_of(rendering.gain_for(tongue)), pause * rendering.pauses / rendering.rate)


def _runs(piece: str, tongues: Tongues) -> Iterator[tuple[str, str]]:
    for run in split_languages(piece, latin=tongues.latin, home=tongues.home):
        tongue = tongues.of(run.language)
        if tongue == "ja":
            # espeak-ng knows kana only and would say "Chinese letter" for every kanji.
            for part in _KANJI.split(run.text):
                yield ("zh" if _KANJI.fullmatch(part) else "ja"), part
        elif run.language == "zh":
            words = read_numbers(run.text).translate(_CHINESE_SILENT)
            yield tongue, respelled(words) if tongue == "zh" else words
        else:
            yield tongue, read_english(run.text) if run.language == "en" else run.text


def _pause_after(text: str, *, last: bool) -> float:
    end = text.rstrip(" " + CLOSERS)[-1:]
    if end in "，,、：:—":
        return CLAUSE_PAUSE
    return PAUSES.get(end, CUT_PAUSE) if last else LANGUAGE_PAUSE
