"""What one change costs, with so many sites: until it is served, until its status says so, and in work."""

import asyncio
from typing import Any

from benchmarks.change import as_dict
from benchmarks.kubernetes import timing
from benchmarks.kubernetes.planes import Gateway, Wanted, Who, running
from benchmarks.kubernetes.scale import Scale
from benchmarks.kubernetes.world import World, others_changing

OTHERS_EACH_SECOND = 20


async def measure(here: World, scale: Scale, planes: tuple[Who, ...], *, size: int) -> dict[str, Any]:
    """By control plane: milliseconds, MiB, seconds, bytes."""
    await timing.grow(here, size)
    result: dict[str, Any] = {}
    for who in planes:
        result[who] = await _one(here, who, scale)
        print(f"  {who}: {result[who]}", flush=True)
    return result


async def _one(here: World, who: Who, scale: Scale) -> dict[str, Any]:
    async with running(here.rig, Wanted(who=who)) as gateway:
        await timing.until_all_serve(here, gateway)
        await here.until_judged()
        probes = await timing.probes_of(gateway)
        idle = await timing.served(here, probes, samples=scale.samples_alone, pause=scale.pause)
        found: dict[str, Any] = {"idle": as_dict(idle)}
        async with others_changing(here, OTHERS_EACH_SECOND):
            busy = await timing.served(here, probes, samples=scale.samples, seconds=scale.busy_seconds)
            found["busy"] = as_dict(busy)
        found["endpoints"] = as_dict(await timing.endpoints_served(here, probes[0], samples=scale.samples))
        await here.until_judged()
        found["status"] = as_dict(await timing.told(here, samples=scale.samples, pause=scale.pause))
        found |= await _work(here, gateway, scale)
        found["control_plane_mib"], found["envoy_mib"] = gateway.resident_mib()
        return found


async def _work(here: World, gateway: Gateway, scale: Scale) -> dict[str, Any]:
    """Processor seconds of each side for 1 000 changes, and bytes for one, while nobody asks anything of Envoy."""
    before, bytes_before = gateway.processor_seconds(), await gateway.received()
    async with others_changing(here, OTHERS_EACH_SECOND) as done:
        await asyncio.sleep(scale.load_seconds)
    await here.until_judged()
    after, bytes_after = gateway.processor_seconds(), await gateway.received()
    control_plane, envoy = (1000 * (late - early) / len(done) for early, late in zip(before, after, strict=True))
    return {
        "control_plane_seconds": round(control_plane, 2),
        "envoy_seconds": round(envoy, 2),
        "bytes": round((bytes_after - bytes_before) / len(done)),
    }
