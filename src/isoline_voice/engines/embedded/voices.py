"""The voices on offer, and the espeak-ng voice and variant behind each.

espeak-ng has one voice a language and about a hundred variants that change its formants and pitch. A voice here is a
variant with a home language; text in another language is read by the same variant in that language.
"""

from __future__ import annotations

from typing import NamedTuple

from isoline_voice.engines.protocol import Voice
from isoline_voice.errors import UnknownVoiceError

ENGINE = "embedded"
FEMALE, MALE = "f1", "m6"
"""Of the variants those whose words a recogniser gets right most often: see docs/voice-engines.md."""


class Tongue(NamedTuple):
    """A language as espeak-ng speaks it: the voice's identifier, words a minute that sound natural, and how many
    decibels bring it to the common loudness (measured: -23 LUFS at volume 60)."""

    identifier: str
    words_per_minute: int
    gain: float


TONGUES: dict[str, Tongue] = {
    "zh": Tongue("sit/cmn", 205, 0.2),
    "yue": Tongue("sit/yue", 185, 0.7),
    "hak": Tongue("sit/hak", 175, 0.6),
    "en-US": Tongue("gmw/en-US", 170, 1.9),
    "en-GB": Tongue("gmw/en", 170, 1.5),
    "ja": Tongue("jpx/ja", 175, 2.9),
    "ko": Tongue("ko", 180, 1.9),
    "de": Tongue("gmw/de", 165, 1.4),
    "es": Tongue("roa/es", 170, 2.5),
    "fr": Tongue("roa/fr", 165, 3.6),
    "it": Tongue("roa/it", 165, 2.5),
    "ru": Tongue("zle/ru", 165, 3.4),
}
"""By BCP 47 tag; the languages of `Voice.language`."""

VARIANT_GAINS: dict[str, float] = {
    "f1": -1.5, "f2": -1.9, "f3": -0.3, "f4": -1.6, "f5": -0.4, "linda": -2.8,
    "m1": 1.2, "m2": 1.4, "m3": -0.1, "m4": 0.1, "m5": 0.9, "m6": 0.2, "m7": -0.6,
    "grandma": 0.7, "grandpa": -0.2, "whisper": 2.5, "whisperf": -2.6,
}  # fmt: skip
"""Decibels that bring a variant to the loudness of the plain voice (measured)."""

FEMALE_VARIANTS = frozenset({"f1", "f2", "f3", "f4", "f5", "linda", "grandma", "whisperf"})

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
    "alloy": "f1", "ash": "m1", "ballad": "m6", "cedar": "m3", "coral": "f4", "echo": "m5", "fable": "m4",
    "marin": "linda", "nova": "f3", "onyx": "m7", "sage": "f2", "shimmer": "f5", "verse": "m2",
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
