"""A text spoken sentence by sentence, so that it is known when each is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from isoline_voice.api.callers import Caller
from isoline_voice.api.studio import Studio
from isoline_voice.engines.protocol import BYTES_PER_SAMPLE, Speech, SpeechRequest, SpeechWarning
from isoline_voice.errors import text_too_long
from isoline_voice.jobs.planning import spoken_sentences
from isoline_voice.subtitles import Cue
from isoline_voice.text.cleaning import shown
from isoline_voice.text.tags import check_tags


class Sentences:
    """The pieces of a Speech that is made of one Speech a sentence.

    `cues` has the sentences that are over, `warnings` what the engine said of those that have begun.
    """

    def __init__(self, studio: Studio, request: SpeechRequest, caller: Caller) -> None:
        self.cues: list[Cue] = []
        self.warnings: tuple[SpeechWarning, ...] = ()
        self._studio = studio
        self._request = request
        self._caller = caller
        self._left: Iterator[str] = iter(())
        self._sentence = ""
        self._speech: Speech | None = None
        self._begins = self._ends = 0.0

    async def begin(self) -> Speech:
        """The first sentence's Speech with the pieces of all; raises what `Studio.speak` does, about the whole text."""
        text = self._request.text
        most = self._studio.service.capabilities.max_characters
        if len(text) > most:
            raise text_too_long(len(text), most=most)
        check_tags(text)
        self._left = spoken_sentences(text)
        first = await asyncio.to_thread(next, self._left, None)
        # What has no words at all is left to the engine, which says so.
        speech = await self._speak(text if first is None else first, self._request)
        return replace(speech, pieces=self)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece, of this sentence or of the next."""
        while self._speech is not None:
            try:
                piece = await anext(self._speech.pieces)
            except StopAsyncIteration:
                await self._next()
                continue
            self._ends += len(piece) / BYTES_PER_SAMPLE / self._speech.rate
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop speaking."""
        if self._speech is not None:
            await self._speech.aclose()

    async def _next(self) -> None:
        await self.aclose()
        self._speech = None
        self.cues.append(Cue(shown(self._sentence), self._begins, self._ends))
        self._begins = self._ends
        sentence = next(self._left, None)
        if sentence is not None:
            # A deadline is for the first audio.
            await self._speak(sentence, replace(self._request, deadline=None))

    async def _speak(self, sentence: str, request: SpeechRequest) -> Speech:
        self._sentence = sentence
        self._speech = await self._studio.speak(replace(request, text=sentence), self._caller)
        self.warnings = tuple(dict.fromkeys((*self.warnings, *self._speech.warnings)))
        return self._speech
