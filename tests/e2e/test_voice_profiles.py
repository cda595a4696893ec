"""CosyVoice3 of the catalog, from nothing to speech, and its smoke test."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.support import VOICE_HOST, Isoline, smoke
from voice.test_engine_cosyvoice import STAND_IN
from voice.test_model_download import ModelServer

MakeIsoline = Callable[[Path], Isoline]


async def test_cosyvoice_fetches_its_model_and_passes_its_own(
    isoline: MakeIsoline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the model's package, a mirror of ours whose line is cut once, and a GPU that is only said."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "nvidia-smi").write_text("#!/bin/sh\necho 0\n")
    (programs / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    async with ModelServer(cut_after=300_000, cuts=1).running() as mirror:
        (manifests / "voice.yaml").write_text(f"""
apiVersion: isoline.dev/v1alpha1
kind: App
metadata: {{name: voice}}
spec:
  profile: cosyvoice
  host: {VOICE_HOST}
  run:
    env:
      - {{name: ISOLINE_VOICE_MIRROR, value: "{mirror.address}"}}
      - {{name: PYTHONPATH, value: "{STAND_IN}"}}
""")
        running = isoline(manifests)
        running.up()
        await asyncio.to_thread(running.until_speaks, VOICE_HOST)
        said = await asyncio.to_thread(smoke, running, "cosyvoice")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("cosyvoice spoke")
    assert [*running.state.glob("volumes/**/llm.pt")], "the model is in the volume"


def test_a_studio_that_is_not_there_does_not_pass() -> None:
    program = Path(sys.executable).with_name("isoline-voice")
    said = subprocess.run(
        [program, "smoke", "http://127.0.0.1:9", "--ready", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 1
    assert "did not get ready in 1 s" in said.stderr
