"""CosyVoice's four modes: what each needs, and the request that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isoline_voice.engines.protocol import SpeechRequest, SpeechWarning
from isoline_voice.errors import InvalidRequestError
from isoline_voice.styles import parse_style
from isoline_voice.voices.prompts import prepare

Mode = Literal["预训练音色", "3s极速复刻", "跨语种复刻", "自然语言控制"]

PRESET: Mode = "预训练音色"
ZERO_SHOT: Mode = "3s极速复刻"
CROSS_LINGUAL: Mode = "跨语种复刻"
INSTRUCT: Mode = "自然语言控制"

ENGLISH: dict[Mode, str] = {
    PRESET: "preset voice",
    ZERO_SHOT: "a voice from 3 s",
    CROSS_LINGUAL: "a voice in another language",
    INSTRUCT: "in your own words",
}

STEPS: dict[Mode, str] = {
    PRESET: "1. 选择预训练音色 Choose a preset voice\n2. 点击生成音频按钮 Press Generate",
    ZERO_SHOT: "1. 上传或录制 30 秒以内的 prompt 音频；两者都有时用上传的 Upload or record up to 30 s\n"
    "2. 输入 prompt 文本 Type what the recording says\n3. 点击生成音频按钮 Press Generate",
    CROSS_LINGUAL: "1. 上传或录制 30 秒以内的 prompt 音频；两者都有时用上传的 Upload or record up to 30 s\n"
    "2. 点击生成音频按钮 Press Generate",
    INSTRUCT: "1. 选择预训练音色，或提供 prompt 音频 Choose a preset voice, or give a recording\n"
    "2. 输入 instruct 文本 Say how it should sound\n3. 点击生成音频按钮 Press Generate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the page's fields hold; `recording` is the content of the audio file that was chosen."""

    text: str
    mode: str
    voice: str | None
    prompt_text: str
    recording: bytes | None
    instruction: str
    seed: int
    speed: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request, and what the user is to know of it."""

    request: SpeechRequest
    warnings: tuple[SpeechWarning, ...]


def accept(wanted: Wanted) -> Accepted:
    """The request that a mode's fields become; raises InvalidRequestError with everything that the mode lacks.

    Decodes the recording: call it in a thread.
    """
    missing = _missing(wanted)
    if missing:
        raise InvalidRequestError(" ".join(missing))
    warnings = list(_ignored(wanted))
    reference = None
    if wanted.recording is not None and wanted.mode != PRESET:
        transcript = wanted.prompt_text.strip() if wanted.mode == ZERO_SHOT else None
        prompt = prepare(wanted.recording, transcript, param="prompt_wav_upload")
        low_rate = [warning for warning in prompt.warnings if warning.code == "recording_low_rate"]
        if low_rate:
            raise InvalidRequestError(f"{low_rate[0].en} {low_rate[0].zh}", param="prompt_wav_upload")
        reference = prompt.reference
        warnings += prompt.warnings
    request = SpeechRequest(
        text=wanted.text,
        voice=wanted.voice or "alloy",
        style=parse_style(wanted.instruction if wanted.mode == INSTRUCT else ""),
        speed=wanted.speed,
        seed=wanted.seed or None,
        reference=reference,
    )
    return Accepted(request, tuple(warnings))


def _missing(wanted: Wanted) -> list[str]:
    missing = []
    if not wanted.text.strip():
        missing.append("请输入合成文本。Type a text to speak.")
    if wanted.mode not in STEPS:
        missing.append(f"没有模式 {wanted.mode!r}。There is no such mode; the modes are {', '.join(STEPS)}.")
    if wanted.mode == PRESET and not wanted.voice:
        missing.append("请选择预训练音色。Choose a preset voice.")
    if wanted.mode in (ZERO_SHOT, CROSS_LINGUAL) and wanted.recording is None:
        missing.append("prompt 音频为空，请上传或录制。There is no prompt audio; upload or record some.")
    if wanted.mode == ZERO_SHOT and not wanted.prompt_text.strip():
        missing.append("prompt 文本为空，请输入录音里说的话。The prompt text is empty; type what the recording says.")
    if wanted.mode == INSTRUCT and not wanted.instruction.strip():
        missing.append("请输入 instruct 文本。The instruct text is empty; say how it should sound.")
    return missing


def _ignored(wanted: Wanted) -> list[SpeechWarning]:
    ignored = []
    if wanted.mode == PRESET and wanted.recording is not None:
        ignored.append(("prompt 音频", "the prompt audio"))
    if wanted.mode != ZERO_SHOT and wanted.prompt_text.strip():
        ignored.append(("prompt 文本", "the prompt text"))
    if wanted.mode != INSTRUCT and wanted.instruction.strip():
        ignored.append(("instruct 文本", "the instruct text"))
    return [
        SpeechWarning("field_ignored", f"The mode {wanted.mode} does not use {en}.", f"{wanted.mode}模式不使用{zh}。")
        for zh, en in ignored
    ]
