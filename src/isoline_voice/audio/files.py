"""PCM in a file, encoded while it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from isoline_voice.audio.encoders import Format, make_encoder

BLOCK = 96_000


def encoded_span(
    file: BinaryIO, span: tuple[int, int], audio_format: Format, rate: int, metadata: Mapping[str, str]
) -> Iterator[bytes]:
    """The bytes of an audio file made of the PCM from one place of `file` to another; closes `file`."""
    start, end = span
    encoder = make_encoder(audio_format, rate, length=(end - start) // 2, metadata=metadata)
    with file:
        file.seek(start)
        left = end - start
        while left and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            if ready := encoder.feed(block):
                yield ready
    if rest := encoder.finish():
        yield rest
