"""Takes out of a text what is not meant to be heard.

Text comes from web pages, chat models and other people's programs: it holds markup, control characters and, now and
then, the control tokens of a speech model. None of it may be spoken, and none of it may reach an engine.
"""

from __future__ import annotations

import re
import unicodedata

from isoline_voice.text.tags import SOUNDS, SPANS, without_spans

MODEL_TOKEN = re.compile(r"<\|[^<>|]{0,100}\|>")
MARKUP = re.compile(r"<!--.{0,1000}?-->|<[/!?]?[A-Za-z][^<>]{0,300}>", re.DOTALL)
FOREIGN_MARKUP = re.compile(
    rf"<!--.{{0,1000}}?-->|<(?!/?(?:{'|'.join(SPANS)})>)[/!?]?[A-Za-z][^<>]{{0,300}}>", re.DOTALL
)
SOUND_TAG = re.compile(rf"\[(?:{'|'.join(SOUNDS)})\]")
EMPHASIS = re.compile(r"(?<![0-9A-Za-z])(\*{1,3}|_{1,3}|~~|`{1,3})(?=\S)([^*_~`\n]{1,400}?)(?<=\S)\1")
LINE_MARK = re.compile(r"(?m)^[ \t]*(?:#{1,6}|>|[-*+•])[ \t]+")
RULE = re.compile(r"(?m)^[ \t]*(?:[-*_=][ \t]*){3,}$")
LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\(\s*[^()\s]{1,2000}\s*\)")
LINE_ENDS = re.compile(r"\r\n?|\u2028|\u2029|\v|\f|\x85")
SOFT_BREAK = re.compile(r"(?<=[a-zà-ÿ,])[ \t]*\n[ \t]*(?=[a-zà-ÿ])")
SPACES = re.compile(r"[^\S\n]+")
BLANK_LINES = re.compile(r" ?\n[ \n]*")

DEEPEST_NESTING = 8

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()}
_SPOKEN_AS = _FULL_WIDTH | {ord("％"): "%", ord("＋"): "+", ord("＝"): "=", ord("．"): ".", ord("＄"): "$"}


def clean(text: str, *, marks: bool = False) -> str:
    """The text without markup, control characters and stray white space; paragraphs stay apart by one newline.

    With `marks` the sounds and spans of `text.tags` stay, for an engine that renders them. Full-width Latin letters and
    digits become the ordinary ones. An answer of "" means that nothing can be spoken.
    """
    text = LINE_ENDS.sub("\n", text).translate(_SPOKEN_AS)
    text = "".join(character for character in text if character in "\n\t" or _heard(character))
    text = SOFT_BREAK.sub(" ", _without_tags(text, marks=marks))
    text = LINK.sub(r"\1", RULE.sub("", LINE_MARK.sub("", text)))
    text = EMPHASIS.sub(r"\2", text)
    return BLANK_LINES.sub("\n", SPACES.sub(" ", unicodedata.normalize("NFC", text))).strip()


def shown(text: str) -> str:
    """What a reader sees of a sentence while it is heard: without markup, with the sounds."""
    return without_spans(clean(text, marks=True)) or text.strip()


def speakable(text: str) -> bool:
    """Whether there is a letter or a digit in it, so that there is something to hear."""
    return any(character.isalnum() for character in text)


def _heard(character: str) -> bool:
    """Not a control, format, surrogate, private or unassigned character; joiners and bidi marks are such too."""
    return " " <= character < "\x7f" or unicodedata.category(character)[0] != "C"


def _without_tags(text: str, *, marks: bool) -> str:
    """Removes tags again and again: what is cut out of the middle of a token must not make a new one.

    What is nested deeper than anyone writes loses its token marks instead, so that the work stays in proportion.
    """
    for _ in range(DEEPEST_NESTING):
        stripped = (FOREIGN_MARKUP if marks else MARKUP).sub(" ", MODEL_TOKEN.sub(" ", text))
        stripped = stripped if marks else SOUND_TAG.sub(" ", stripped)
        if stripped == text:
            break
        text = stripped
    return text.replace("<|", " ").replace("|>", " ")
