"""The embedded engine behind the engine protocol."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isoline_voice.audio.finishing import OUTPUT_RATE, Finisher
from isoline_voice.audio.world import Shape
from isoline_voice.engines.embedded.fresh import FreshWorker
from isoline_voice.engines.embedded.planning import Part, Tongues, plan
from isoline_voice.engines.embedded.pool import PROGRESS_TIMEOUT, WorkerPool
from isoline_voice.engines.embedded.rendering import EMOTIONS, PERSONAS, render
from isoline_voice.engines.embedded.shortfalls import DIALECTS, SUPPORTED, shortfalls
from isoline_voice.engines.embedded.utterance import Utterance
from isoline_voice.engines.embedded.vocoder import Vocoder
from isoline_voice.engines.embedded.voices import ENGINE, TONGUES, VOICES, Speaker, find_speaker
from isoline_voice.engines.protocol import (
    MAX_SPEED,
    MIN_SPEED,
    Capabilities,
    EngineStats,
    Health,
    Speech,
    SpeechRequest,
    SpeechWarning,
    Voice,
)
from isoline_voice.errors import EngineBusyError, EngineUnavailableError, InvalidRequestError, text_too_long
from isoline_voice.styles.catalog import catalog
from isoline_voice.styles.parser import parse_style
from isoline_voice.styles.style import Style
from isoline_voice.text.cleaning import clean, speakable
from isoline_voice.text.languages import scripts
from isoline_voice.text.pinyin import respelled, with_characters
from isoline_voice.text.tags import phonemes_in, sounds_in, without_phonemes

MAX_CHARACTERS = 1_000_000
MAX_UTTERANCES = 256
MAX_QUEUED_PER_WORKER = 64
LONG_TEXT = 20_000
"""Characters from which a text is looked over in a thread, so that others' audio does not stutter."""


IMITATED = SpeechWarning(
    "reference_imitated",
    "This engine imitates the recording's pitch and timbre; to clone a voice takes a CosyVoice3 engine.",
    "此引擎只模仿录音的音高和音色；复刻声音需要 CosyVoice3 引擎。",
)


class EmbeddedEngine:
    """espeak-ng in worker processes, one a core unless told.

    `max_utterances` bounds how many texts are under way at a time, and with them the memory.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        max_utterances: int = MAX_UTTERANCES,
        progress_timeout: float = PROGRESS_TIMEOUT,
    ) -> None:
        self.pool = WorkerPool(workers, progress_timeout=progress_timeout)
        self._vocoder = Vocoder(self.pool.size)
        self._fresh = asyncio.Semaphore(self.pool.size)
        self._max_utterances = max_utterances
        self._active: set[Utterance] = set()
        self._utterances = 0
        self._audio_seconds = 0.0
        self._started = False

    @property
    def name(self) -> str:
        """The engine's name."""
        return ENGINE

    @property
    def capabilities(self) -> Capabilities:
        """Mandarin and Cantonese of the dialects, and all that is pitch, pace or loudness; no cloning."""
        return Capabilities(
            dialects=frozenset(DIALECTS),
            languages=frozenset(TONGUES),
            emotions=frozenset(EMOTIONS),
            volume=True,
            rate=True,
            pitch=True,
            cloning=False,
            max_characters=MAX_CHARACTERS,
            personas=frozenset(PERSONAS),
            pauses=True,
        )

    def voices(self) -> Sequence[Voice]:
        """Two voices a language, Mandarin first; OpenAI's names work as well but are not listed."""
        return VOICES

    async def start(self) -> None:
        """Start the workers; raises EngineUnavailableError with the reason."""
        await self.pool.start()
        _warm_up(self.pool.rate)
        self._started = True

    async def stop(self) -> None:
        """Close every utterance and end the workers."""
        self._started = False
        await asyncio.gather(*(utterance.aclose() for utterance in tuple(self._active)))
        await self.pool.stop()
        await self._vocoder.stop()

    async def health(self) -> Health:
        """Ready while at least one worker lives."""
        if not self._started or self.pool.alive == 0:
            return Health(ok=False, detail=f"no speech worker runs: {self.pool.trouble}")
        return Health(ok=True, detail=f"{self.pool.alive} of {self.pool.size} speech workers run")

    def stats(self) -> EngineStats:
        """Figures for the metrics page."""
        return EngineStats(
            workers=self.pool.alive,
            busy=self.pool.busy,
            queued=self.pool.queued,
            active=len(self._active),
            restarts=self.pool.restarts,
            utterances=self._utterances,
            audio_seconds=self._audio_seconds,
        )

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak; see `Engine.speak`."""
        self._admit()
        if len(request.text) > LONG_TEXT:
            script = await asyncio.to_thread(_script, request)
            self._admit()
        else:
            script = _script(request)
        warnings = script.warnings
        like = None
        if request.reference is not None:
            like = await self._vocoder.timbre(request.reference)
            warnings = (*warnings, IMITATED)
            self._admit()
        source = self.pool if request.seed is None else FreshWorker(self._fresh, rate=self.pool.rate)
        utterance = Utterance(
            source,
            script.parts,
            stretch=script.stretch,
            vocoder=self._vocoder,
            shape=script.shape if like is None else dataclasses.replace(script.shape, like=like),
            client=request.client,
            priority=request.priority,
            closed=self._ended,
        )
        self._active.add(utterance)
        self._utterances += 1
        return Speech(OUTPUT_RATE, script.speaker.voice, request.style, warnings, utterance)

    def _admit(self) -> None:
        if not self._started:
            raise EngineUnavailableError("The speech engine does not run; try again when it is ready.")
        if len(self._active) >= self._max_utterances or self.pool.queued >= self.pool.size * MAX_QUEUED_PER_WORKER:
            raise EngineBusyError("The studio speaks as many texts as it can; try again shortly.", retry_after=1.0)

    def _ended(self, utterance: Utterance, seconds: float) -> None:
        self._active.discard(utterance)
        self._audio_seconds += seconds


def _warm_up(rate: int) -> None:
    """Read the data files and touch the libraries now rather than while the first listener waits."""
    parse_style("四川化")  # a misspelling, so that the dictionary of sounds is read as well
    catalog()
    respelled("银行")
    finisher = Finisher(rate)
    finisher.begin(gain=2.0)
    finisher.feed(b"\0\x40" * rate)
    finisher.finish()


class _Script(NamedTuple):
    parts: Iterator[Part]
    speaker: Speaker
    warnings: tuple[SpeechWarning, ...]
    stretch: float
    shape: Shape


def _script(request: SpeechRequest) -> _Script:
    """All that can be settled before a worker is asked; raises InvalidRequestError or UnknownVoiceError."""
    if not MIN_SPEED <= request.speed <= MAX_SPEED or not math.isfinite(request.speed):
        raise InvalidRequestError(
            f"speed is {request.speed:g}; it has to be from {MIN_SPEED} to {MAX_SPEED}.",
            param="speed",
            code="speed_out_of_range",
        )
    if len(request.text) > MAX_CHARACTERS:
        raise text_too_long(len(request.text), most=MAX_CHARACTERS)
    if request.language is not None and request.language not in SUPPORTED:
        raise InvalidRequestError(
            f"This engine does not speak {request.language!r}. Languages: {', '.join(sorted(SUPPORTED))}.",
            param="language",
            code="language_unsupported",
        )
    speaker = find_speaker(request.voice)
    text = clean(without_phonemes(with_characters(request.text)))
    if not speakable(text):
        raise InvalidRequestError(
            "There is nothing to say: the text has no letters and no digits.", param="input", code="text_empty"
        )
    rendering = render(request.style, speed=request.speed, variant=speaker.variant)
    tongues = _tongues(request.style, request.language, speaker, text)
    warnings = shortfalls(
        request.style,
        text,
        speaker,
        language=request.language,
        sound_tags=bool(sounds_in(request.text)),
        phonemes=phonemes_in(request.text),
    )
    return _Script(plan(text, tongues, rendering), speaker, warnings, rendering.stretch, rendering.shape)


def _tongues(style: Style, language: str | None, speaker: Speaker, text: str) -> Tongues:
    """Who reads what: the request's language before the style's, and that before the voice's home language."""
    wished = language or (style.language if style.language in SUPPORTED else None)
    home = speaker.home
    han = DIALECTS.get(style.dialect or "", "") or next((tag for tag in (wished, home) if tag in ("zh", "yue")), "zh")
    if style.dialect is not None and style.dialect not in DIALECTS:
        han = "zh"
    english = next((tag for tag in (wished, home) if tag in ("en-US", "en-GB")), "en-US")
    latin = next((_latin(tag) for tag in (wished, home) if _latin(tag) is not None), None)
    bare = wished or home or ("en-US" if scripts(text) == {"latin"} else "zh")
    return Tongues(
        han, english, latin, "en" if bare.startswith("en") else "zh" if bare in ("zh", "yue", "hak") else bare
    )


def _latin(tag: str | None) -> str | None:
    """The language for Latin script that a tag settles, if any; Hakka is written in it too."""
    if tag is None or tag in ("zh", "yue", "ja", "ko", "ru"):
        return None
    return "en" if tag.startswith("en") else tag
