"""From a style to words."""

from __future__ import annotations

from isoline_voice.styles.catalog import catalog
from isoline_voice.styles.style import Style

_STEPS = (-0.85, -0.45, -0.001, 0.001, 0.45, 0.85)
_CHINESE_SCALES = {
    "volume": ("尽可能轻声", "轻声", "稍轻声", "音量适中", "稍大声", "大声", "尽可能大声"),
    "rate": ("尽可能慢", "慢", "稍慢", "语速适中", "稍快", "快", "尽可能快"),
    "pitch": ("音调尽可能低", "音调低", "音调稍低", "音调适中", "音调稍高", "音调高", "音调尽可能高"),
    "pauses": ("几乎不停顿", "少停顿", "停顿稍短", "停顿正常", "停顿稍长", "停顿长", "停顿很长"),
}
_ENGLISH_SCALES = {
    "volume": (
        "as softly as possible",
        "soft",
        "a bit soft",
        "medium volume",
        "a bit loud",
        "loud",
        "as loud as possible",
    ),
    "rate": ("as slow as possible", "slow", "a bit slow", "medium pace", "a bit fast", "fast", "as fast as possible"),
    "pitch": ("as deep as possible", "deep", "a bit deep", "medium pitch", "a bit high", "high", "as high as possible"),
    "pauses": (
        "almost no pauses",
        "short pauses",
        "slightly shorter pauses",
        "usual pauses",
        "slightly longer pauses",
        "long pauses",
        "very long pauses",
    ),
}
_CHINESE_STRENGTHS, _ENGLISH_STRENGTHS = ("有点", "", "非常", "万分"), ("a bit ", "", "very ", "utterly ")


def describe(style: Style, language: str = "zh") -> str:
    """What was understood, as a short phrase in Chinese ("zh…") or English (anything else); "" when nothing was."""
    chinese = language.lower().startswith("zh")
    name = catalog().chinese if chinese else catalog().english
    scales = _CHINESE_SCALES if chinese else _ENGLISH_SCALES
    parts = [name(wish) for wish in (style.dialect, style.language) if wish is not None]
    if style.whisper:
        parts.append("悄悄话" if chinese else "whispered")
    volume = None if style.whisper else style.volume
    for scale, value in (("volume", volume), ("rate", style.rate), ("pitch", style.pitch), ("pauses", style.pauses)):
        if value is not None:
            parts.append(scales[scale][_step(value)])
    if style.emotion is not None:
        strengths = _CHINESE_STRENGTHS if chinese else _ENGLISH_STRENGTHS
        strength = 0.6 if style.emotion_strength is None else style.emotion_strength
        parts.append(strengths[sum(strength > limit for limit in (0.45, 0.75, 0.95))] + name(style.emotion))
    if style.persona is not None:
        parts.append(f"像{name(style.persona)}" if chinese else f"like {name(style.persona)}")
    parts += [f"不要{name(avoided)}" if chinese else f"not {name(avoided)}" for avoided in style.avoided]
    return ("，" if chinese else ", ").join(parts)


def _step(value: float) -> int:
    return sum(value > limit for limit in _STEPS)
