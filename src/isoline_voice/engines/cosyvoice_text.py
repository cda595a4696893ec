"""A text as CosyVoice3 gets it, by whichever engine: no token of the model's, numbers in words, bounded pieces."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from isoline_voice.engines.protocol import MAX_SPEED, MIN_SPEED, SpeechRequest, SpeechWarning
from isoline_voice.errors import InvalidRequestError, text_too_long
from isoline_voice.text.cleaning import clean, speakable
from isoline_voice.text.normalising import spoken_form
from isoline_voice.text.sentences import pieces
from isoline_voice.text.tags import Spans

MAX_CHARACTERS = 1_000_000

_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_KANJI = re.compile("[\u4e00-\u9fff]")


def model_pieces(request: SpeechRequest) -> Iterator[str]:
    """The text in pieces that the model speaks in one go, the first a short one.

    Everything between `<|` and `|>` is gone: such text would be taken for the model's own tokens, and would also skip
    its splitting. Sounds, spans, phonemes and pinyin stay. Raises InvalidRequestError.
    """
    if len(request.text) > MAX_CHARACTERS:
        raise text_too_long(len(request.text), most=MAX_CHARACTERS)
    if not math.isfinite(request.speed) or not MIN_SPEED <= request.speed <= MAX_SPEED:
        raise InvalidRequestError(
            f"speed is {request.speed:g}; it has to be from {MIN_SPEED} to {MAX_SPEED}.",
            param="speed",
            code="speed_out_of_range",
        )
    text = clean(request.text, marks=True)
    if not speakable(text):
        raise InvalidRequestError(
            "There is nothing to say: the text has no letters and no digits.", param="input", code="text_empty"
        )
    return (
        spoken_form(_katakana(piece)).strip() for piece in map(Spans().whole, pieces(text)) if speakable(clean(piece))
    )


def text_warnings(text: str) -> Iterator[SpeechWarning]:
    """What the model cannot read of a text."""
    if _KANA.search(text) and _KANJI.search(text):
        yield SpeechWarning(
            "kanji_unsupported",
            "CosyVoice3 reads Japanese in kana only; kanji may be read in Mandarin. Write them in kana.",
            "CosyVoice3 的日语只认假名，汉字可能按普通话朗读；请改写为假名。",
        )


def _katakana(text: str) -> str:
    return text.translate(_HIRAGANA)
