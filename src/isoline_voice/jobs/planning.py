"""From a book to its chapters and sentences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from isoline_voice.text.cleaning import clean, speakable
from isoline_voice.text.sentences import PIECE_WEIGHT, pieces, sentences, weight
from isoline_voice.text.tags import Spans

LONGEST_TITLE = 80

_HEADING = re.compile(
    rf"^[ \t]*(?:#{{1,6}}[ \t]+\S.{{0,{LONGEST_TITLE}}}"
    r"|第[0-9零〇一二三四五六七八九十百千两]{1,9}[章回节卷部篇].{0,40}"
    r"|(?:chapter|part|book)[ \t]+(?:\d{1,4}|[ivxlc]{1,8}|[a-z]{3,12})\b.{0,60})[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)


class Chapter(NamedTuple):
    """A title, "" for text before the first heading, and the text, which holds the heading too: it is read aloud."""

    title: str
    text: str


def chapters(text: str) -> list[Chapter]:
    """The chapters of a text by its headings (Markdown's, 第一章, Chapter 1); one of no title where there are none."""
    starts = [match.start() for match in _HEADING.finditer(text)]
    bounds = [0, *starts, len(text)] if not starts or starts[0] > 0 else [*starts, len(text)]
    found = []
    for start, end in itertools.pairwise(bounds):
        part = text[start:end]
        heading = _HEADING.match(part)
        title = heading.group().strip().lstrip("#").strip() if heading else ""
        if part.strip():
            found.append(Chapter(title[:LONGEST_TITLE], part))
    return found


def spoken_sentences(text: str) -> Iterator[str]:
    """The sentences that have words, those without an end cut into pieces; a span over several is whole in each."""
    spans = Spans()
    for sentence in sentences(text):
        parts = pieces(sentence) if weight(sentence) > 2 * PIECE_WEIGHT else [sentence]
        yield from (part.strip() for part in map(spans.whole, parts) if speakable(clean(part)))
