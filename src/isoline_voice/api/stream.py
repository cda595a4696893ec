"""The WebSocket /v1/audio/speech/stream: text in, token by token if need be, audio out, sentence by sentence."""

from __future__ import annotations

import asyncio
import contextlib
import time
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import Meter, encoded, usage
from isoline_voice.api.errors import ApiError, Fault, error_body, faults_of
from isoline_voice.api.fields import SessionFields
from isoline_voice.api.headers import style_json, warnings_json
from isoline_voice.api.keys import SUBPROTOCOL as KEY_SUBPROTOCOL
from isoline_voice.api.prompting import References
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.audio.provenance import provenance
from isoline_voice.engines.protocol import Speech, SpeechWarning
from isoline_voice.errors import VoiceError
from isoline_voice.subtitles import Cue, timed
from isoline_voice.text.cleaning import clean, speakable
from isoline_voice.text.sentences import SentenceBuffer

PATH = "/v1/audio/speech/stream"

CLOSE_NORMAL = 1000
CLOSE_POLICY = 1008
CLOSE_ERROR = 1011

router = APIRouter(tags=["speech"])


@router.websocket(PATH)
async def speech_stream(socket: WebSocket) -> None:
    """One session: configure, send text, hear it, close."""
    studio = studio_of(socket)
    await socket.accept(subprotocol=_subprotocol(socket))
    studio.stream_begins()
    try:
        await _Session(studio, socket).run()
    finally:
        studio.stream_ends()


class _Session:
    """Listens and speaks at the same time; whichever ends first ends the session."""

    def __init__(self, studio: Studio, socket: WebSocket) -> None:
        self._studio = studio
        self._socket = socket
        self._caller = caller_of(socket)
        self._config: SessionFields | None = None
        self._references = References()
        self._buffer = SentenceBuffer()
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._characters = 0
        self._text_began = 0.0
        self._meter = Meter(studio.metrics.audio.labels(PATH))
        self._ended = False

    async def run(self) -> None:
        """Until everything is spoken, the client leaves or something is wrong."""
        speaking = asyncio.create_task(self._speak_all())
        listening = asyncio.create_task(self._listen())
        try:
            done, _ = await asyncio.wait({speaking, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            self._studio.metrics.cancelled.labels(PATH).inc()
        except (ApiError, VoiceError) as error:
            await self._fail(error)
        finally:
            for task in (speaking, listening):
                task.cancel()
            await asyncio.gather(speaking, listening, return_exceptions=True)
            if self._meter.seconds:
                self._studio.usage.add(self._caller.tenant, characters=self._characters, seconds=self._meter.seconds)

    async def _fail(self, error: Exception) -> None:
        status, faults = faults_of(error)
        # The client may be gone already; then there is nobody to tell.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_json({"type": "error", **error_body(faults, status=status)})
            await self._socket.close(CLOSE_POLICY if isinstance(error, ApiError) else CLOSE_ERROR)

    async def _listen(self) -> None:
        """Take messages until the client leaves, which raises WebSocketDisconnect."""
        while True:
            await self._take(_decode(await _receive(self._socket)))

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "session.config":
                if self._config is not None:
                    raise _refused("session.config comes once, before the text.", "type")
                self._config = SessionFields.parse(message)
            case "input.text":
                self._add(message.get("text"))
            case "input.done":
                self._ended = True
                self._queue(self._buffer.finish())
                self._sentences.put_nowait(None)
            case other:
                known = "session.config, input.text, input.done"
                raise _refused(f"Unknown message type {other!r}; one of {known}.", "type")

    def _add(self, text: object) -> None:
        if not isinstance(text, str):
            raise _refused("input.text needs a string `text`.", "text")
        if self._ended:
            raise _refused("Text came after input.done; open another session for it.", "type")
        limit = self._studio.service.capabilities.max_characters
        if not self._characters:
            self._text_began = time.perf_counter()
        self._characters += len(text)
        if self._characters > limit:
            raise _refused(f"A session takes at most {limit} characters.", "text")
        self._config = self._config or SessionFields.parse({})
        self._queue(self._buffer.feed(text))

    def _queue(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if speakable(clean(sentence)):  # a sentence of markup only is none, and no reason to end the session
                self._sentences.put_nowait(sentence)

    async def _speak_all(self) -> None:
        spoken = 0
        while (sentence := await self._sentences.get()) is not None:
            await self._speak(sentence, index=spoken)
            spoken += 1
        used = usage(self._characters, self._meter.seconds)
        await self._socket.send_json({"type": "session.done", "total_sentences": spoken, "usage": used})
        await self._socket.close(CLOSE_NORMAL)

    async def _speak(self, sentence: str, *, index: int) -> None:
        assert self._config is not None
        before = self._meter.seconds
        config = self._config
        request, found = await self._references.take(config.to_speech(sentence), config.ref_audio, config.ref_text)
        speech = await self._studio.speak(request, self._caller)
        warnings = (*config.warnings(self._studio.service.engine), *found, *speech.warnings)
        async with contextlib.aclosing(speech):
            await self._socket.send_json(self._start_of(speech, sentence, warnings, index=index))
            sent = 0
            async for frame in encoded(
                speech, self._meter.measure(speech), self._config.response_format, self._metadata(speech)
            ):
                if not index and not sent:
                    waited = time.perf_counter() - self._text_began
                    self._studio.metrics.first_audio.labels(PATH).observe(waited)
                await self._socket.send_bytes(frame)
                sent += len(frame)
        times = timed([Cue(sentence.strip(), before, self._meter.seconds)])
        await self._socket.send_json({"type": "audio.done", "sentence_index": index, "total_bytes": sent, **times})

    def _metadata(self, speech: Speech) -> dict[str, str]:
        return provenance(speech.voice.engine) if self._studio.settings.provenance else {}

    def _start_of(
        self, speech: Speech, sentence: str, warnings: tuple[SpeechWarning, ...], *, index: int
    ) -> dict[str, Any]:
        assert self._config is not None
        return {
            "type": "audio.start",
            "sentence_index": index,
            "sentence_text": sentence,
            "format": self._config.response_format,
            "sample_rate": speech.rate,
            "engine": speech.voice.engine,
            "voice": speech.voice.id,
            "style": style_json(speech.style),
            "warnings": warnings_json(warnings),
        }


def _subprotocol(socket: WebSocket) -> str | None:
    """The first one offered that is no key: a browser closes a connection that takes none of those it offered."""
    offered = socket.scope.get("subprotocols") or ()
    return next((each for each in offered if not each.startswith(KEY_SUBPROTOCOL)), None)


async def _receive(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", CLOSE_NORMAL))
    text = message.get("text")
    if text is None:
        raise _refused("Binary messages are not understood here; send JSON text.", None)
    return str(text)


def _decode(text: str) -> dict[str, Any]:
    try:
        message = from_json(text)
    except ValueError as error:
        raise _refused(f"The message is not valid JSON: {error}.", None) from error
    if not isinstance(message, dict):
        raise _refused("A message is a JSON object with a `type`.", None)
    return message


def _refused(message: str, param: str | None) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, Fault(message, param, "invalid_message"))
