"""The client in docs/voice-api.md does what the page says, and the samples are what they claim to be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import av

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


def test_each_sample_can_be_heard() -> None:
    linked = re.findall(r"\((samples/\S+)\)", (DOCS / "voice-api.md").read_text(encoding="utf-8"))
    assert len(linked) == 5
    for name in linked:
        assert 1 < seconds_of(DOCS / name) < 10
