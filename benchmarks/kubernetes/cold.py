"""From nothing but the API server to the last site served."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.kubernetes import timing
from benchmarks.kubernetes.planes import HTTP, Gateway, Wanted, Who, running
from benchmarks.kubernetes.scale import Scale
from benchmarks.kubernetes.world import World
from benchmarks.probe import Probe


async def measure(here: World, scale: Scale, planes: tuple[Who, ...]) -> dict[str, Any]:
    """Seconds from the start of the control plane's and Envoy's processes, the interpreter's included."""
    await timing.grow(here, scale.most)
    result: dict[str, Any] = {"sites": here.sites}
    for who in planes:
        result[who] = await _one(here, Wanted(who=who), scale)
        print(f"  {who}: {result[who]}", flush=True)
    if "isoline" in planes:
        with tempfile.TemporaryDirectory(prefix="isoline-bench-") as folder:
            wanted = Wanted(who="isoline", snapshot=Path(folder) / "snapshot")
            result["isoline_kept"] = await _one(here, wanted, scale)
        print(f"  isoline, with a kept snapshot: {result['isoline_kept']}", flush=True)
    return result


async def _one(here: World, wanted: Wanted, scale: Scale) -> dict[str, Any]:
    # A first run, so that what is timed neither writes statuses nor lacks the snapshot.
    async with running(here.rig, wanted) as gateway:
        await timing.until_all_serve(here, gateway)
        await here.until_judged()
        control_plane, envoy = gateway.resident_mib()
    taken = [await _start(here, wanted) for _ in range(scale.runs)]
    return {
        "seconds": sorted(round(each, 2) for each in taken),
        "control_plane_mib": control_plane,
        "envoy_mib": envoy,
    }


async def _start(here: World, wanted: Wanted) -> float:
    gateway = Gateway(here.rig, wanted)
    await asyncio.to_thread(gateway.write)
    probe = Probe(HTTP)
    try:
        started = gateway.start()
        for host in timing.witnesses(here.sites):
            served = await timing.until_found(probe, host, limit=240)
    finally:
        probe.close()
        await gateway.stop()
    return served - started
