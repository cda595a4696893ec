"""What every speech engine offers, and what is handed to it.

Audio is mono, little-endian signed 16 bit PCM throughout; a `Speech` says at which rate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from isoline_voice.styles.style import Style

Priority = Literal["interactive", "batch"]

BYTES_PER_SAMPLE = 2
"""Of the audio of a Speech: 16 bits, one channel."""
MIN_SPEED = 0.25
MAX_SPEED = 4.0


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that can be asked for.

    `id` is what a request names; `language` the BCP 47 tag of the voice's home language, which it uses for text whose
    script leaves the choice open; `name` and `description` are for humans.
    """

    id: str
    name: str
    language: str
    engine: str
    description: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine really renders; everything else in a style becomes a warning.

    `dialects`, `emotions` and `personas` hold the names that `Style` uses, `languages` BCP 47 tags, `tags` the marks
    for sounds of `text.tags`. `phonemes` tells whether CMU phonemes in the text are followed, `instructions` whether
    wishes are rendered by the model itself. `max_characters` bounds one request's text.
    """

    dialects: frozenset[str]
    languages: frozenset[str]
    emotions: frozenset[str]
    volume: bool
    rate: bool
    pitch: bool
    cloning: bool
    max_characters: int
    personas: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    pauses: bool = False
    phonemes: bool = False
    instructions: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A recording to take the voice from: the bytes of a WAV file of at most 30 s, and what is said in it if known."""

    audio: bytes
    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A text to speak.

    `speed` multiplies the rate that `style` asks for (0.25 to 4). `language` is a BCP 47 tag that settles the language
    of text whose script leaves it open (Latin script, Han characters). `seed` makes the output repeatable, which
    takes a little longer. `reference` is the recording whose voice is wanted; without it the voice's own is used.

    `client` tells who asks, so that clients take turns; what is asked for as a "batch" waits for what is "interactive".
    `deadline` is how many seconds the request may wait for its turn and its first audio.
    """

    text: str
    voice: str = "alloy"
    style: Style = field(default_factory=Style)
    speed: float = 1.0
    language: str | None = None
    seed: int | None = None
    reference: Reference | None = None
    client: str = ""
    priority: Priority = "interactive"
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechWarning:
    """Something that was asked for and not done, with the reason in English and Chinese. `code` is stable."""

    code: str
    en: str
    zh: str

    def message(self, language: str = "en") -> str:
        """The sentence in Chinese for any `zh…` language tag, else in English."""
        return self.zh if language.lower().startswith("zh") else self.en

    def to_json(self) -> dict[str, str]:
        """`code`, `message` (English) and `message_zh`."""
        return {"code": self.code, "message": self.en, "message_zh": self.zh}


class Pieces(Protocol):
    """PCM as it is spoken, an asynchronous iterator of pieces of a fifth of a second at most.

    `aclose` cancels, at any moment, also before the first piece, and may be called again.
    """

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself."""
        ...

    async def __anext__(self) -> bytes:
        """The next piece, never empty; raises SynthesisError or EngineUnavailableError when the engine fails."""
        ...

    async def aclose(self) -> None:
        """Stop speaking and free the worker at once; resumes nothing, raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance under way.

    `rate` is in hertz, `voice` the one that speaks, `style` what was understood. All warnings are known before the
    first piece. Iterating `pieces` raises SynthesisError or SynthesisTimeoutError when the engine fails half way.
    """

    rate: int
    voice: Voice
    style: Style
    warnings: tuple[SpeechWarning, ...]
    pieces: Pieces

    async def aclose(self) -> None:
        """The same as `pieces.aclose()`."""
        await self.pieces.aclose()


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine takes work now, and why not."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Gauges and counters since start: `busy` workers of `workers`, `queued` pieces of work, `active` utterances,
    worker `restarts`, `utterances` begun, `audio_seconds` spoken, and `waited_seconds` that requests have queued.

    Where several engines are one, `parts` has the figures of each.
    """

    workers: int = 0
    busy: int = 0
    queued: int = 0
    active: int = 0
    restarts: int = 0
    utterances: int = 0
    audio_seconds: float = 0.0
    waited_seconds: float = 0.0
    engine: str = ""
    parts: tuple[EngineStats, ...] = ()

    def each(self) -> tuple[EngineStats, ...]:
        """The figures by engine."""
        return self.parts or (self,)


class Engine(Protocol):
    """A source of speech."""

    @property
    def name(self) -> str:
        """The engine's name, as in `Voice.engine` and the header X-Voice-Engine."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it really renders."""
        ...

    def voices(self) -> Sequence[Voice]:
        """The voices that it offers, the default first; aliases are left out."""
        ...

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak; returns as soon as the text is planned, with the audio still to come.

        Raises InvalidRequestError (empty or too long text, speed out of range), UnknownVoiceError, EngineBusyError or
        EngineUnavailableError. Whoever takes the Speech iterates it to its end or closes it.
        """
        ...

    async def health(self) -> Health:
        """Whether it can speak now."""
        ...

    def stats(self) -> EngineStats:
        """Figures for the metrics page."""
        ...

    async def start(self) -> None:
        """Make it ready to speak; raises EngineUnavailableError with the reason."""
        ...

    async def stop(self) -> None:
        """Close every utterance and free everything; may be called again."""
        ...
