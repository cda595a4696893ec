"""Several engines as one: the first that can speak a request speaks it, and the listener is told which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from isoline_voice.engines.protocol import (
    Capabilities,
    Engine,
    EngineStats,
    Health,
    Pieces,
    Speech,
    SpeechRequest,
    SpeechWarning,
    Voice,
)
from isoline_voice.errors import (
    EngineUnavailableError,
    InvalidRequestError,
    ReferenceRequiredError,
    UnknownVoiceError,
    VoiceError,
)


class FallbackEngine:
    """Engines in the order in which they are preferred.

    An engine that is down, busy or broken before its first audio, or that has no such voice, is passed over for the
    next. What is wrong with the request itself is not tried elsewhere. An engine that speaks instead of one that is
    down uses its default voice when it does not know the one that was asked for, and says so.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)

    @property
    def name(self) -> str:
        """The preferred engine's; a Speech's voice tells which one spoke."""
        return self._engines[0].name

    @property
    def capabilities(self) -> Capabilities:
        """The preferred engine's."""
        return self._engines[0].capabilities

    def voices(self) -> Sequence[Voice]:
        """All voices, those of the preferred engine first; of two with one id the first counts."""
        found: dict[str, Voice] = {}
        for engine in self._engines:
            for voice in engine.voices():
                found.setdefault(voice.id, voice)
        return list(found.values())

    async def start(self) -> None:
        """Start all; raises EngineUnavailableError only when none can be started."""
        reasons = [await self._started(engine) for engine in self._engines]
        if all(reasons):
            raise EngineUnavailableError("; ".join(filter(None, reasons)))

    async def stop(self) -> None:
        """Stop all."""
        await asyncio.gather(*(engine.stop() for engine in self._engines))

    async def health(self) -> Health:
        """Ready while one of them is."""
        each = await asyncio.gather(*(engine.health() for engine in self._engines))
        told = "; ".join(f"{engine.name}: {health.detail}" for engine, health in zip(self._engines, each, strict=True))
        return Health(any(health.ok for health in each), told)

    def stats(self) -> EngineStats:
        """The sums, and the parts."""
        each = [engine.stats() for engine in self._engines]
        return EngineStats(
            workers=sum(stats.workers for stats in each),
            busy=sum(stats.busy for stats in each),
            queued=sum(stats.queued for stats in each),
            active=sum(stats.active for stats in each),
            restarts=sum(stats.restarts for stats in each),
            utterances=sum(stats.utterances for stats in each),
            audio_seconds=sum(stats.audio_seconds for stats in each),
            waited_seconds=sum(stats.waited_seconds for stats in each),
            parts=tuple(each),
        )

    async def speak(self, request: SpeechRequest) -> Speech:
        """Begin to speak with the first engine that can; see `Engine.speak`.

        The answer of an engine that has another behind it is awaited up to its first audio.
        """
        down: list[tuple[Engine, VoiceError]] = []
        refused: list[VoiceError] = []
        for engine in self._engines:
            try:
                speech = await self._ask(engine, request, instead=bool(down))
            except (UnknownVoiceError, ReferenceRequiredError) as error:
                refused.append(error)
            except InvalidRequestError:
                raise
            except VoiceError as error:
                down.append((engine, error))
            else:
                return replace(speech, warnings=(*(_passed_over(*each) for each in down), *speech.warnings))
        raise down[0][1] if down else refused[-1]

    async def _ask(self, engine: Engine, request: SpeechRequest, *, instead: bool) -> Speech:
        """Speech of one engine; in a voice of its own when it speaks `instead` of one that is down."""
        substituted: tuple[SpeechWarning, ...] = ()
        try:
            speech = await engine.speak(request)
        except UnknownVoiceError:
            if not instead or not engine.voices():
                raise
            own = engine.voices()[0]
            speech = await engine.speak(replace(request, voice=own.id))
            substituted = (_another_voice(request.voice, own),)
        if engine is not self._engines[-1]:
            speech = await _begun(speech)
        return replace(speech, warnings=(*substituted, *speech.warnings))

    async def _started(self, engine: Engine) -> str | None:
        try:
            await engine.start()
        except EngineUnavailableError as error:
            return f"{engine.name}: {error.message}"
        return None


async def _begun(speech: Speech) -> Speech:
    try:
        first = await anext(aiter(speech.pieces), None)
    except BaseException:
        await speech.aclose()
        raise
    return replace(speech, pieces=_Resumed(first, speech.pieces))


class _Resumed:
    """Pieces of which the first has been taken already."""

    def __init__(self, first: bytes | None, rest: Pieces) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, None
        return await self._rest.__anext__() if first is None else first

    async def aclose(self) -> None:
        self._first = None
        await self._rest.aclose()


def _passed_over(engine: Engine, error: VoiceError) -> SpeechWarning:
    return SpeechWarning(
        "engine_fallback",
        f"The engine {engine.name} was passed over: {error.message}",
        f"引擎 {engine.name} 未能使用：{error.message}",
    )


def _another_voice(asked: str, own: Voice) -> SpeechWarning:
    return SpeechWarning(
        "voice_substituted",
        f"The voice {asked} cannot be had while its engine is away; spoken by {own.name}.",
        f"声音 {asked} 所在的引擎暂不可用，改由“{own.name}”朗读。",
    )
