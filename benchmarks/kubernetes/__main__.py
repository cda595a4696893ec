"""`make bench-kubernetes`: measures all, or the parts that are named, and writes docs/benchmarks-kubernetes.*."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.kubernetes import change, cold, envoys, many, report
from benchmarks.kubernetes.planes import EVERYBODY, Who
from benchmarks.kubernetes.scale import Scale, small
from benchmarks.kubernetes.world import World, world
from kubernetes.rig import UnavailableError, binaries

DOCS = Path(__file__).parent.parent.parent / "docs"
NAME = "benchmarks-kubernetes"
Part = Callable[[World, Scale, tuple[Who, ...]], Coroutine[Any, Any, dict[str, Any]]]


def main() -> None:
    """Measure what is asked for; exit 1 where it cannot be measured here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kubernetes", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_parts(Scale()))}; all by default")
    parser.add_argument("--only", choices=EVERYBODY, help="measure one of the two; nothing is compared then")
    parser.add_argument("--sites", type=int, help="only see whether it runs, with so many sites")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the results are written")
    options = parser.parse_args()
    scale = small(options.sites) if options.sites else Scale()
    parts = _parts(scale)
    if unknown := [name for name in options.parts if name not in parts]:
        parser.error(f"there is no part {', '.join(unknown)}; there are: {', '.join(parts)}")
    chosen = {name: part for name, part in parts.items() if not options.parts or name in options.parts}
    try:
        asyncio.run(_measure(chosen, scale, (options.only,) if options.only else EVERYBODY, options.folder))
    except UnavailableError as reason:
        sys.exit(str(reason))


def _parts(scale: Scale) -> dict[str, Part]:
    """In this order, for sites only become more."""
    few, more = ([size for size in scale.sizes if (size <= envoys.SITES) == wanted] for wanted in (True, False))
    return {"many": many.measure, **_changes(few), "envoys": envoys.measure, **_changes(more), "cold": cold.measure}


def _changes(sizes: Iterable[int]) -> dict[str, Part]:
    return {f"change-{size}": partial(change.measure, size=size) for size in sizes}


async def _measure(parts: dict[str, Part], scale: Scale, planes: tuple[Who, ...], folder: Path) -> None:
    async with world() as here:
        for name, part in parts.items():
            print(name, flush=True)
            started = time.monotonic()
            found = await part(here, scale, planes)
            _keep(folder, name, found)
            print(f"  {time.monotonic() - started:.0f} s", flush=True)


def _keep(folder: Path, part: str, found: dict[str, Any]) -> None:
    """After each part: an interrupted run keeps what it has."""
    file = folder / f"{NAME}.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    figures[part] = found
    versions = {"Kubernetes": binaries.KUBERNETES_VERSION, "Contour": binaries.CONTOUR_VERSION}
    figures["machine"] = machine.describe() | versions
    figures["measured"] = datetime.now(UTC).date().isoformat()
    file.write_text(json.dumps(figures, indent=2) + "\n")
    (folder / f"{NAME}.md").write_text(report.page(figures))


main()
