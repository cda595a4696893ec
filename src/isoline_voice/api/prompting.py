"""A request that brings a recording to be spoken like."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from isoline_voice.engines.protocol import SpeechRequest, SpeechWarning
from isoline_voice.voices.prompts import prepare


async def like_recording(
    speech: SpeechRequest, audio: bytes, transcript: str | None, *, param: str
) -> tuple[SpeechRequest, tuple[SpeechWarning, ...]]:
    """The request with the prepared recording, and what is not good about it.

    Raises InvalidRequestError about the field `param` where the recording cannot be used.
    """
    prompt = await asyncio.to_thread(prepare, audio, transcript, param=param)
    return replace(speech, reference=prompt.reference), prompt.warnings
