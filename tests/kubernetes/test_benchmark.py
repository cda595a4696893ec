"""`make bench-kubernetes` in small: every part of it runs, and there is a page of what it found."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kubernetes.rig import Rig

ROOT = Path(__file__).parent.parent.parent


def test_every_part_measures_something_and_the_page_shows_it(running_rig: Rig, tmp_path: Path) -> None:
    # It runs a cluster of its own; `running_rig` only says whether there can be one here.
    command = [sys.executable, "-m", "benchmarks.kubernetes", "--sites", "20", "--only", "isoline"]
    paths = (str(ROOT / "tests"), os.environ.get("PYTHONPATH", ""))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    options: Any = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "timeout": 110}
    done = subprocess.run([*command, "--folder", str(tmp_path)], check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "benchmarks-kubernetes.json").read_text())
    change = found["change-20"]["isoline"]
    assert all(change[name]["p50"] > 0 for name in ("idle", "busy", "endpoints", "status"))
    assert change["bytes"] > 0
    assert found["envoys"]["isoline"]["2"]["change"]["samples"] == 3
    assert len(found["cold"]["isoline_kept"]["seconds"]) == 1
    assert found["many"]["isoline"]["status_s"] > 0
    page = (tmp_path / "benchmarks-kubernetes.md").read_text()
    assert page.count("| cold start") == 2
    assert "None" not in page
