"""`make bench-voice`: measures all, or the parts that are named, and writes docs/benchmarks-voice.{json,md}."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.voice import cancelling, first_audio, overhead, page, report, styles, throughput

DOCS = Path(__file__).parent.parent.parent / "docs"
NAME = "benchmarks-voice"
PARTS: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "first_audio": first_audio.measure,
    "throughput": throughput.measure,
    "overhead": overhead.measure,
    "cancelling": cancelling.measure,
    "styles": styles.measure,
    "page": page.measure,
}


def main() -> int:
    """Measure what is asked for; 2 for a part that there is not."""
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.stderr.write(f"there is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}\n")
        return 2
    file = DOCS / f"{NAME}.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for name in chosen:
        figures[name] = asyncio.run(PARTS[name]())
        print(f"{name}: {json.dumps(figures[name], ensure_ascii=False)}", flush=True)
        figures["machine"] = machine.describe()
        figures["measured"] = datetime.now(UTC).date().isoformat()
        # After each part: an interrupted run keeps what it has.
        file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
        (DOCS / f"{NAME}.md").write_text(report.page(figures))
    print(report.verdict(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
