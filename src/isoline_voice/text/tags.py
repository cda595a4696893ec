"""The marks that a speech model understands inside a text: sounds, emphasis, phonemes and pinyin.

CosyVoice3's list. A mark that it does not know would be read aloud, so an unknown one is an error before any engine
sees the text. A bracket that looks like none of these ([1], [see below]) is ordinary text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from isoline_voice.errors import InvalidRequestError

SOUNDS = (
    "breath", "quick_breath", "laughter", "cough", "clucking", "accent", "noise", "hissing", "sigh",
    "vocalized-noise", "lipsmack", "mn",
)  # fmt: skip
SPANS = ("strong", "laughter")
VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())  # noqa: SIM905
CONSONANTS = frozenset("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())  # noqa: SIM905
INITIALS = frozenset("b p m f d t n l g k h j q x zh ch sh r z c s y w".split())  # noqa: SIM905
TONED = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
FINALS = frozenset(
    """a o e ai ei ao ou an en ang eng ong er i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un uang ueng ue v
    ve van vn ê""".split()  # noqa: SIM905
)

_SOUND_LIKE = re.compile(r"\[([a-z][a-z_-]{1,30})\](?!\()")  # [here](…) is a link
_PHONEME = re.compile(r"\[([A-Z]{1,2})([0-9]?)\]")
# [B] alone is a letter in brackets; beside a vowel with its stress it is a phoneme.
_PHONEMES = re.compile(r"(?:\[[A-Z]{1,2}\])*\[[A-Z]{1,2}[0-9]\](?:\[[A-Z]{1,2}[0-9]?\])*")
_PINYIN = re.compile(rf"\[(?P<initial>[a-z]{{1,2}})\](?=\[[a-zü]*[{TONED}])|\[(?P<final>[a-zü]*[{TONED}][a-zü]*)\]")
_PLAIN = str.maketrans("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü", "aaaaeeeeiiiioooouuuuvvvvv")
_SPAN = re.compile(r"<(/?)(strong|laughter)>")
_EMPTY_SPAN = re.compile(r"<(strong|laughter)></\1>")
MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class TagFault:
    """A mark that is wrong, where it begins (in characters), and what to do, in English and Chinese."""

    tag: str
    at: int
    advice: str
    advice_zh: str


def check_tags(text: str) -> None:
    """Raises InvalidRequestError with every mark that is wrong: unknown, or a span that has no end or no beginning."""
    faults = [*_faults(text)]
    if faults:
        told = "; ".join(f"{fault.tag} at character {fault.at + 1}: {fault.advice}" for fault in faults[:MOST_FAULTS])
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        told_zh = "；".join(
            f"第 {fault.at + 1} 个字符处的 {fault.tag}：{fault.advice_zh}" for fault in faults[:MOST_FAULTS]
        )
        more_zh = f"；另有 {len(faults) - MOST_FAULTS} 处" if len(faults) > MOST_FAULTS else ""
        raise InvalidRequestError(
            f"The text has marks that cannot be spoken: {told}{more}.",
            param="input",
            code="tag",
            message_zh=f"文字里有不能朗读的标记：{told_zh}{more_zh}。",
        )


class Spans:
    """Makes whole what cutting a text leaves open: a part within a span gets a beginning and an end of its own."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def whole(self, part: str) -> str:
        """The next part of the text, with its spans whole."""
        before = "".join(f"<{name}>" for name in self._open)
        for match in _SPAN.finditer(part):
            if not match[1]:
                self._open.append(match[2])
            elif self._open and self._open[-1] == match[2]:
                self._open.pop()
        after = "".join(f"</{name}>" for name in reversed(self._open))
        said = part.rstrip()
        # A text is often cut just before a span's end.
        return _EMPTY_SPAN.sub("", f"{before}{said}{after}") + part[len(said) :]


def without_spans(text: str) -> str:
    """The text without the marks of spans."""
    return _SPAN.sub("", text)


def sounds_in(text: str) -> frozenset[str]:
    """The names of the sounds and spans that a checked text asks for."""
    return frozenset(name for name in _SOUND_LIKE.findall(text) if name in SOUNDS) | frozenset(
        f"<{name}>" for _, name in _SPAN.findall(text)
    )


def phonemes_in(text: str) -> bool:
    """Whether a checked text prescribes a pronunciation by CMU phonemes."""
    return _PHONEMES.search(text) is not None


def without_phonemes(text: str) -> str:
    """The text without CMU phonemes, which an engine that does not know them would spell out."""
    return _PHONEMES.sub("", text)


def pinyin_syllables(text: str) -> list[tuple[int, int, str]]:
    """The pinyin in a text as (start, end, syllable with its tone mark): `[j][ǐ]` is jǐ."""
    found: list[tuple[int, int, str]] = []
    start, initial = 0, ""
    for match in _PINYIN.finditer(text):
        if match["initial"] is not None:
            start, initial = match.start(), match["initial"]
        else:
            found.append((start if initial else match.start(), match.end(), initial + match["final"]))
            initial = ""
    return found


def _faults(text: str) -> Iterator[TagFault]:
    pinyin = {match.start() for match in _PINYIN.finditer(text)}
    for match in _SOUND_LIKE.finditer(text):
        if match[1] not in SOUNDS and match.start() not in pinyin:
            near = difflib.get_close_matches(match[1], SOUNDS, n=1)
            known = ", ".join(f"[{name}]" for name in SOUNDS)
            did = f"did you mean [{near[0]}]" if near else f"known are {known}"
            did_zh = f"是否指 [{near[0]}]" if near else f"可用的有 {known}"
            yield TagFault(
                match[0],
                match.start(),
                f"{did}; to have the word spoken, leave out the brackets",
                f"{did_zh}；如要读出这个词，请去掉方括号",
            )
    for run in _PHONEMES.finditer(text):
        for match in _PHONEME.finditer(text, run.start(), run.end()):
            if not _is_phoneme(match[1], match[2]):
                advice = "not a CMU phoneme; vowels take a stress, 0 to 2, as in [AA1]"
                yield TagFault(match[0], match.start(), advice, "不是 CMU 音素；元音要带重音 0 到 2，如 [AA1]")
    for match in _PINYIN.finditer(text):
        if match["initial"] is not None and match["initial"] not in INITIALS:
            yield TagFault(match[0], match.start(), "not a pinyin initial", "不是拼音声母")
        if match["final"] is not None and not _is_final(match["final"]):
            advice = "not a pinyin final with one tone mark, as in [j][ǐ]"
            yield TagFault(match[0], match.start(), advice, "不是带一个声调的拼音韵母，写法如 [j][ǐ]")
    yield from _unpaired(text)


def _unpaired(text: str) -> Iterator[TagFault]:
    opened: list[re.Match[str]] = []
    for match in _SPAN.finditer(text):
        if not match[1]:
            opened.append(match)
        elif opened and opened[-1][2] == match[2]:
            opened.pop()
        else:
            yield TagFault(match[0], match.start(), f"there is no <{match[2]}> before it", f"前面没有 <{match[2]}>")
    for match in opened:
        yield TagFault(match[0], match.start(), f"</{match[2]}> is missing", f"缺少 </{match[2]}>")


def _is_phoneme(name: str, stress: str) -> bool:
    return stress in ("0", "1", "2") if name in VOWELS else name in CONSONANTS and not stress


def _is_final(final: str) -> bool:
    plain = final.translate(_PLAIN)
    toned = sum(character in TONED for character in final)
    # y and w write the finals of syllables without an initial: [yǔ] is as good as [y][ǔ].
    return toned == 1 and (plain in FINALS or plain.lstrip("yw") in FINALS)
