"""How loud speech is to a listener: EBU R128, by the filter of FFmpeg that PyAV brings."""

from __future__ import annotations

import math

import av
import av.filter
import numpy as np

from isoline_voice.audio.levels import Samples

TARGET = -23.0
"""LUFS of plain speech here, and of broadcasts (EBU R128)."""
SHORTEST_SECONDS = 0.4
"""The measure's own window; what is shorter has no loudness."""


def loudness(samples: Samples, rate: int) -> float | None:
    """The integrated loudness in LUFS; None for what is silent or shorter than SHORTEST_SECONDS."""
    if samples.size < SHORTEST_SECONDS * rate or not np.any(samples):
        return None
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=None)
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1).astype(np.float32), format="flt", layout="mono")
    frame.sample_rate = rate
    graph.push(frame)
    graph.push(None)
    measured: float | None = None
    while True:
        try:
            measured = float(graph.pull().metadata.get("lavfi.r128.I", measured or -math.inf))
        except (av.BlockingIOError, av.EOFError):
            break
    return None if measured is None or measured <= -70.0 else measured
