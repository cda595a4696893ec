"""A request that brings a recording to be spoken like."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from isoline_voice.engines.protocol import SpeechRequest, SpeechWarning
from isoline_voice.voices.prompts import Prompt, from_text, prepare


async def like_recording(
    speech: SpeechRequest, audio: bytes, transcript: str | None, *, param: str
) -> tuple[SpeechRequest, tuple[SpeechWarning, ...]]:
    """The request with the prepared recording, and what is not good about it.

    Raises InvalidRequestError about the field `param` where the recording cannot be used.
    """
    prompt = await asyncio.to_thread(prepare, audio, transcript, param=param)
    return replace(speech, reference=prompt.reference), prompt.warnings


class References:
    """The recordings in several requests of one client, each prepared once however many requests bring it."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[str, str | None], Prompt] = {}
        self._preparing = asyncio.Lock()

    async def take(
        self, speech: SpeechRequest, ref_audio: str | None, ref_text: str | None
    ) -> tuple[SpeechRequest, tuple[SpeechWarning, ...]]:
        """The request with its recording, if `ref_audio` (base64 or a data: URL) is one; else as it is.

        Raises InvalidRequestError about `ref_audio`.
        """
        if ref_audio is None:
            return speech, ()
        async with self._preparing:
            key = (ref_audio, ref_text)
            if key not in self._prepared:
                audio = from_text(ref_audio, param="ref_audio")
                self._prepared[key] = await asyncio.to_thread(prepare, audio, ref_text, param="ref_audio")
        prompt = self._prepared[key]
        return replace(speech, reference=prompt.reference), prompt.warnings
