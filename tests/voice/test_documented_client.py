"""The client in docs/voice-api.md does what the page says, and the samples are what they claim to be."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt

DOCS = Path(__file__).parents[2] / "docs"


def seconds_of(file: Path) -> float:
    with av.open(str(file), "r") as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_the_documented_client_runs(studio: str, tmp_path: Path) -> None:
    page = (DOCS / "voice-api.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    out = tmp_path / "hello.mp3"
    done = subprocess.run(
        [sys.executable, "-c", found[1], studio, str(out)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "spoken by embedded\n"
    assert 0.5 < seconds_of(out) < 5


def test_the_documented_subtitles_come(studio: str) -> None:
    page = (DOCS / "voice-api.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("curl ") and "/v1/audio/speech -d" in line]
    subtitles, events = (
        subprocess.run(
            shlex.split(line.replace("studio/", f"{studio}/", 1).replace("curl ", "curl -sS ", 1)),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for line in lines
    )
    assert subtitles.startswith("1\n00:00:00,000 --> 00:00:00,")
    assert subtitles.endswith("How are you?\n\n")
    told = [json.loads(event.removeprefix("data: ")) for event in events.split("\n\n") if event]
    times = [event for event in told if event["type"] == "speech.audio.timestamps"]
    assert [sentence["text"] for event in times for sentence in event["sentences"]] == ["Hello.", "How are you?"]
    assert [word["text"] for event in times for word in event["words"]] == ["Hello", "How", "are", "you"]
    assert times[-1]["sentences"][-1]["end"] == told[-1]["usage"]["audio_seconds"]


class Sample(NamedTuple):
    """Seconds, level and peak of 1, and how periodic the middle of its loud moments is: near 1 for a hummed note."""

    seconds: float
    level: float
    peak: float
    voiced: float


def measured(name: str) -> Sample:
    with av.open(str(DOCS / "samples" / f"{name}.mp3"), "r") as container:
        rate = container.streams.audio[0].rate
        audio = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    width = rate // 25
    moments = audio[: len(audio) // width * width].reshape(-1, width)
    loud = [moment for moment in moments if np.mean(moment**2) > np.mean(audio**2) / 4]
    periodic = float(np.median([_periodic(moment, rate) for moment in loud]))
    level, peak = float(np.sqrt(np.mean(audio**2))), float(np.max(np.abs(audio)))
    return Sample(len(audio) / rate, level, peak, periodic)


def _periodic(moment: npt.NDArray[np.float32], rate: int) -> float:
    """The height of the autocorrelation between 70 and 400 Hz."""
    centred = moment - moment.mean()
    correlated = np.correlate(centred, centred, "full")[len(centred) - 1 :]
    return float(correlated[rate // 400 : rate // 70].max() / correlated[0])


def test_the_five_samples_are_what_they_are_called() -> None:
    linked = re.findall(r"\(samples/(\S+)\.mp3\)", (DOCS / "voice-api.md").read_text(encoding="utf-8"))
    assert sorted(linked) == ["cantonese", "happy", "mandarin", "slow", "whisper"]
    samples = {name: measured(name) for name in linked}
    plain = samples["mandarin"]
    for sample in samples.values():
        assert 1 < sample.seconds < 10
        assert 0.05 < sample.peak < 0.99
    assert samples["happy"].level > 1.4 * plain.level
    assert samples["whisper"].level < 0.6 * plain.level
    assert samples["whisper"].voiced < 0.7 * plain.voiced
