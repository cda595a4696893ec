"""Answers that tell when what is said is heard: events, subtitles, and the header of vllm-omni."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Unpack

from isoline_voice.api.delivery import AudioResponse, Common, EventResponse, SpeechResponse, encoded_whole
from isoline_voice.api.frames import word_times
from isoline_voice.api.sentences import Sentences
from isoline_voice.api.studio import Studio
from isoline_voice.engines.protocol import Speech, SpeechRequest, SpeechWarning
from isoline_voice.subtitles import MEDIA_TYPES, Cue, SubtitleFormat, subtitle, timed, words_of

LONGEST_HEADER = 4096
MOST_WORDS = 100
"""Of more the times never fit the header."""


class TimedResponse(SpeechResponse):
    """An answer that is spoken sentence by sentence."""

    async def begin(self) -> Speech:
        """Speak the first of the sentences."""
        self.sentences = Sentences(self.studio, self.request, self.caller)
        return await self.sentences.begin()

    def warnings_of(self, speech: Speech) -> tuple[SpeechWarning, ...]:
        """The request's own and those of every sentence so far."""
        del speech  # the first one's
        return (*self.request_warnings, *self.sentences.warnings)

    async def cues(self, pcm: AsyncIterator[bytes], *, words: bool) -> AsyncIterator[Cue]:
        """The sentences, or their words, as soon as each sentence is over."""
        told = 0
        async for _ in _and_once_more(pcm):
            for cue in self.sentences.cues[told:]:
                told += 1
                for each in words_of(cue) if words else (cue,):
                    yield each


async def _and_once_more(pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pcm:
        yield piece
    yield b""


class TimedEventResponse(TimedResponse, EventResponse):
    """Events; after the audio of each sentence `speech.audio.timestamps`."""

    def __init__(
        self, studio: Studio, request: SpeechRequest, *, timed: frozenset[str], **common: Unpack[Common]
    ) -> None:
        super().__init__(studio, request, **common)
        self._timed = timed
        self._told = 0

    def due(self) -> list[dict[str, Any]]:
        """One event for each sentence that is over by now."""
        new = self.sentences.cues[self._told :]
        self._told += len(new)
        return [{"type": "speech.audio.timestamps", **self._times(cue)} for cue in new]

    def _times(self, cue: Cue) -> dict[str, Any]:
        times = timed([cue])
        of = {"sentences": "sentence", "words": "word", "word_times": "word"}
        return {name: value for name, value in times.items() if of[name] in self._timed}


class SubtitleResponse(TimedResponse):
    """The subtitles instead of the audio, as it is spoken: of sentences, or of words where only those are asked for."""

    def __init__(
        self,
        studio: Studio,
        request: SpeechRequest,
        *,
        subtitle_format: SubtitleFormat,
        timed: frozenset[str],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(studio, request, **common)
        self._format = subtitle_format
        self._words = timed == {"word"}

    def type_of_body(self) -> str:
        """The type of the subtitles."""
        return f"{MEDIA_TYPES[self._format]}; charset=utf-8"

    async def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The cues."""
        del speech
        number = 0
        async for cue in self.cues(pcm, words=self._words):
            number += 1
            yield subtitle(cue, self._format, number=number).encode()


class WordTimesResponse(TimedResponse, AudioResponse):
    """The audio as one piece, with the times of its words in the header X-Word-Timestamps, as vllm-omni answers.

    Where they do not fit, there is X-Word-Timestamps-Omitted instead.
    """

    async def body_of(self, speech: Speech, pcm: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """All of the audio, since headers go before it; a text with many words is streamed, without their times."""
        if len(words_of(Cue(self.request.text, 0.0, 1.0))) > MOST_WORDS:
            async for piece in super().body_of(speech, pcm):
                yield piece
            return
        self.whole = True
        yield await encoded_whole(speech, pcm, self.audio_format, self.metadata_of(speech))

    def own_headers(self) -> dict[str, str]:
        """The header, in ASCII."""
        words = [word for cue in self.sentences.cues for word in words_of(cue)]
        told = json.dumps(word_times(words), separators=(",", ":"))
        if not self.whole or len(told) > LONGEST_HEADER:
            return {"X-Word-Timestamps-Omitted": "too long for a header; ask for events or subtitles"}
        return {"X-Word-Timestamps": told}
