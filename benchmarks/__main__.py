"""`make bench`: measures all, or the parts that are named, and writes docs/benchmarks.{json,md}."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import chain, change, cold, machine, mixed, proxying, report, speech, survival, swaps

FOLDER = Path(__file__).parent.parent / "docs"
PARTS: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "proxying": proxying.measure,
    "chain": chain.measure,
    "survival": survival.measure,
    "swaps": swaps.measure,
    "speech": speech.measure,
    "cold": cold.measure,
    "change": change.measure,
    "mixed": mixed.measure,
}
PROGRAMS = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}


def main() -> int:
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.stderr.write(f"there is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}\n")
        return 2
    _install_programs()
    file = FOLDER / "benchmarks.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for name in chosen:
        print(name, flush=True)
        figures[name] = asyncio.run(PARTS[name]())
        figures["machine"] = machine.describe()
        figures["measured"] = datetime.now(UTC).date().isoformat()
        # After each part: an interrupted run keeps what it has.
        file.write_text(json.dumps(figures, indent=2) + "\n")
        (FOLDER / "benchmarks.md").write_text(report.page(figures))
    return 0


def _install_programs() -> None:
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {', '.join(missing)}", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=True, capture_output=True)
    elif missing:
        sys.exit(f"needs the Debian packages {', '.join(missing)}")


if __name__ == "__main__":
    sys.exit(main())
