"""Every speech as those see it who run the studio: counted, logged and traced, by engine and outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Histogram

from isoline_voice.engines.protocol import BYTES_PER_SAMPLE, Pieces, Speech, SpeechRequest
from isoline_voice.errors import EngineBusyError, InvalidRequestError, VoiceError

Outcome = Literal["spoken", "cancelled", "failed", "refused"]
"""All of it was taken; nobody listened any more; the engine failed; the request was wrong or there was no room."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

FIRST_AUDIO_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FACTOR_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)

_log = structlog.get_logger("isoline_voice.speech")


class SpeechFigures:
    """Prometheus' figures of speeches; the engine is one of those configured, so no stranger chooses a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.speeches = Counter(
            "isoline_voice_speeches",
            "Speeches that are over, by the engine that spoke and how they ended.",
            ("engine", "outcome"),
            registry=registry,
        )
        self.first_audio = Histogram(
            "isoline_voice_speech_first_audio_seconds",
            "From the moment a speech is asked for to its first audio, waiting for a turn included.",
            ("engine",),
            buckets=FIRST_AUDIO_BUCKETS,
            registry=registry,
        )
        self.real_time_factor = Histogram(
            "isoline_voice_speech_real_time_factor",
            "Seconds that were waited for the engine, for each second of audio.",
            ("engine",),
            buckets=FACTOR_BUCKETS,
            registry=registry,
        )

    def offer(self, engine: str) -> None:
        """Show an engine before it has spoken: a figure that is not there yet looks like one that does not exist."""
        for outcome in OUTCOMES:
            self.speeches.labels(engine, outcome)


@dataclass(slots=True)
class _Account:
    """What is known of one speech; times in seconds, `waited` of them for the engine."""

    request: SpeechRequest
    engine: str
    began: float
    span: trace.Span
    first_audio: float | None = None
    waited: float = 0.0
    audio: float = 0.0


class SpeechObserver:
    """Watches speeches from the moment they are asked for; with `log_text` the log also holds what was said."""

    def __init__(self, figures: SpeechFigures, *, log_text: bool) -> None:
        self._figures = figures
        self._log_text = log_text
        self._tracer = trace.get_tracer("isoline_voice")

    async def watch(self, request: SpeechRequest, beginning: Awaitable[Speech], *, preferred: str) -> Speech:
        """The speech that `beginning` gives, watched to its end; `preferred` is the engine for want of one that speaks.

        Raises what `beginning` raises.
        """
        attributes = {"voice.characters": len(request.text), "voice.priority": request.priority}
        span = self._tracer.start_span("speak", attributes=attributes)
        account = _Account(request, preferred, time.perf_counter(), span)
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                speech = await beginning
        except BaseException as error:
            self._over(account, _outcome(error), error)
            raise
        account.engine = speech.voice.engine
        account.waited = time.perf_counter() - account.began
        return replace(speech, pieces=_WatchedPieces(speech, account, self))

    def first_audio(self, account: _Account) -> None:
        """Called with the first piece."""
        account.first_audio = time.perf_counter() - account.began
        self._figures.first_audio.labels(account.engine).observe(account.first_audio)
        account.span.add_event("first audio")

    def over(self, account: _Account, error: BaseException | None) -> None:
        """Called once, when all pieces are taken (no error), at a failure, or with CancelledError when it is closed."""
        self._over(account, "spoken" if error is None else _outcome(error), error)

    def _over(self, account: _Account, outcome: Outcome, error: BaseException | None) -> None:
        self._figures.speeches.labels(account.engine, outcome).inc()
        if outcome == "spoken" and account.audio:
            self._figures.real_time_factor.labels(account.engine).observe(account.waited / account.audio)
        code = error.code if isinstance(error, VoiceError) else type(error).__name__ if outcome == "failed" else None
        self._end_span(account, outcome, code)
        request = account.request
        told = {
            "engine": account.engine,
            "outcome": outcome,
            "client": request.client,
            "characters": len(request.text),
            "audio_seconds": round(account.audio, 3),
            "seconds": round(time.perf_counter() - account.began, 3),
            **({} if account.first_audio is None else {"first_audio_ms": round(account.first_audio * 1000, 1)}),
            **({} if code is None else {"code": code}),
            **({"text": request.text} if self._log_text else {}),
        }
        (_log.error if outcome == "failed" else _log.info)("speech", **told)

    @staticmethod
    def _end_span(account: _Account, outcome: Outcome, code: str | None) -> None:
        span = account.span
        span.set_attribute("voice.engine", account.engine)
        span.set_attribute("voice.outcome", outcome)
        span.set_attribute("voice.audio_seconds", account.audio)
        if outcome == "failed":
            span.set_status(trace.StatusCode.ERROR, code)
        span.end()


def _outcome(error: BaseException) -> Outcome:
    match error:
        case asyncio.CancelledError() | GeneratorExit():
            return "cancelled"
        case InvalidRequestError() | EngineBusyError():
            return "refused"
        case _:
            return "failed"


class _WatchedPieces:
    """The pieces of a speech, unchanged."""

    def __init__(self, speech: Speech, account: _Account, observer: SpeechObserver) -> None:
        self._pieces: Pieces = speech.pieces
        self._bytes_a_second = BYTES_PER_SAMPLE * speech.rate
        self._account = account
        self._observer = observer
        self._over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        asked = time.perf_counter()
        try:
            piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            self._end(None)
            raise
        except BaseException as error:
            self._end(error)
            raise
        self._account.waited += time.perf_counter() - asked
        self._account.audio += len(piece) / self._bytes_a_second
        if self._account.first_audio is None:
            self._observer.first_audio(self._account)
        return piece

    async def aclose(self) -> None:
        """Stop; before the end that is a cancel."""
        self._end(asyncio.CancelledError())
        await self._pieces.aclose()

    def _end(self, error: BaseException | None) -> None:
        if not self._over:
            self._over = True
            self._observer.over(self._account, error)
