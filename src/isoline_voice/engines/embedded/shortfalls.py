"""What was asked for and this engine does not do, each as a warning with a stable code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from isoline_voice.engines.embedded.rendering import EMOTIONS, PERSONAS
from isoline_voice.engines.embedded.voices import Speaker
from isoline_voice.engines.protocol import SpeechWarning
from isoline_voice.engines.understanding import of_understanding
from isoline_voice.styles.catalog import catalog
from isoline_voice.styles.style import Style
from isoline_voice.text.languages import has_other_scripts, scripts
from isoline_voice.text.sentences import sentences

DIALECTS = {"普通话": "zh", "广东话": "yue"}
"""The dialects that are really spoken, and their tongues."""

SCRIPT_OF_LANGUAGE = {"zh": "han", "yue": "han", "ja": "kana", "ko": "hangul", "ru": "cyrillic"}
SUPPORTED = frozenset({"zh", "yue", "hak", "en", "en-US", "en-GB", "ja", "ko", "de", "es", "fr", "it", "ru"})

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_KANJI = re.compile("[\u4e00-\u9fff]")


def shortfalls(
    style: Style, text: str, speaker: Speaker, *, language: str | None, sound_tags: bool, phonemes: bool
) -> tuple[SpeechWarning, ...]:
    """The warnings for a cleaned text in a style.

    `language` is the one that the request asks for; `sound_tags` says that tags for breaths and laughs were taken
    out, `phonemes` that prescribed phonemes were.
    """
    found = scripts(text)
    japanese = "ja" in (language, style.language, speaker.home)
    warnings = [
        *_of_dialect(style, found),
        *_of_style(style),
        *_of_language(style, found),
        *_of_text(text, found, speaker, style, japanese=japanese),
    ]
    if sound_tags:
        warnings.append(
            SpeechWarning(
                "tag_unsupported",
                "This engine cannot breathe, laugh or cough; the tags for it were left out.",
                "此引擎不会呼吸声、笑声或咳嗽声，相应的标记已略去。",
            )
        )
    if phonemes:
        warnings.append(
            SpeechWarning(
                "phonemes_unsupported",
                "This engine cannot take phonemes such as [AA1]; they were left out. Pinyin such as [j][ǐ] works.",
                "此引擎不支持 [AA1] 这样的音素标记，已略去；拼音标记如 [j][ǐ] 可用。",
            )
        )
    return tuple(warnings)


def _of_dialect(style: Style, found: set[str]) -> Iterator[SpeechWarning]:
    dialect = style.dialect
    if dialect is None:
        return
    english = catalog().english(dialect)
    if found and "han" not in found:
        yield SpeechWarning(
            "dialect_mismatch",
            f"The text has no Chinese characters to read in {english}; it was read in its own language.",
            f"文本中没有可用{dialect}朗读的汉字，已按文本本身的语言朗读。",
        )
    elif dialect not in DIALECTS:
        yield SpeechWarning(
            "dialect_unsupported",
            f"This engine cannot speak {english} ({dialect}); spoken in Mandarin.",
            f"此引擎不会说{dialect}，已用普通话朗读。",
        )


def _of_style(style: Style) -> Iterator[SpeechWarning]:
    names = catalog()
    if style.emotion is not None and style.emotion != "neutral":
        chinese = names.chinese(style.emotion)
        if style.emotion in EMOTIONS:
            yield SpeechWarning(
                "emotion_approximated",
                f"This engine has no feelings; “{style.emotion}” is suggested by pitch, pace and loudness only.",
                f"此引擎不能真正表达情感，“{chinese}”只通过音调、语速和音量来体现。",
            )
        else:
            yield SpeechWarning(
                "emotion_unsupported",
                f"This engine cannot sound {style.emotion}; it was left out.",
                f"此引擎不能表达“{chinese}”，已略去。",
            )
    if style.persona is not None and style.persona not in PERSONAS:
        yield SpeechWarning(
            "persona_unsupported",
            f"This engine cannot sound like {names.english(style.persona)}; it was left out.",
            f"此引擎不能模仿{names.chinese(style.persona)}，已略去。",
        )
    yield from of_understanding(style)


def _of_language(style: Style, found: set[str]) -> Iterator[SpeechWarning]:
    language = style.language
    if language is None:
        return
    names = catalog()
    english, chinese = names.english(language), names.chinese(language)
    if language not in SUPPORTED:
        yield SpeechWarning(
            "language_unsupported",
            f"This engine cannot speak {english}; the text was read in the language that its letters show.",
            f"此引擎不会说{chinese}，已按文字本身的语言朗读。",
        )
    elif found and SCRIPT_OF_LANGUAGE.get(language, "latin") not in found | ({"kana"} if "han" in found else set()):
        yield SpeechWarning(
            "language_mismatch",
            f"The text is not in {english}, and the studio does not translate; it was read in its own language.",
            f"文本不是{chinese}，本工作室不做翻译，已按文本本身的语言朗读。",
        )


def _of_text(text: str, found: set[str], speaker: Speaker, style: Style, *, japanese: bool) -> Iterator[SpeechWarning]:
    if has_other_scripts(text):
        yield SpeechWarning(
            "script_unsupported",
            "Some of the text is in a script that this engine does not read; it may be spelled out or missing.",
            "文本中有此引擎不认识的文字，这部分可能逐字母读出或被略去。",
        )
    if ("han" in found and japanese) or ({"han", "kana"} <= found and _has_japanese_kanji(text)):
        yield SpeechWarning(
            "kanji_unsupported",
            "This engine reads Japanese in kana only; kanji were read in Mandarin. Write them in kana.",
            "此引擎的日语只认假名，汉字已按普通话朗读；请改写为假名。",
        )
    if speaker.home == "hak" and "han" in found and style.dialect is None:
        yield SpeechWarning(
            "dialect_unsupported",
            "This engine reads Hakka in Latin letters only; Chinese characters were read in Mandarin.",
            "此引擎的客家话只认拉丁字母拼写，汉字已按普通话朗读。",
        )


def _has_japanese_kanji(text: str) -> bool:
    return any(_KANA.search(sentence) and _KANJI.search(sentence) for sentence in sentences(text))
