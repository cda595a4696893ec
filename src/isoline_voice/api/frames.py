"""How a sentence's audio goes over the WebSocket: as binary messages, or as JSON that tells when each word is heard."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.websockets import WebSocket

from isoline_voice.engines.protocol import BYTES_PER_SAMPLE
from isoline_voice.subtitles import Cue, words_of


class Frames(Protocol):
    """Takes the audio of one sentence."""

    async def send(self, audio: bytes) -> None:
        """A piece of it."""
        ...

    async def finish(self, sentence: str) -> None:
        """That was all; `sentence` is what was said."""
        ...


class BinaryFrames:
    """Binary messages: one for each piece, or a single one for a client that does not want a stream."""

    def __init__(self, socket: WebSocket, *, stream: bool) -> None:
        self._socket = socket
        self._stream = stream
        self._held: list[bytes] = []

    async def send(self, audio: bytes) -> None:
        """Send it, or hold it until the end."""
        if self._stream:
            await self._socket.send_bytes(audio)
        else:
            self._held.append(audio)

    async def finish(self, sentence: str) -> None:
        """Send what was held."""
        del sentence
        if self._held:
            await self._socket.send_bytes(b"".join(self._held))


class TimedChunks:
    """vllm-omni's answer to `word_timestamps`: PCM in base64, and at the end a chunk without audio that has the times.

    The times count from the beginning of the sentence, in milliseconds. `place` numbers the text and the sentence.
    """

    def __init__(self, socket: WebSocket, place: Mapping[str, int], *, rate: int) -> None:
        self._socket = socket
        self._place = place
        self._rate = rate
        self._chunks = 0
        self._bytes = 0

    async def send(self, audio: bytes) -> None:
        """Send a chunk whose `timestamps` are null, since its sentence is not over."""
        begins = self._milliseconds()
        self._bytes += len(audio)
        await self._send(audio, begins, None)

    async def finish(self, sentence: str) -> None:
        """Send the times of the words."""
        words = words_of(Cue(sentence, 0.0, self._bytes / BYTES_PER_SAMPLE / self._rate))
        await self._send(b"", 0, word_times(words))

    async def _send(self, audio: bytes, begins: int, timestamps: list[dict[str, Any]] | None) -> None:
        await self._socket.send_json(
            {
                "type": "audio.chunk",
                **self._place,
                "chunk_id": self._chunks,
                "chunk_start_ms": begins,
                "chunk_end_ms": self._milliseconds(),
                "sample_rate": self._rate,
                "channels": 1,
                "audio_b64": base64.b64encode(audio).decode(),
                "timestamps": timestamps,
            }
        )
        self._chunks += 1

    def _milliseconds(self) -> int:
        return round(1000 * self._bytes / BYTES_PER_SAMPLE / self._rate)


def word_times(words: list[Cue]) -> list[dict[str, Any]]:
    """The words as vllm-omni lists them: `word`, `start_ms`, `end_ms`."""
    return [
        {"word": word.text, "start_ms": round(1000 * word.start), "end_ms": round(1000 * word.end)} for word in words
    ]
