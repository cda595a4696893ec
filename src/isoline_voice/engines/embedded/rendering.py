"""A style as espeak-ng can render it: rate, pitch, pitch range, level and variant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from isoline_voice.audio.world import Shape
from isoline_voice.engines.embedded.voices import FEMALE, FEMALE_VARIANTS, MALE, TONGUES, VARIANT_GAINS
from isoline_voice.styles.style import Style

VOLUME = 60
"""Below espeak-ng's default of 100, at which some voices clip; the level is set afterwards, in floating point."""

SLOWEST, FASTEST = 80, 900
"""Words a minute that espeak-ng speaks; slower is stretched afterwards."""

LOUDEST_GAIN, SOFTEST_GAIN = 10.0, -16.0
MIDDLE, PITCH_REACH = 50, 40


class Contour(NamedTuple):
    """How an emotion or a persona moves the voice: pitch and its range in espeak-ng's units, rate as a factor, level in
    decibels."""

    pitch: float = 0.0
    range: float = 0.0
    rate: float = 1.0
    gain: float = 0.0


# Modest on purpose: these move in the direction in which people's voices move, and do not pretend to be acting.
EMOTIONS: dict[str, Contour] = {
    "neutral": Contour(),
    "happy": Contour(pitch=12, range=20, rate=1.1, gain=1.5),
    "excited": Contour(pitch=16, range=30, rate=1.2, gain=3.0),
    "sad": Contour(pitch=-12, range=-25, rate=0.8, gain=-3.0),
    "angry": Contour(pitch=6, range=25, rate=1.12, gain=4.5),
    "calm": Contour(pitch=-4, range=-12, rate=0.9, gain=-1.0),
    "gentle": Contour(pitch=3, range=-8, rate=0.9, gain=-3.5),
    "fearful": Contour(pitch=16, range=10, rate=1.15, gain=-2.0),
    "surprised": Contour(pitch=18, range=35, rate=1.08, gain=2.0),
    "serious": Contour(pitch=-8, range=-15, rate=0.95),
    "tired": Contour(pitch=-10, range=-25, rate=0.82, gain=-3.0),
    "anxious": Contour(pitch=10, range=10, rate=1.2),
    "cute": Contour(pitch=12, range=15, rate=0.95, gain=-2.0),
    "romantic": Contour(pitch=-3, range=4, rate=0.88, gain=-3.0),
    "expressive": Contour(range=28, rate=0.96, gain=1.0),
    "sarcastic": Contour(pitch=-3, range=20, rate=0.9),
    "cold": Contour(pitch=-6, range=-22, rate=0.97),
    "shy": Contour(pitch=6, range=-6, rate=0.92, gain=-4.0),
    "apologetic": Contour(pitch=-4, range=-8, rate=0.9, gain=-2.0),
    "curious": Contour(pitch=8, range=22, rate=0.98),
    "mysterious": Contour(pitch=-8, range=8, rate=0.85, gain=-3.0),
    "humorous": Contour(pitch=6, range=26, rate=1.05, gain=1.0),
    "proud": Contour(pitch=2, range=12, rate=0.95, gain=2.5),
    "disgusted": Contour(pitch=-6, range=10, rate=0.92),
    "encouraging": Contour(pitch=6, range=12, rate=1.02, gain=1.5),
}

PERSONAS: dict[str, Contour] = {
    "storyteller": Contour(range=18, rate=0.92),
    "newsreader": Contour(pitch=-2, range=6, rate=1.05),
    "robot": Contour(range=-50),
    "child": Contour(pitch=35, range=10, rate=1.02),
    "grandmother": Contour(rate=0.85),
    "grandfather": Contour(pitch=-5, rate=0.85),
    "teacher": Contour(range=10, rate=0.92, gain=1.0),
    "poet": Contour(range=15, rate=0.8),
    "commentator": Contour(pitch=10, range=25, rate=1.25, gain=3.0),
    "woman": Contour(),
    "man": Contour(),
    "mother": Contour(pitch=2, range=6, rate=0.95),
    "father": Contour(pitch=-3, rate=0.97),
    "narrator": Contour(pitch=-4, range=6, rate=0.92),
    "radio-host": Contour(pitch=-6, range=2, rate=0.9, gain=-2.0),
    "customer-service": Contour(pitch=5, range=12, rate=1.0),
    "salesperson": Contour(pitch=8, range=25, rate=1.2, gain=3.0),
    "officer": Contour(pitch=-6, range=12, rate=1.05, gain=4.0),
    "villain": Contour(pitch=-14, range=14, rate=0.88),
    "cartoon": Contour(pitch=28, range=30, rate=1.08),
    "comedian": Contour(pitch=4, range=28, rate=1.1, gain=1.0),
}
WHISPER = Contour(rate=0.95, gain=6.0)
"""Whispering is a variant; its level comes from the volume that whispering implies."""

"""What a variant and a contour can suggest; the names are those of the personas data file."""

# What WORLD adds, at the usual strength. Bright and pressed voices have more energy in the higher octaves than calm and
# sad ones; fear trembles; a question rises at its end and grief falls. Brightness and trembling are kept small: beyond
# this a recogniser loses words (docs/voice-engines.md).
SHAPES: dict[str, Shape] = {
    "happy": Shape(tilt=0.7, ending=1.0),
    "excited": Shape(tilt=1.0, ending=1.0),
    "expressive": Shape(tilt=0.2, ending=-1.0),
    "sad": Shape(tilt=-2.0, breath=0.12, ending=-2.0),
    "angry": Shape(tilt=1.7, ending=-1.0),
    "calm": Shape(tilt=-0.7, ending=-1.0),
    "gentle": Shape(tilt=-1.3, breath=0.12),
    "romantic": Shape(tilt=-1.3, breath=0.2, ending=-1.0),
    "fearful": Shape(breath=0.05, tremor=0.15),
    "surprised": Shape(tilt=0.4, ending=4.0),
    "tired": Shape(tilt=-1.7, breath=0.15, ending=-2.0),
    "anxious": Shape(tilt=0.2, tremor=0.15),
    "cute": Shape(tilt=0.2, ending=2.0),
    "proud": Shape(tilt=0.4, ending=-1.5),
    "disgusted": Shape(ending=-2.0),
    "sarcastic": Shape(ending=-2.0),
    "shy": Shape(tilt=-1.0, breath=0.15),
    "apologetic": Shape(tilt=-0.7, ending=-1.5),
    "curious": Shape(ending=4.0),
    "mysterious": Shape(tilt=-1.3, breath=0.2),
    "encouraging": Shape(tilt=0.2, ending=1.0),
}
AGED = Shape(tremor=0.15)

_PERSONA_VARIANTS = {
    "grandmother": "grandma", "grandfather": "grandpa", "woman": FEMALE, "man": MALE, "child": "f3",
    "mother": FEMALE, "father": MALE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rendering:
    """A style and a speed, worked out for espeak-ng.

    `rate` multiplies a tongue's natural rate, `gain` is in decibels, `pitch` and `range` run from 0 to 99, `variant` is
    the one to speak with, `pauses` multiplies the silence between sentences and clauses. `shape`
    is what WORLD does to the audio afterwards.
    """

    rate: float
    pitch: int
    range: int
    gain: float
    variant: str
    pauses: float = 1.0
    shape: Shape = field(default_factory=Shape)

    @property
    def stretch(self) -> float:
        """How much longer than espeak-ng can speak it the audio has to become, at least 1."""
        natural = min(tongue.words_per_minute for tongue in TONGUES.values())
        return max(1.0, SLOWEST / (natural * self.rate))

    def words_per_minute(self, tongue: str) -> int:
        """What to ask espeak-ng for."""
        return round(min(FASTEST, max(SLOWEST, TONGUES[tongue].words_per_minute * self.rate * self.stretch)))

    def gain_for(self, tongue: str) -> float:
        """Decibels for what this tongue and variant speak."""
        return self.gain + TONGUES[tongue].gain + VARIANT_GAINS[self.variant]


def render(style: Style, *, speed: float, variant: str) -> Rendering:
    """What to do for a style at a speed (1 is natural) with a voice's own variant."""
    contours = []
    if style.emotion in EMOTIONS:
        strength = 0.6 if style.emotion_strength is None else style.emotion_strength
        contours.append((EMOTIONS[style.emotion], strength / 0.6))
    if style.persona in PERSONAS:
        contours.append((PERSONAS[style.persona], 1.0))
    if style.whisper:
        contours.append((WHISPER, 1.0))
    pitch, pitch_range = MIDDLE + PITCH_REACH * (style.pitch or 0.0), float(MIDDLE)
    rate, volume = speed * 2.0 ** (style.rate or 0.0), style.volume or 0.0
    gain = volume * LOUDEST_GAIN if volume > 0 else -volume * SOFTEST_GAIN
    for contour, strength in contours:
        pitch += contour.pitch * strength
        pitch_range += contour.range * strength
        rate *= contour.rate**strength
        gain += contour.gain * strength
    return Rendering(
        rate=min(4.5, max(0.25, rate)),
        pitch=_within(pitch),
        range=_within(pitch_range),
        gain=min(LOUDEST_GAIN + 2.0, max(SOFTEST_GAIN - 6.0, gain)),
        variant=_variant(style, variant),
        pauses=4.0 ** (style.pauses or 0.0),
        shape=_shape(style),
    )


def _shape(style: Style) -> Shape:
    strength = (0.6 if style.emotion_strength is None else style.emotion_strength) / 0.6
    emotion = SHAPES.get(style.emotion or "", Shape())
    aged = AGED if style.persona in ("grandmother", "grandfather") else Shape()
    if style.whisper or (not emotion and not aged):
        return Shape()
    return Shape(
        tilt=emotion.tilt * strength,
        breath=min(0.4, emotion.breath * strength),
        tremor=emotion.tremor * strength + aged.tremor,
        ending=emotion.ending * strength,
    )


def _variant(style: Style, own: str) -> str:
    wanted = _PERSONA_VARIANTS.get(style.persona or "", own)
    if style.whisper:
        return "whisperf" if wanted in FEMALE_VARIANTS else "whisper"
    same_gender = (wanted in FEMALE_VARIANTS) == (own in FEMALE_VARIANTS)
    return own if style.persona in ("woman", "man", "mother", "father") and same_gender else wanted


def _within(value: float) -> int:
    return round(min(99.0, max(0.0, value)))
