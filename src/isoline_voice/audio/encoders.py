"""Audio formats, written piece by piece."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

Format = Literal["wav", "mp3", "opus", "aac", "flac", "pcm"]
FORMATS: tuple[Format, ...] = get_args(Format)

MEDIA_TYPES: dict[Format, str] = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
}


class Encoder(Protocol):
    """Turns mono int16 PCM at one rate into one format, as it comes.

    `feed` and `finish` return the bytes that are ready, perhaps none; after `finish` the encoder is spent.
    """

    @property
    def media_type(self) -> str:
        """The MIME type of what it writes."""
        ...

    def feed(self, pcm: bytes) -> bytes:
        """Encode a piece; the first call's answer holds the header."""
        ...

    def finish(self) -> bytes:
        """Write what is held back and the trailer."""
        ...


def make_encoder(name: str, rate: int, *, length: int | None = None) -> Encoder:
    """The encoder for a format at a rate in hertz.

    `length` is the number of samples when all are known beforehand, which gives a WAV file its true size; without it
    the size is left open. Raises UnsupportedFormatError.
    """
    raise NotImplementedError(name, rate, length)
