"""Speech taken apart by WORLD into pitch, spectral envelope and breath, changed, and put together again.

For what espeak-ng has no control of: how bright, breathy or trembling a voice is, how a phrase ends, and the pitch and
timbre of a recording. (Morise, Yokomori and Ozawa, 2016; pyworld.) It costs about a tenth of the time that the speech
lasts, so it is used for styles and recordings only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyworld

from isoline_voice.audio.levels import Samples

Curve = npt.NDArray[np.float64]

LOWEST_F0, HIGHEST_F0 = 60.0, 600.0
FRAME_MILLISECONDS = 5.0
BANDS = 48
"""Bands of the timbre, evenly spaced on the mel scale up to TOP hertz."""
TOP = 8_000.0
TILT_FROM = 500.0
TREMOR_HERTZ = 5.5
ENDING_SECONDS = 0.6
"""How long before its end a phrase begins to rise or fall."""
FADE_FRAMES = 3
MOST_EQUALISED = 8.0
WARPS = np.exp(np.linspace(np.log(0.8), np.log(1.25), 31))
FEWEST_VOICED = 20


@dataclass(frozen=True, slots=True)
class Timbre:
    """Whose voice: the middle of its pitch and its spread, in semitones above 1 Hz, and its mean spectrum in decibels
    by BANDS, about a mean of 0."""

    pitch: float
    spread: float
    spectrum: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How speech is to be changed; the defaults change nothing.

    `tilt` is in decibels an octave above TILT_FROM, `breath` from 0 to 1, `tremor` the semitones by which the pitch
    trembles, `ending` those by which it rises or falls at the end of a phrase; `like` is a voice to come near to.
    """

    tilt: float = 0.0
    breath: float = 0.0
    tremor: float = 0.0
    ending: float = 0.0
    like: Timbre | None = field(default=None)

    def __bool__(self) -> bool:
        return self != Shape()


def timbre_of(samples: Samples, rate: int) -> Timbre | None:
    """The timbre of a recording; None when hardly anything in it is voiced."""
    speech = samples.astype(np.float64)
    f0, times = _pitch(speech, rate)
    if np.count_nonzero(f0) < FEWEST_VOICED:
        return None
    return _timbre(f0, pyworld.cheaptrick(speech, f0, times, rate), rate)


def reshape(samples: Samples, rate: int, shape: Shape) -> Samples:
    """As many samples, changed, at the same level; unchanged when there is nothing voiced in them."""
    speech = samples.astype(np.float64)
    f0, times = _pitch(speech, rate)
    if np.count_nonzero(f0) < FEWEST_VOICED:
        return samples
    spectrum = pyworld.cheaptrick(speech, f0, times, rate)
    breath = pyworld.d4c(speech, f0, times, rate)
    if shape.like is not None:
        own = _timbre(f0, spectrum, rate)
        f0, spectrum = _pitch_like(f0, own, shape.like), _spectrum_like(spectrum, own, shape.like, rate)
    f0 = _melody(f0, times, shape)
    if shape.tilt:
        spectrum = spectrum * _tilt(shape.tilt, spectrum.shape[1], rate)
    if shape.breath:
        breath = breath + (1.0 - breath) * shape.breath
    made = pyworld.synthesize(f0, np.ascontiguousarray(spectrum), breath, rate, FRAME_MILLISECONDS)
    shaped = _as_before(made, speech)
    return shaped if shape.like is not None else _with_consonants(shaped, samples, f0, rate)


def _with_consonants(shaped: Samples, samples: Samples, f0: Curve, rate: int) -> Samples:
    """What is shaped where there is voice, and the samples as they were elsewhere: WORLD blurs consonants."""
    frame = int(rate * FRAME_MILLISECONDS / 1000)
    voiced = np.convolve(f0 > 0, np.full(FADE_FRAMES, 1 / FADE_FRAMES), mode="same")
    share = np.interp(np.arange(samples.size), np.arange(voiced.size) * frame, voiced).astype(np.float32)
    mixed: Samples = shaped * share + samples * (1.0 - share)
    return mixed


def _pitch(speech: Curve, rate: int) -> tuple[Curve, Curve]:
    f0, times = pyworld.dio(speech, rate, f0_floor=LOWEST_F0, f0_ceil=HIGHEST_F0, frame_period=FRAME_MILLISECONDS)
    return pyworld.stonemask(speech, f0, times, rate), times


def _timbre(f0: Curve, spectrum: Curve, rate: int) -> Timbre:
    voiced = f0 > 0
    semitones = 12.0 * np.log2(f0[voiced])
    # Rumble and hiss below the voice say nothing of it: frames count by how loud they are. They are averaged in
    # decibels, where a hissed consonant that was taken for voice in a frame or two does not outshout the vowels.
    weights = spectrum[voiced].sum(axis=1)
    loudness = 10.0 * np.log10(np.maximum(spectrum[voiced], 1e-16))
    decibels = _by_bands(np.average(loudness, axis=0, weights=weights / weights.sum()), rate)
    return Timbre(float(np.median(semitones)), float(np.std(semitones)), tuple(decibels - decibels.mean()))


def _band_centres() -> Curve:
    top = 2595.0 * np.log10(1.0 + TOP / 700.0)
    mels = (np.arange(BANDS) + 0.5) * top / BANDS
    centres: Curve = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return centres


def _by_bands(decibels: Curve, rate: int) -> Curve:
    bins = np.linspace(0.0, rate / 2, decibels.size)
    return np.interp(_band_centres(), bins, decibels)


def _pitch_like(f0: Curve, own: Timbre, like: Timbre) -> Curve:
    voiced = f0 > 0
    wider = np.clip(like.spread / max(own.spread, 0.1), 0.6, 1.6)
    semitones = like.pitch + (12.0 * np.log2(f0[voiced]) - own.pitch) * wider
    moved = np.zeros_like(f0)
    moved[voiced] = np.clip(2.0 ** (semitones / 12.0), LOWEST_F0, HIGHEST_F0)
    return moved


def _spectrum_like(spectrum: Curve, own: Timbre, like: Timbre, rate: int) -> Curve:
    """Formants moved by the ratio that makes the mean spectra most alike, and what still differs equalised."""
    centres, wanted = _band_centres(), np.asarray(like.spectrum)
    mean = np.asarray(own.spectrum)
    warped = [np.interp(centres / warp, centres, mean) for warp in WARPS]
    likeness = [float(np.corrcoef(each - np.poly1d(np.polyfit(centres, each, 1))(centres),
                                  wanted - np.poly1d(np.polyfit(centres, wanted, 1))(centres))[0, 1])
                for each in warped]  # fmt: skip
    best = int(np.argmax(likeness))
    bins = np.linspace(0.0, rate / 2, spectrum.shape[1])
    moved = np.exp(
        np.apply_along_axis(
            lambda frame: np.interp(bins / WARPS[best], bins, frame), 1, np.log(np.maximum(spectrum, 1e-16))
        )
    )
    smooth = np.convolve(np.pad(wanted - warped[best], 2, mode="edge"), np.full(5, 0.2), mode="valid")
    gains = np.interp(bins, centres, np.clip(smooth - smooth.mean(), -MOST_EQUALISED, MOST_EQUALISED))
    equalised: Curve = moved * 10.0 ** (gains / 10.0)
    return equalised


def _melody(f0: Curve, times: Curve, shape: Shape) -> Curve:
    semitones = shape.tremor * np.sin(2.0 * np.pi * TREMOR_HERTZ * times)
    if shape.ending:
        voiced = np.flatnonzero(f0)
        begins = times[voiced[-1]] - ENDING_SECONDS
        semitones = semitones + shape.ending * np.clip((times - begins) / ENDING_SECONDS, 0.0, 1.0)
    moved: Curve = np.where(f0 > 0, np.clip(f0 * 2.0 ** (semitones / 12.0), LOWEST_F0, HIGHEST_F0), 0.0)
    return moved


def _tilt(decibels_an_octave: float, size: int, rate: int) -> Curve:
    bins = np.linspace(0.0, rate / 2, size)
    octaves = np.log2(np.maximum(bins, TILT_FROM) / TILT_FROM)
    power: Curve = 10.0 ** (decibels_an_octave * octaves / 10.0)
    return power


def _as_before(made: Curve, speech: Curve) -> Samples:
    fitted = np.zeros_like(speech)
    size = min(made.size, speech.size)
    fitted[:size] = made[:size]
    before, after = float(np.sqrt(np.mean(speech**2))), float(np.sqrt(np.mean(fitted**2)))
    if after > 0:
        fitted *= before / after
    return fitted.astype(np.float32)
