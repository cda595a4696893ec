"""A style as CosyVoice3's controls: one of the instructions that it was trained with where there is one, else a short
sentence of its kind.

The model speaks an instruction aloud when it is long or unlike those of its training. So an instruction is at most two
sentences and LONGEST characters; what does not fit is left out with a warning. What the model cannot do (pitch, pauses)
is a warning as well, and loudness that is only a little off is a gain on the finished audio.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from isoline_voice.engines.protocol import SpeechWarning
from isoline_voice.engines.understanding import of_understanding
from isoline_voice.styles.catalog import catalog
from isoline_voice.styles.style import Style

DIALECTS = frozenset(
    """广东话 东北话 甘肃话 贵州话 河南话 湖北话 湖南话 江西话 闽南话 宁夏话 山西话 陕西话 山东话 上海话 四川话 天津话
    云南话""".split()  # noqa: SIM905
)
LANGUAGES = frozenset({"zh", "en", "ja", "ko", "de", "es", "fr", "it", "ru"})
LOUD, SOFT = "Please say a sentence as loudly as possible.", "Please say a sentence in a very soft voice."
SLOW, FAST = "请用尽可能慢地语速说一句话。", "请用尽可能快地语速说一句话。"
EMOTIONS = {"happy": "请非常开心地说一句话。", "sad": "请非常伤心地说一句话。", "angry": "请非常生气地说一句话。"}
PERSONAS = {"peppa-pig": "我想体验一下小猪佩奇风格，可以吗？", "robot": "你可以尝试用机器人的方式解答吗？"}

LONGEST = 80
MOST_SENTENCES = 2
CLEARLY = 0.45
"""From this value on loudness and pace are asked of the model, which knows only the extremes."""
DECIBELS = 10.0


@dataclass(frozen=True, slots=True)
class Controls:
    """`instruction` is for the model, None when there is none; `gain` (decibels) and `stretch` (how many times as long)
    are for the finished audio; the warnings tell what is left out or only approximated."""

    instruction: str | None = None
    gain: float = 0.0
    stretch: float = 1.0
    warnings: tuple[SpeechWarning, ...] = ()


class _Wish(NamedTuple):
    """A part of a style: the sentence for it, whether the model was trained with it, and its name in two languages."""

    sentence: str
    trained: bool
    en: str
    zh: str


def controls(style: Style, *, instructed: bool) -> Controls:
    """What to ask of CosyVoice3 for a style; `instructed` unless the engine or the mode ignores instructions."""
    warnings = [*of_understanding(style), *_cannot(style)]
    gain, stretch = 0.0, 1.0
    volume, rate = style.volume or 0.0, style.rate or 0.0
    if volume and (not instructed or abs(volume) < CLEARLY):
        gain, volume = volume * DECIBELS, 0.0
    if rate < 0 and (not instructed or -rate < CLEARLY):
        stretch, rate = 2.0**-rate, 0.0
    wishes = [*_wishes(style, volume=volume, rate=rate)]
    if not instructed:
        warnings += [_left_out(wish, "this engine takes no instructions", "此引擎不接受指令") for wish in wishes]
        return Controls(None, gain, stretch, tuple(warnings))
    taken: list[_Wish] = []
    for wish in sorted(wishes, key=lambda wish: not wish.trained):
        if len(taken) < MOST_SENTENCES and sum(len(other.sentence) for other in taken) + len(wish.sentence) <= LONGEST:
            taken.append(wish)
        else:
            warnings.append(
                _left_out(wish, "with more than two wishes the model reads them aloud", "要求过多时模型会把指令念出来")
            )
    warnings += [_untrained(wish) for wish in taken if not wish.trained]
    return Controls("".join(wish.sentence for wish in taken) or None, gain, stretch, tuple(warnings))


def _wishes(style: Style, *, volume: float, rate: float) -> Iterator[_Wish]:
    names = catalog()
    if style.dialect in DIALECTS:
        yield _Wish(f"请用{style.dialect}表达。", True, names.english(style.dialect or ""), style.dialect or "")
    if volume:
        yield _Wish(LOUD, True, "loud", "大声") if volume > 0 else _Wish(SOFT, True, "soft", "轻声")
    if rate:
        yield _Wish(FAST, True, "fast", "快速") if rate > 0 else _Wish(SLOW, True, "slow", "慢速")
    for name, trained, sentence in (
        (style.emotion, EMOTIONS, "请用{}的语气说一句话。"),
        (style.persona, PERSONAS, "请模仿{}的语气说一句话。"),
    ):
        if name is not None and name != "neutral":
            chinese = names.chinese(name)
            yield _Wish(trained.get(name) or sentence.format(chinese), name in trained, names.english(name), chinese)


def _cannot(style: Style) -> Iterator[SpeechWarning]:
    names = catalog()
    if style.dialect is not None and style.dialect not in DIALECTS | {"普通话"}:
        english = names.english(style.dialect)
        yield SpeechWarning(
            "dialect_unsupported",
            f"CosyVoice3 does not speak {english} ({style.dialect}); spoken in Mandarin.",
            f"CosyVoice3 不会说{style.dialect}，已用普通话朗读。",
        )
    if style.language is not None and style.language.partition("-")[0] not in LANGUAGES:
        english, chinese = names.english(style.language), names.chinese(style.language)
        yield SpeechWarning(
            "language_unsupported",
            f"CosyVoice3 does not speak {english}; the text was read in the language that its letters show.",
            f"CosyVoice3 不会说{chinese}，已按文字本身的语言朗读。",
        )
    if style.pitch:
        yield SpeechWarning(
            "pitch_unsupported",
            "CosyVoice3 has no control of pitch; choose another voice for it.",
            "CosyVoice3 不能调节音调，请换一个声音。",
        )
    if style.pauses:
        yield SpeechWarning(
            "pauses_unsupported",
            "CosyVoice3 sets its pauses by the punctuation; add or remove some.",
            "CosyVoice3 按标点停顿，请增减标点。",
        )
    if style.whisper:
        yield SpeechWarning(
            "whisper_approximated",
            "CosyVoice3 speaks very softly instead of whispering.",
            "CosyVoice3 不会耳语，以很轻的声音代替。",
        )


def _left_out(wish: _Wish, en: str, zh: str) -> SpeechWarning:
    return SpeechWarning("style_left_out", f"“{wish.en}” was left out: {en}.", f"“{wish.zh}”已略去：{zh}。")


def _untrained(wish: _Wish) -> SpeechWarning:
    return SpeechWarning(
        "instruction_untrained",
        f"CosyVoice3 was not trained to sound {wish.en}; it may not follow, or read the instruction aloud.",
        f"CosyVoice3 没有专门训练过“{wish.zh}”，可能不起作用，或把指令念出来。",
    )
