"""The WebSocket /v1/audio/speech/stream: text in, token by token if need be, audio out, sentence by sentence.

The messages are those of vllm-omni and sglang-omni. vllm-omni's `input.done` ends a text and not the session, so that a
client that speaks again and again connects once; sglang-omni's ends the session, and `input.commit` a part of the text.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import Meter, encoded, usage
from isoline_voice.api.errors import ApiError, error_body, faults_of
from isoline_voice.api.fields import SessionFields
from isoline_voice.api.frames import BinaryFrames, Frames, TimedChunks
from isoline_voice.api.headers import style_json, warnings_json
from isoline_voice.api.messages import CLOSE_NORMAL, configuration, receive, refused, subprotocol
from isoline_voice.api.prompting import References
from isoline_voice.api.studio import Studio, studio_of
from isoline_voice.engines.protocol import Speech, SpeechWarning
from isoline_voice.errors import VoiceError
from isoline_voice.subtitles import Cue, timed
from isoline_voice.text.cleaning import clean, shown, speakable
from isoline_voice.text.sentences import Granularity, SentenceBuffer
from isoline_voice.text.tags import Spans

PATH = "/v1/audio/speech/stream"

CLOSE_POLICY = 1008
CLOSE_ERROR = 1011

SILENT_SECONDS = 60.0
"""How long a client may be connected before its first message."""
MORE_SECONDS, USUAL_MORE_SECONDS = 0.5, 30.0
"""How long more is awaited after the first text and after later ones, where the session says nothing about it.

Nothing that clients send tells whether one text is all: some wait for us to close, others go on with the next text.
"""

router = APIRouter(tags=["speech"])


@router.websocket(PATH)
async def speech_stream(socket: WebSocket) -> None:
    """One session: configure, send text, hear it, send more or close."""
    studio = studio_of(socket)
    await socket.accept(subprotocol=subprotocol(socket))
    await _Session(studio, socket).run()


class _Commit:
    """Stands between the sentences of a text where the client asked to be told that all before was spoken."""


class _Text:
    """A text from its first scrap to `input.done`, and its sentences that are still to be spoken."""

    def __init__(self, index: int, granularity: Granularity) -> None:
        self.index = index
        self.characters = 0
        self.began = 0.0
        self.ended = False
        self.sentences: asyncio.Queue[str | _Commit | None] = asyncio.Queue()
        self._granularity = granularity
        self._buffer = SentenceBuffer(granularity)
        self._spans = Spans()

    def add(self, scrap: str) -> None:
        """More of it."""
        self.began = self.began or time.perf_counter()
        self.characters += len(scrap)
        self._queue(self._buffer.feed(scrap))

    def commit(self) -> None:
        """Speak what there is, though its last sentence has no end."""
        self._queue(self._buffer.finish())
        self._buffer = SentenceBuffer(self._granularity)
        self.sentences.put_nowait(_Commit())

    def end(self) -> None:
        """That was all."""
        self.ended = True
        self._queue(self._buffer.finish())
        self.sentences.put_nowait(None)

    def _queue(self, sentences: list[str]) -> None:
        for sentence in map(self._spans.whole, sentences):
            if speakable(clean(sentence)):  # a sentence of markup only is none, and no reason to end the session
                self.sentences.put_nowait(sentence)


class _Session:
    """Listens and speaks at the same time; whichever ends first ends the session."""

    def __init__(self, studio: Studio, socket: WebSocket) -> None:
        self._studio = studio
        self._socket = socket
        self._caller = caller_of(socket)
        self._id = f"speech_{secrets.token_hex(12)}"
        self._config = SessionFields.parse({})
        self._references = References()
        self._text: _Text | None = None
        self._texts = 0
        self._meter = Meter(studio.metrics.audio.labels(PATH))
        self._heard_of = asyncio.Event()

    async def run(self) -> None:
        """Until nothing more comes, the client leaves or something is wrong."""
        speaking = asyncio.create_task(self._speak_all())
        listening = asyncio.create_task(self._listen())
        try:
            done, _ = await asyncio.wait({speaking, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            if self._text is not None:
                self._studio.metrics.cancelled.labels(PATH).inc()
        except (ApiError, VoiceError) as error:
            await self._fail(error)
        finally:
            for task in (speaking, listening):
                task.cancel()
            await asyncio.gather(speaking, listening, return_exceptions=True)
            if self._text is not None:
                self._text_is_over(self._text)

    async def _fail(self, error: Exception) -> None:
        status, faults = faults_of(error)
        body = error_body(faults, status=status)
        # The client may be gone already; then there is nobody to tell.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_json({"type": "error", "message": body["error"]["message"], **body})
            await self._socket.close(CLOSE_POLICY if isinstance(error, ApiError) else CLOSE_ERROR)

    async def _listen(self) -> None:
        """Take messages until the client leaves, which raises WebSocketDisconnect."""
        while True:
            await self._take(await receive(self._socket))
            self._heard_of.set()

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "session.config":
                await self._configure(message)
            case "input.text":
                self._add(message.get("text"))
            case "input.commit":
                self._open_text().commit()
            case "input.done":
                (self._text or self._new_text()).end()
            case "session.close":
                await self._socket.close(CLOSE_NORMAL)
                raise WebSocketDisconnect(CLOSE_NORMAL)
            case other:
                known = "session.config, input.text, input.commit, input.done, session.close"
                raise refused(f"Unknown message type {other!r}; one of {known}.", "type")

    async def _configure(self, message: dict[str, Any]) -> None:
        if self._text is not None:
            raise refused("session.config comes before a text or after its session.done.", "type")
        self._config = SessionFields.parse(configuration(message))
        await self._socket.send_json(
            {
                "type": "session.configured",
                "session_id": self._id,
                "response_format": self._config.response_format,
                "stream_audio": self._config.stream_audio,
                "split_granularity": self._config.split_granularity,
            }
        )

    def _add(self, scrap: object) -> None:
        if not isinstance(scrap, str):
            raise refused("input.text needs a string `text`.", "text")
        text = self._open_text()
        limit = self._studio.service.capabilities.max_characters
        if text.characters + len(scrap) > limit:
            raise refused(f"A text has at most {limit} characters.", "text")
        text.add(scrap)

    def _open_text(self) -> _Text:
        text = self._text or self._new_text()
        if text.ended:
            raise refused("Text came after input.done; the next one begins after session.done.", "type")
        return text

    def _new_text(self) -> _Text:
        self._text = _Text(self._texts, self._config.split_granularity)
        self._texts += 1
        self._studio.stream_begins()
        return self._text

    def _text_is_over(self, text: _Text) -> None:
        self._text = None
        self._studio.stream_ends()
        if self._meter.seconds:
            self._studio.usage.add(self._caller.tenant, characters=text.characters, seconds=self._meter.seconds)
        self._meter = Meter(self._studio.metrics.audio.labels(PATH))

    async def _speak_all(self) -> None:
        patience = SILENT_SECONDS
        while await self._more_comes(patience):
            await self._speak_text()
            # Who spoke again is likely to do so once more.
            usual = MORE_SECONDS if self._texts == 1 else USUAL_MORE_SECONDS
            patience = usual if self._config.idle_timeout is None else self._config.idle_timeout
        await self._socket.close(CLOSE_NORMAL)

    async def _more_comes(self, patience: float) -> bool:
        """Whether a text begins; a sign of life from the client starts the wait anew."""
        while self._text is None:
            if self._studio.draining:
                return False
            try:
                async with asyncio.timeout(patience):
                    await self._heard_of.wait()
            except TimeoutError:
                return False
            self._heard_of.clear()
            patience = max(patience, USUAL_MORE_SECONDS)
        return True

    async def _speak_text(self) -> None:
        text = self._text
        assert text is not None
        spoken = committed = segments = 0
        while (sentence := await text.sentences.get()) is not None:
            if isinstance(sentence, _Commit):
                counts = {"segment_index": segments, "segment_sentences": spoken - committed, "total_sentences": spoken}
                await self._socket.send_json({"type": "input.committed", "session_id": self._id, **counts})
                committed, segments = spoken, segments + 1
                continue
            await self._speak(text, sentence, index=spoken)
            spoken += 1
        done = {
            "type": "session.done",
            "session_id": self._id,
            "utterance_index": text.index,
            "total_sentences": spoken,
            "usage": usage(text.characters, self._meter.seconds),
        }
        self._heard_of.clear()
        self._text_is_over(text)
        await self._socket.send_json(done)

    async def _speak(self, text: _Text, sentence: str, *, index: int) -> None:
        config, before = self._config, self._meter.seconds
        request, found = await self._references.take(config.to_speech(sentence), config.ref_audio, config.ref_text)
        speech = await self._studio.speak(request, self._caller)
        place = {"utterance_index": text.index, "sentence_index": index}
        async with contextlib.aclosing(speech):
            await self._socket.send_json(self._start_of(speech, sentence, place, found))
            frames: Frames = BinaryFrames(self._socket, stream=config.stream_audio)
            if config.word_timestamps:
                frames = TimedChunks(self._socket, place, rate=speech.rate)
            sent = await self._send_audio(text, speech, frames, first=not index)
            await frames.finish(sentence)
        times = timed([Cue(shown(sentence), before, self._meter.seconds)])
        await self._socket.send_json({"type": "audio.done", **place, "total_bytes": sent, "error": False, **times})

    async def _send_audio(self, text: _Text, speech: Speech, frames: Frames, *, first: bool) -> int:
        """While it is spoken; the number of bytes."""
        sent = 0
        metadata = self._studio.metadata_of(speech)
        async for piece in encoded(speech, self._meter.measure(speech), self._config.response_format, metadata):
            if first and not sent:
                self._studio.metrics.first_audio.labels(PATH).observe(time.perf_counter() - text.began)
            sent += len(piece)
            await frames.send(piece)
        return sent

    def _start_of(
        self, speech: Speech, sentence: str, place: dict[str, int], found: tuple[SpeechWarning, ...]
    ) -> dict[str, Any]:
        warnings = (*self._config.warnings(self._studio.service.engine), *found, *speech.warnings)
        return {
            "type": "audio.start",
            **place,
            "sentence_text": shown(sentence),
            "format": self._config.response_format,
            "sample_rate": speech.rate,
            "channels": 1,
            **({"word_timestamps": True} if self._config.word_timestamps else {}),
            "engine": speech.voice.engine,
            "voice": speech.voice.id,
            "style": style_json(speech.style),
            "warnings": warnings_json(warnings),
        }
