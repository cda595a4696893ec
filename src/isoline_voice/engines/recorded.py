"""Voices that are recordings, for the engines that take a voice from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from isoline_voice.engines.protocol import Reference, SpeechRequest, Voice
from isoline_voice.errors import ReferenceRequiredError, UnknownVoiceError


class RecordedVoice(NamedTuple):
    """A voice and the recording that it is taken from."""

    voice: Voice
    reference: Reference


def recorded_voice(
    request: SpeechRequest, voices: Mapping[str, RecordedVoice], *, engine: str
) -> tuple[Voice, Reference]:
    """The voice and the recording for a request: its own recording before the voice's.

    Raises UnknownVoiceError, or ReferenceRequiredError when there are no voices to choose from.
    """
    recorded = voices.get(request.voice)
    if request.reference is not None:
        voice = recorded.voice if recorded else Voice(request.voice, request.voice, "mul", engine, "A recording.")
        return voice, request.reference
    if recorded is not None:
        return recorded
    if voices:
        raise UnknownVoiceError(request.voice, tuple(voices))
    raise ReferenceRequiredError(
        "This engine speaks with the voice of a recording; make a voice from one first.", param="voice"
    )
