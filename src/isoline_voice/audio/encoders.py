"""Audio formats, written piece by piece."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol, get_args

import av
import numpy as np

from isoline_voice.errors import UnsupportedFormatError

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


UNKNOWN_SIZE = 0xFFFFFFFF
"""What a WAV header says of its size while the audio is still being spoken; players read on to the end."""


class _Codec(NamedTuple):
    container: str
    codec: str
    sample_format: str
    bit_rate: int | None
    options: dict[str, str]
    tagged: dict[str, str] = {}  # noqa: RUF012 (a NamedTuple's default; nobody writes to it)


# A page of Ogg is a second long by default, which would be a second of silence before the first word.
_CODECS: dict[Format, _Codec] = {
    "mp3": _Codec(
        "mp3", "libmp3lame", "s16p", 64_000, {"write_xing": "0", "id3v2_version": "0"}, {"id3v2_version": "4"}
    ),
    "opus": _Codec("ogg", "libopus", "s16", 40_000, {"page_duration": "20000"}),
    "aac": _Codec("adts", "aac", "fltp", 64_000, {}, {"write_id3v2": "1"}),
    "flac": _Codec("flac", "flac", "s16", None, {}),
}


class PcmEncoder:
    """The PCM as it is: little-endian int16, mono, no header."""

    media_type = MEDIA_TYPES["pcm"]

    def feed(self, pcm: bytes) -> bytes:
        """The same bytes."""
        return pcm

    def finish(self) -> bytes:
        """Nothing."""
        return b""


class WavEncoder:
    """RIFF WAVE. Without the `length` in samples the header leaves the size open, as streams do."""

    media_type = MEDIA_TYPES["wav"]

    def __init__(self, rate: int, *, length: int | None = None, metadata: Mapping[str, str] | None = None) -> None:
        told = _info_list(metadata or {})
        size = UNKNOWN_SIZE if length is None else 2 * length
        riff_size = UNKNOWN_SIZE if length is None else 36 + len(told) + size
        layout = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
        self._header = struct.pack("<4sI4s4s", b"RIFF", riff_size, b"WAVE", b"fmt ") + layout + told
        self._header += struct.pack("<4sI", b"data", size)

    def feed(self, pcm: bytes) -> bytes:
        """The header before the first bytes, then the bytes."""
        header, self._header = self._header, b""
        return header + pcm

    def finish(self) -> bytes:
        """The header, if nothing came."""
        return self.feed(b"")


_INFO_NAMES = {"title": b"INAM", "artist": b"IART", "comment": b"ICMT", "encoder": b"ISFT"}


def _info_list(metadata: Mapping[str, str]) -> bytes:
    """The chunk LIST of RIFF with the metadata that it has names for; nothing for none."""
    told = b""
    for name, value in metadata.items():
        if name in _INFO_NAMES:
            text = value.encode() + b"\0"
            told += struct.pack("<4sI", _INFO_NAMES[name], len(text)) + text + b"\0" * (len(text) % 2)
    return struct.pack("<4sI4s", b"LIST", 4 + len(told), b"INFO") + told if told else b""


class CompressedEncoder:
    """mp3, Ogg Opus, AAC in ADTS, or FLAC, each packet given out as soon as the codec lets go of it."""

    def __init__(self, audio_format: Format, rate: int, *, metadata: Mapping[str, str] | None = None) -> None:
        codec = _CODECS[audio_format]
        self.media_type = MEDIA_TYPES[audio_format]
        self._format = codec.sample_format
        self._rate = rate
        self._written = _Unseekable()
        options = {"flush_packets": "1", **codec.options, **(codec.tagged if metadata else {})}
        self._container = av.open(self._written, mode="w", format=codec.container, options=options)
        self._container.metadata.update(metadata or {})
        stream = self._container.add_stream(codec.codec, rate=rate, layout="mono", format=codec.sample_format)
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        if codec.bit_rate is not None:
            self._stream.bit_rate = codec.bit_rate
        self._position = 0

    def feed(self, pcm: bytes) -> bytes:
        """What has become ready."""
        samples = np.frombuffer(pcm, dtype="<i2")
        if samples.size:
            if self._format == "fltp":
                samples = samples.astype(np.float32) / np.float32(32768.0)
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=self._format, layout="mono")
            frame.sample_rate = self._rate
            frame.pts = self._position
            self._position += samples.size
            self._container.mux(self._stream.encode(frame))
        return self._written.take()

    def finish(self) -> bytes:
        """The last packets and the trailer."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._written.take()


class _Unseekable(io.RawIOBase):
    """Collects what a muxer writes and, like a socket, cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


def make_encoder(
    name: str, rate: int, *, length: int | None = None, metadata: Mapping[str, str] | None = None
) -> Encoder:
    """The encoder for a format at a rate in hertz; `metadata` (FFmpeg's names) is written where the format has a place.

    `length` is the number of samples when all are known beforehand, which gives a WAV file its true size; without it
    the size is left open. Raises UnsupportedFormatError.
    """
    match check_format(name):
        case "pcm":
            return PcmEncoder()
        case "wav":
            return WavEncoder(rate, length=length, metadata=metadata)
        case compressed:
            return CompressedEncoder(compressed, rate, metadata=metadata)


def check_format(name: str) -> Format:
    """The format of a name; raises UnsupportedFormatError."""
    for audio_format in FORMATS:
        if audio_format == name:
            return audio_format
    raise UnsupportedFormatError(
        f"The audio format {name!r} is not one of {', '.join(FORMATS)}.", param="response_format"
    )
