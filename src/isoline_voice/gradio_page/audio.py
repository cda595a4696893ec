"""Gradio's audio output, fed with AAC that the studio has encoded: Gradio's own needs an ffmpeg program."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping

import av
import gradio as gr
import numpy as np
from gradio import processing_utils
from gradio.data_classes import FileData, FileDataDict, MediaStreamChunk

from isoline_voice.audio.encoders import make_encoder

SAMPLES_A_FRAME = 1024
HEADER = 7
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""The sampling rates by their index in an ADTS header (ISO/IEC 13818-7)."""


def spoken_audio(*, metadata: Mapping[str, str], label: str) -> gr.Audio:
    """An audio output that takes pieces of an ADTS stream, or a whole WAV file, as bytes.

    A stream is saved as a WAV file with `metadata`.
    """
    output = gr.Audio(streaming=True, autoplay=True, label=label)
    ways = _Ways(output, metadata)
    # Not a subclass: Gradio writes a stub file beside the source of each class that is one.
    for name in ("stream_output", "flush_stream_output", "end_stream_output", "combine_stream"):
        setattr(output, name, getattr(ways, name))
    return output


class _Ways:
    """What Gradio asks of an audio output that streams."""

    def __init__(self, output: gr.Audio, metadata: Mapping[str, str]) -> None:
        self._cache = output.GRADIO_CACHE
        self._metadata = dict(metadata)

    async def stream_output(
        self,
        value: bytes | None,
        output_id: str,
        first_chunk: bool,  # noqa: ARG002 (Gradio's signature)
    ) -> tuple[MediaStreamChunk | None, FileDataDict]:
        """A segment of the stream."""
        file: FileDataDict = {
            "path": output_id,
            "is_stream": True,
            "orig_name": "speech.wav",
            "meta": {"_type": "gradio.FileData"},
        }
        if not value:
            return None, file
        if value.startswith(b"RIFF"):
            path = processing_utils.save_bytes_to_cache(value, "speech.wav", cache_dir=self._cache)
            return None, {**file, "path": path, "is_stream": False}
        return {"data": value, "duration": adts_seconds(value), "extension": ".aac"}, file

    async def flush_stream_output(self, output_id: str) -> MediaStreamChunk | None:  # noqa: ARG002 (Gradio's)
        """Nothing is held back."""
        return None

    def end_stream_output(self, output_id: str) -> None:
        """Nothing is held that would have to be let go."""

    async def combine_stream(
        self,
        stream: list[bytes],
        desired_output_format: str | None = None,  # noqa: ARG002 (Gradio's signature)
        only_file: bool = False,  # noqa: ARG002 (Gradio's signature)
    ) -> FileData:
        """The whole as a WAV file."""
        wav = await asyncio.to_thread(self._wav, b"".join(stream))
        path = processing_utils.save_bytes_to_cache(wav, "speech.wav", cache_dir=self._cache)
        return FileData(path=path, is_stream=False, orig_name="speech.wav")

    def _wav(self, adts: bytes) -> bytes:
        with av.open(io.BytesIO(adts), mode="r", format="aac") as container:
            rate = container.streams.audio[0].rate
            frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        pcm = (np.clip(np.concatenate(frames), -1.0, 1.0) * 32767).astype("<i2").tobytes()
        encoder = make_encoder("wav", rate, length=len(pcm) // 2, metadata=self._metadata)
        return encoder.feed(pcm) + encoder.finish()


def adts_seconds(data: bytes) -> float:
    """How long whole ADTS frames last; what stands before the first one, such as an ID3 tag, does not count."""
    seconds, at = 0.0, 0
    while at + HEADER <= len(data):
        if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
            at += 1
            continue
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        seconds += SAMPLES_A_FRAME / RATES[data[at + 2] >> 2 & 15]
        at += max(length, HEADER)
    return seconds
