"""When each sentence and word is heard, as data and as SRT and WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, get_args

from isoline_voice.text.cleaning import clean
from isoline_voice.text.sentences import weight

SubtitleFormat = Literal["srt", "vtt"]
SUBTITLE_FORMATS: tuple[SubtitleFormat, ...] = get_args(SubtitleFormat)
MEDIA_TYPES: dict[SubtitleFormat, str] = {"srt": "application/x-subrip", "vtt": "text/vtt"}

_HEADERS: dict[SubtitleFormat, str] = {"srt": "", "vtt": "WEBVTT\n\n"}

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’-][^\W]+)*")


class Cue(NamedTuple):
    """A text and its `start` and `end` in seconds."""

    text: str
    start: float
    end: float

    def to_json(self) -> dict[str, Any]:
        """The three fields, times to the millisecond."""
        return {"text": self.text, "start": round(self.start, 3), "end": round(self.end, 3)}


def words_of(sentence: Cue) -> list[Cue]:
    """The words of a sentence, a Chinese character being one, with times shared out by how long they take to say.

    The sentence's own times are measured; those of its words are this estimate, since engines do not tell them.
    """
    words = _WORD.findall(clean(sentence.text))
    total = sum(weight(word) for word in words)
    cues, at = [], sentence.start
    for word in words:
        until = at + (sentence.end - sentence.start) * weight(word) / total
        cues.append(Cue(word, at, until))
        at = until
    return cues


def timed(sentences: Sequence[Cue]) -> dict[str, Any]:
    """The sentences and their words as JSON; `word_times` says how the latter came about."""
    words = [word.to_json() for sentence in sentences for word in words_of(sentence)]
    return {"sentences": [cue.to_json() for cue in sentences], "words": words, "word_times": "estimated"}


def subtitles(cues: Iterable[Cue], subtitle_format: SubtitleFormat) -> str:
    """A file of subtitles."""
    told = [subtitle(cue, subtitle_format, number=number) for number, cue in enumerate(cues, start=1)]
    return "".join(told) or _HEADERS[subtitle_format]


def subtitle(cue: Cue, subtitle_format: SubtitleFormat, *, number: int) -> str:
    """One cue of a file, counted from 1; the first brings the file's header."""
    if subtitle_format == "srt":
        return f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_line(cue.text)}\n\n"
    # In WebVTT `<` and `&` begin markup.
    text = html.escape(_line(cue.text), quote=False)
    told = f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{text}\n\n"
    return _HEADERS["vtt"] + told if number == 1 else told


def _line(text: str) -> str:
    """An empty line would end the cue."""
    return " ".join(text.split())


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
