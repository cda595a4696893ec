"""Sending speech while it is spoken, and stopping the moment nobody listens any more."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypedDict

from prometheus_client import Counter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from isoline_voice.api.callers import Caller
from isoline_voice.api.errors import error_body, faults_of
from isoline_voice.api.headers import speech_headers, style_json, warnings_json
from isoline_voice.api.listening import while_listened
from isoline_voice.api.studio import Studio
from isoline_voice.audio.encoders import MEDIA_TYPES, Format, make_encoder
from isoline_voice.engines.protocol import BYTES_PER_SAMPLE, Speech, SpeechRequest, SpeechWarning
from isoline_voice.errors import InvalidRequestError, VoiceError

log = logging.getLogger(__name__)

FRAMES_PER_SECOND = 25

WHOLE_WAV_SECONDS = 60
"""Speech up to this long leaves /predict as one WAV file with its true length in the header."""


class Meter:
    """Counts the seconds of audio that pass, for the answer and for Prometheus."""

    def __init__(self, counter: Counter) -> None:
        self.seconds = 0.0
        self._counter = counter

    async def measure(self, speech: Speech) -> AsyncIterator[bytes]:
        """The speech's pieces, unchanged."""
        async for pcm in speech.pieces:
            seconds = len(pcm) / (BYTES_PER_SAMPLE * speech.rate)
            self.seconds += seconds
            self._counter.inc(seconds)
            yield pcm


class Common(TypedDict):
    """What every answer is told beside the studio and the request; see SpeechResponse."""

    route: str
    audio_format: Format
    caller: Caller
    warnings: Sequence[SpeechWarning]


class SpeechResponse(Response, ABC):
    """An answer that is spoken while it is sent.

    Whatever goes wrong before the first audio is raised, so that it becomes an error with its own status. When the
    client leaves, the speech is closed and its worker is free again. `whole` is set by a body whose first piece is all.
    `text_field` is what the request calls its text, for errors about it.
    """

    def __init__(
        self,
        studio: Studio,
        request: SpeechRequest,
        *,
        route: str,
        audio_format: Format,
        caller: Caller,
        warnings: Sequence[SpeechWarning] = (),
        text_field: str = "input",
    ) -> None:
        super().__init__()
        self.studio = studio
        self.request = request
        self.route = route
        self.audio_format = audio_format
        self.caller = caller
        self.request_warnings = tuple(warnings)
        self.whole = False
        self._text_field = text_field
        self.meter = Meter(studio.metrics.audio.labels(route))

    async def begin(self) -> Speech:
        """Begin to speak."""
        return await self.studio.speak(self.request, self.caller)

    @abstractmethod
    def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The answer's body, piece by piece; the first piece is sent together with the headers."""

    @abstractmethod
    def type_of_body(self) -> str:
        """The answer's Content-Type."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Speak and send; ends early when the client leaves."""
        try:
            await while_listened(self.studio, self.route, receive, self._speak(send))
        finally:
            if self.meter.seconds:
                characters, seconds = len(self.request.text), self.meter.seconds
                self.studio.usage.add(self.caller.tenant, characters=characters, seconds=seconds)

    async def _speak(self, send: Send) -> None:
        began = time.perf_counter()
        try:
            speech = await self.begin()
        except InvalidRequestError as error:
            if error.param == "input":
                error.param = self._text_field
            raise
        async with contextlib.aclosing(speech):
            body = self.body_of(speech, self.meter.measure(speech))
            first = await anext(body, b"")
            self.studio.metrics.first_audio.labels(self.route).observe(time.perf_counter() - began)
            await send({"type": "http.response.start", "status": 200, "headers": self._spoken_headers(speech, first)})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            try:
                async for piece in body:
                    if piece:
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
            except VoiceError as error:
                # The status has left: an answer without its last chunk is how HTTP says "broken off".
                log.error("%s broke off: %s", self.route, error)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def warnings_of(self, speech: Speech) -> tuple[SpeechWarning, ...]:
        """The request's own warnings and the engine's."""
        return (*self.request_warnings, *speech.warnings)

    def own_headers(self) -> dict[str, str]:
        """Headers of this kind of answer, once its first piece is known."""
        return {}

    def metadata_of(self, speech: Speech) -> dict[str, str]:
        """What the file says of its origin."""
        return self.studio.metadata_of(speech)

    def _spoken_headers(self, speech: Speech, first: bytes) -> list[tuple[bytes, bytes]]:
        headers: Mapping[str, str] = {
            "Content-Type": self.type_of_body(),
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            **({"Content-Length": str(len(first))} if self.whole else {}),
            **speech_headers(engine=speech.voice.engine, style=speech.style, warnings=self.warnings_of(speech)),
            **self.own_headers(),
        }
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def encoded(
    speech: Speech, pcm: AsyncIterator[bytes], audio_format: Format, metadata: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """The bytes of `pcm` in a format, as they come out of the encoder; never an empty piece."""
    encoder = make_encoder(audio_format, speech.rate, metadata=metadata)
    async for piece in pcm:
        if ready := encoder.feed(piece):
            yield ready
    if rest := encoder.finish():
        yield rest


async def encoded_whole(
    speech: Speech, pcm: AsyncIterator[bytes], audio_format: Format, metadata: Mapping[str, str]
) -> bytes:
    """One file of all of `pcm`; a WAV tells its true length."""
    if audio_format != "wav":
        return b"".join([piece async for piece in encoded(speech, pcm, audio_format, metadata)])
    whole = b"".join([piece async for piece in pcm])
    encoder = make_encoder("wav", speech.rate, length=len(whole) // BYTES_PER_SAMPLE, metadata=metadata)
    return encoder.feed(whole) + encoder.finish()


class AudioResponse(SpeechResponse):
    """The audio itself, in pieces."""

    def type_of_body(self) -> str:
        """The audio format's media type."""
        return MEDIA_TYPES[self.audio_format]

    def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The encoded audio."""
        return encoded(speech, pcm, self.audio_format, self.metadata_of(speech))


class WholeWavResponse(AudioResponse):
    """A WAV file with its true length, for programs that read the header; very long speech is streamed after all."""

    async def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """One piece that is the whole file, or the pieces of a WAV of open length."""
        held: list[bytes] = []
        async for piece in pcm:
            held.append(piece)
            if self.meter.seconds > WHOLE_WAV_SECONDS:
                async for ready in encoded(speech, _chain(held, pcm), "wav", self.metadata_of(speech)):
                    yield ready
                return
        self.whole = True
        yield await encoded_whole(speech, _chain(held, pcm), "wav", self.metadata_of(speech))


async def _chain(held: Sequence[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(held)
    async for piece in rest:
        yield piece


class EventResponse(SpeechResponse):
    """Server-sent events: `speech.audio.delta` with base64 audio, then `speech.audio.done`, or `speech.audio.error`."""

    def type_of_body(self) -> str:
        """The type of an event stream."""
        return "text/event-stream; charset=utf-8"

    def due(self) -> list[dict[str, Any]]:
        """Events beside those of the audio, each told once."""
        return []

    async def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The events."""
        begun = False
        try:
            async for piece in encoded(speech, pcm, self.audio_format, self.metadata_of(speech)):
                begun = True
                yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
                for event in self.due():
                    yield _event(event)
        except VoiceError as error:
            if not begun:
                raise
            status, faults = faults_of(error)
            yield _event({"type": "speech.audio.error", **error_body(faults, status=status)})
            return
        for event in self.due():
            yield _event(event)
        yield _event(
            {
                "type": "speech.audio.done",
                "usage": usage(len(self.request.text), self.meter.seconds),
                "style": style_json(speech.style),
                "warnings": warnings_json(self.warnings_of(speech)),
            }
        )


def usage(characters: int, seconds: float) -> dict[str, float]:
    """OpenAI's three figures: a token in is a character of text, a token out a frame of 40 ms of audio."""
    frames = round(seconds * FRAMES_PER_SECOND)
    return {
        "input_tokens": characters,
        "output_tokens": frames,
        "total_tokens": characters + frames,
        "audio_seconds": round(seconds, 3),
    }


def _event(data: Mapping[str, object]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
