# ruff: noqa: SIM905 (a list of words reads better as a line of words)
"""Which language each stretch of a text is in, by its script and, for Latin script, by its little words.

A sentence of several languages is cut into runs of one each, so that every run is read by a voice that knows it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal, NamedTuple

Script = Literal["han", "kana", "hangul", "cyrillic", "latin"]

CHARACTER_LANGUAGES = frozenset({"zh", "ja", "ko"})
LANGUAGE_OF_SCRIPT: dict[Script, str] = {"han": "zh", "kana": "ja", "hangul": "ko", "cyrillic": "ru", "latin": "en"}

_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u02af\u0300-\u036f\u0370-\u03ff\u1e00-\u1eff"
_SCRIPT_RUNS = re.compile(
    "(?P<kana>[\u3041-\u309f\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f]+)"
    "|(?P<han>[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"
    "|(?P<hangul>[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]+)"
    "|(?P<cyrillic>[\u0400-\u052f]+)"
    f"|(?P<latin>[0-9]*[{_LATIN}][{_LATIN}0-9.@&/+'’_-]*)"
)
# In Chinese text 5km is said in Chinese.
_MEASURE = re.compile(r"[0-9]+(?:km/h|m/s|km|cm|mm|m|kg|mg|g|ml|mL|L|kW|Hz|h|s|ms)")
_WORD = re.compile(r"[^\W\d_]+(?=['’]?)")
_KANA_MIDDLE_DOT = "\u30fb"

# The commonest function words; those that two of these languages share count for both and so decide nothing.
LITTLE_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the of and to in is you that it he was for on are with as his they be at this have from or had by what were "
        "we when your can there an which their if will would i do not she me my".split()
    ),
    "de": frozenset(
        "der die das und ist nicht ein eine zu den von mit sich auf für ich es im dem sie wir des auch als nach wie "
        "bei aus oder wenn nur sind noch war haben hat guten wird kann über".split()
    ),
    "fr": frozenset(
        "le la les des et est un une du que qui dans pour pas sur au avec ce il elle je nous vous ne se sont mais plus "
        "par cette ou aux été bonjour très c'est j'ai l d où".split()
    ),
    "es": frozenset(
        "el la los las de y es un una que en por con no para se del al lo como más pero sus le ya muy está yo hola "
        "gracias qué cómo hay este esta son ha".split()
    ),
    "it": frozenset(
        "il lo la gli le di e è un una che in per con non si del della dei sono ma come più anche questo questa io ho "
        "ciao nel alla grazie dal ha al molto".split()
    ),
}
MARKED_LETTERS: dict[str, str] = {"de": "äöüß", "fr": "çèêëîïôœùûàâ", "es": "ñ¿¡áíóú", "it": "ìòàèù"}


class Run(NamedTuple):
    """A stretch of text to be read in one language."""

    text: str
    language: str


def split_languages(text: str, *, latin: str | None = None, home: str = "en") -> list[Run]:
    """The text as runs, in order and without loss.

    `latin` settles the language of Latin script (else its little words do, else English); `home` is the language of a
    text without a single letter. Digits and punctuation go with the language that most of the text is in, unless they
    stick to a Latin word (MP3); a unit beside Chinese goes with its digits.
    """
    found = list(_SCRIPT_RUNS.finditer(text))
    if not found:
        return [Run(text, home)]
    japanese = any(match.lastgroup == "kana" and match.group() != _KANA_MIDDLE_DOT for match in found)
    if not japanese and any(match.lastgroup == "han" for match in found):
        found = [match for match in found if not _MEASURE.fullmatch(match.group())]
    western = latin or latin_language(text) or "en"
    spans = [(match.start(), match.end(), _language(match, japanese=japanese, western=western)) for match in found]
    main = _main_language(spans)
    runs: list[Run] = []
    at = 0
    for start, end, language in spans:
        if text[at:start].strip() and any(character.isdigit() for character in text[at:start]):
            _append(runs, text[at:start], main)
        else:
            _append(runs, text[at:start], runs[-1].language if runs else language)
        _append(runs, text[start:end], language)
        at = end
    tail = text[at:]
    _append(runs, tail, main if any(character.isdigit() for character in tail) else runs[-1].language)
    return runs


def latin_language(text: str) -> str | None:
    """Which of English, German, French, Spanish and Italian the Latin words are in; None if they do not tell."""
    words = Counter(word.lower() for word in _WORD.findall(text[:2000]))
    score = {
        language: sum(words[word] for word in little) + 2 * any(letter in text.lower() for letter in letters)
        for language, little in LITTLE_WORDS.items()
        for letters in [MARKED_LETTERS.get(language, "")]
    }
    (best, most), (_, next_most) = sorted(score.items(), key=lambda entry: entry[1], reverse=True)[:2]
    return best if most > next_most else None


def scripts(text: str) -> set[str]:
    """The scripts that occur."""
    return {match.lastgroup for match in _SCRIPT_RUNS.finditer(text) if match.lastgroup}


def has_other_scripts(text: str) -> bool:
    """Whether there are letters of a script that no voice here reads, such as Thai or Arabic."""
    return any(character.isalpha() for character in _SCRIPT_RUNS.sub("", text))


def _language(match: re.Match[str], *, japanese: bool, western: str) -> str:
    script = match.lastgroup
    if script == "latin":
        return western
    if script == "kana" and match.group() == _KANA_MIDDLE_DOT:
        return "ja" if japanese else "zh"
    if script == "han" and japanese:
        return "ja"
    return LANGUAGE_OF_SCRIPT[script]  # type: ignore[index]


def _main_language(spans: list[tuple[int, int, str]]) -> str:
    letters: Counter[str] = Counter()
    for start, end, language in spans:
        # A word of an alphabet is about as much speech as one character, and names abound in Chinese text.
        letters[language] += 2 * (end - start) if language in CHARACTER_LANGUAGES else 1
    return letters.most_common(1)[0][0]


def _append(runs: list[Run], text: str, language: str) -> None:
    if not text:
        return
    if runs and runs[-1].language == language:
        runs[-1] = Run(runs[-1].text + text, language)
    else:
        runs.append(Run(text, language))
