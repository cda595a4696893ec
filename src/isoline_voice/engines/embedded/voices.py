"""The voices on offer, and the espeak-ng voice and variant behind each.

espeak-ng has one voice a language and about a hundred variants that change its formants and pitch. A voice here is a
variant with a home language; text in another language is read by the same variant in that language.
"""

from __future__ import annotations

from typing import NamedTuple

from isoline_voice.engines.protocol import Voice
from isoline_voice.errors import UnknownVoiceError

ENGINE = "embedded"
FEMALE, MALE = "f2", "m3"


class Tongue(NamedTuple):
    """A language as espeak-ng speaks it: the voice's identifier, words a minute that sound natural, and how many
    decibels bring it to the common loudness (measured: active RMS of -21 dBFS at volume 60)."""

    identifier: str
    words_per_minute: int
    gain: float


TONGUES: dict[str, Tongue] = {
    "zh": Tongue("sit/cmn", 205, 1.1),
    "yue": Tongue("sit/yue", 185, 1.1),
    "hak": Tongue("sit/hak", 175, 1.1),
    "en-US": Tongue("gmw/en-US", 170, 3.1),
    "en-GB": Tongue("gmw/en", 170, 2.2),
    "ja": Tongue("jpx/ja", 175, 3.9),
    "ko": Tongue("ko", 180, 3.0),
    "de": Tongue("gmw/de", 165, 2.2),
    "es": Tongue("roa/es", 170, 2.0),
    "fr": Tongue("roa/fr", 165, 4.9),
    "it": Tongue("roa/it", 165, 3.0),
    "ru": Tongue("zle/ru", 165, 4.0),
}
"""By BCP 47 tag; the languages of `Voice.language`."""

VARIANT_GAINS: dict[str, float] = {
    "f1": -1.6, "f2": -2.0, "f3": 0.0, "f4": -1.7, "f5": 0.0, "Annie": 0.0, "linda": -2.7,
    "m1": 1.1, "m2": 1.8, "m3": 0.0, "m4": 0.2, "m5": 0.9, "m6": 0.0, "m7": -1.0, "Michael": -1.2,
    "grandma": 0.8, "grandpa": 0.0, "whisper": 3.5, "whisperf": -0.7,
}  # fmt: skip
"""Decibels that bring a variant to the loudness of the plain voice (measured)."""

FEMALE_VARIANTS = frozenset({"f1", "f2", "f3", "f4", "f5", "Annie", "linda", "grandma", "whisperf"})

_LANGUAGES = (
    ("mandarin", "zh", "普通话", "Mandarin Chinese", "女声", "男声"),
    ("cantonese", "yue", "广东话", "Cantonese", "女声", "男声"),
    ("hakka", "hak", "客家话", "Hakka in Latin letters (it does not know the characters)", "女声", "男声"),
    ("english-us", "en-US", "English (US)", "American English", "female", "male"),
    ("english-uk", "en-GB", "English (UK)", "British English", "female", "male"),
    ("japanese", "ja", "日本語", "Japanese in kana", "女性", "男性"),
    ("korean", "ko", "한국어", "Korean", "여성", "남성"),
    ("german", "de", "Deutsch", "German", "weiblich", "männlich"),
    ("spanish", "es", "Español", "Spanish", "femenina", "masculina"),
    ("french", "fr", "Français", "French", "féminine", "masculine"),
    ("italian", "it", "Italiano", "Italian", "femminile", "maschile"),
    ("russian", "ru", "Русский", "Russian", "женский", "мужской"),
)

OPENAI_VOICES: dict[str, str] = {
    "alloy": "f5", "ash": "m3", "ballad": "m6", "cedar": "Michael", "coral": "f4", "echo": "m1", "fable": "m4",
    "marin": "Annie", "nova": "f2", "onyx": "m7", "sage": "f1", "shimmer": "f3", "verse": "m5",
}  # fmt: skip
"""OpenAI's voice names and the variants that stand in for them; the text decides the language."""


class Speaker(NamedTuple):
    """A voice as the engine uses it: `home` is a key of TONGUES, or None when the text alone decides."""

    voice: Voice
    variant: str
    home: str | None


def _speakers() -> dict[str, Speaker]:
    speakers = {}
    for name, tag, label, english, female, male in _LANGUAGES:
        for gender, variant, word in (("female", FEMALE, female), ("male", MALE, male)):
            voice = Voice(f"{name}-{gender}", f"{label} · {word}", tag, ENGINE, f"A {gender} voice for {english}.")
            speakers[voice.id] = Speaker(voice, variant, tag)
    for name, variant in OPENAI_VOICES.items():
        gender = "female" if variant in FEMALE_VARIANTS else "male"
        note = f"A {gender} voice that reads each text in its own language; not OpenAI's voice of that name."
        speakers[name] = Speaker(Voice(name, name.title(), "mul", ENGINE, note), variant, None)
    return speakers


SPEAKERS = _speakers()
VOICES: tuple[Voice, ...] = tuple(speaker.voice for speaker in SPEAKERS.values() if speaker.home is not None)


def find_speaker(voice: str) -> Speaker:
    """The speaker with an id, in any case; raises UnknownVoiceError with the ids that exist."""
    speaker = SPEAKERS.get(voice.strip().lower())
    if speaker is None:
        raise UnknownVoiceError(voice, tuple(SPEAKERS))
    return speaker
