"""Is a recording good enough to take a voice from? Each finding says what was heard and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from isoline_voice.audio.encoders import WavEncoder
from isoline_voice.audio.levels import Samples, gain_of, limit, to_int16
from isoline_voice.audio.loudness import TARGET, loudness
from isoline_voice.voices.decoding import RATE, Recording

LOWEST_RATE = 16_000
SHORTEST_SECONDS, SHORT_SECONDS, LONGEST_SECONDS = 1.0, 3.0, 30.0
FAINT_DECIBELS, QUIET_DECIBELS = -55.0, -38.0
"""The RMS of the loud tenth of the frames, in dBFS: below the first nothing can be made of it."""
CLIPPED_SHARE, MUCH_CLIPPED_SHARE = 0.0005, 0.02
NOISY_DECIBELS = 18.0
"""From the quiet tenth of the frames to the loud one; a quiet room gives 35 dB and more."""
VOICED_SHARE = 0.15
FLAT_SEMITONES = 0.15
"""A voice moves its pitch by more than this even when it tries not to; a tone does not."""

FRAME = RATE // 50
MARGIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable; an "error" refuses the recording. The message is in English and Chinese."""

    code: str
    level: Literal["error", "warning"]
    message: str
    message_zh: str

    def to_json(self) -> dict[str, str]:
        """The four fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """The recording as it will be used (trimmed, at most 30 s, -23 LUFS, at RATE), and what was found."""

    samples: Samples
    findings: tuple[Finding, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples.size / RATE

    @property
    def usable(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.level != "error" for finding in self.findings)

    def wav(self) -> bytes:
        """The samples as a WAV file."""
        encoder = WavEncoder(RATE, length=self.samples.size)
        return encoder.feed(to_int16(self.samples)) + encoder.finish()


def check(recording: Recording) -> Checked:
    """Judge a recording and prepare it; never raises."""
    found: list[Finding] = []
    if recording.rate < LOWEST_RATE:
        found.append(_low_rate(recording.rate))
    trimmed = _trimmed(recording.samples)
    levels = _levels(trimmed)
    loud = float(np.percentile(levels, 90)) if levels.size else -120.0
    quiet = float(np.percentile(_levels(recording.samples), 10)) if levels.size else -120.0
    if loud < FAINT_DECIBELS:
        return Checked(trimmed[: int(LONGEST_SECONDS * RATE)], (*found, _FAINT))
    found += _of_length(trimmed.size / RATE, cut=recording.left)
    found += _of_level(trimmed, loud=loud, quiet=quiet)
    kept = trimmed[: int(LONGEST_SECONDS * RATE)]
    if not _is_speech(kept, levels[: kept.size // FRAME]):
        found.append(_NO_SPEECH)
    return Checked(_normalised(kept), tuple(found))


def _of_length(seconds: float, *, cut: bool) -> list[Finding]:
    if seconds < SHORTEST_SECONDS:
        return [_too_short(seconds)]
    if seconds > LONGEST_SECONDS or cut:
        return [_CUT]
    return [_short(seconds)] if seconds < SHORT_SECONDS else []


def _of_level(samples: Samples, *, loud: float, quiet: float) -> list[Finding]:
    found = [_QUIET] if loud < QUIET_DECIBELS else []
    clipped = _clipped_share(samples)
    if clipped > CLIPPED_SHARE:
        found.append(_clipping(clipped, "error" if clipped > MUCH_CLIPPED_SHARE else "warning"))
    if loud - quiet < NOISY_DECIBELS:
        found.append(_noisy(loud - quiet))
    return found


def _levels(samples: Samples) -> npt.NDArray[np.float64]:
    """The RMS of each frame in dBFS."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    levels: npt.NDArray[np.float64] = 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels


def _trimmed(samples: Samples) -> Samples:
    levels = _levels(samples)
    if not levels.size:
        return samples
    floor, top = float(np.percentile(levels, 5)), float(np.percentile(levels, 95))
    heard = np.flatnonzero(levels > max(top - 40.0, min(floor + 6.0, top - 12.0)))
    if not heard.size:
        return samples
    margin = int(MARGIN_SECONDS * RATE)
    return samples[max(0, heard[0] * FRAME - margin) : (heard[-1] + 1) * FRAME + margin]


def _clipped_share(samples: Samples) -> float:
    """The share of samples that stand with their neighbours at the very top: a peak touches it once, clipping stays."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 0.5:
        return 0.0
    at_top = np.abs(samples) >= 0.995 * peak
    runs = at_top[:-2] & at_top[1:-1] & at_top[2:]
    return float(runs.mean()) if runs.size else 0.0


def _is_speech(samples: Samples, levels: npt.NDArray[np.float64]) -> bool:
    """Whether enough of it is voiced with a pitch that moves."""
    size = 2 * FRAME
    count = samples.size // size
    if not count:
        return False
    frames = samples[: count * size].reshape(count, size).astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(frames, 2 * size, axis=1)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :size]
    shortest, longest = RATE // 500, RATE // 60
    lags = likeness[:, shortest:longest].argmax(axis=1) + shortest
    strength = likeness[np.arange(count), lags] / np.maximum(likeness[:, 0], 1e-9)
    active = levels[: 2 * count].reshape(-1, 2).max(axis=1) if levels.size >= 2 * count else np.zeros(count)
    voiced = (strength > 0.45) & (active > np.percentile(levels, 90) - 25.0)
    if voiced.mean() < VOICED_SHARE:
        return False
    return float(np.std(12.0 * np.log2(RATE / lags[voiced]))) > FLAT_SEMITONES


def _normalised(samples: Samples) -> Samples:
    measured = loudness(samples, RATE)
    return samples if measured is None else limit((samples * np.float32(gain_of(TARGET - measured))).astype(np.float32))


def _low_rate(rate: int) -> Finding:
    return Finding(
        "rate_too_low",
        "error",
        f"The recording has {rate} Hz, like a telephone; record it with 16000 Hz or more.",
        f"录音的采样率只有 {rate} Hz，像电话一样；请用 16000 Hz 以上重新录制。",
    )


def _too_short(seconds: float) -> Finding:
    return Finding(
        "too_short",
        "error",
        f"Only {seconds:.1f} s of speech are left after trimming silence; record 3 to 30 s.",
        f"去掉静音后只剩 {seconds:.1f} 秒；请录制 3 到 30 秒。",
    )


def _short(seconds: float) -> Finding:
    return Finding(
        "short",
        "warning",
        f"{seconds:.1f} s of speech are little; the voice comes nearer with 5 to 15 s.",
        f"只有 {seconds:.1f} 秒，偏短；5 到 15 秒效果更好。",
    )


def _clipping(share: float, level: Literal["error", "warning"]) -> Finding:
    return Finding(
        "clipping",
        level,
        f"{share:.1%} of the recording is clipped; turn the microphone down or stand further away.",
        f"录音有 {share:.1%} 削波失真；请调低麦克风音量或离远一些。",
    )


def _noisy(decibels: float) -> Finding:
    return Finding(
        "noisy",
        "warning",
        f"The voice is only {decibels:.0f} dB above the noise; record in a quiet room, near the microphone.",
        f"人声只比噪声高 {decibels:.0f} dB；请在安静的房间里靠近麦克风录制。",
    )


_CUT = Finding("too_long", "warning", "Only the first 30 s of the recording are used.", "只使用录音的前 30 秒。")
_QUIET = Finding(
    "quiet",
    "warning",
    "The recording is quiet and was made louder; speak up or come nearer to the microphone.",
    "录音偏轻，已自动放大；请大声些或靠近麦克风。",
)
_FAINT = Finding(
    "silent",
    "error",
    "Next to nothing can be heard in the recording; check that the microphone is on and record again.",
    "录音里几乎听不到声音；请检查麦克风后重新录制。",
)
_NO_SPEECH = Finding(
    "no_speech",
    "error",
    "No voice can be heard in the recording; record one person who speaks, without music.",
    "录音里听不出人声；请录制一个人说话的声音，不要有音乐。",
)
