"""One control plane and several Envoys: a change is served when the last of them serves it."""

from typing import Any

from benchmarks.change import as_dict
from benchmarks.kubernetes import timing
from benchmarks.kubernetes.planes import Wanted, Who, running
from benchmarks.kubernetes.scale import Scale
from benchmarks.kubernetes.world import World

SITES = 1_000
"""Eight Envoys with ten thousand sites each would need more memory than most machines have to spare."""


async def measure(here: World, scale: Scale, planes: tuple[Who, ...]) -> dict[str, Any]:
    """By control plane and number of Envoys: milliseconds until the last Envoy serves a change, and MiB."""
    await timing.grow(here, min(SITES, scale.most))
    result: dict[str, Any] = {"sites": here.sites, **{who: {} for who in planes}}
    for who in planes:
        for count in scale.envoys:
            found = await _one(here, Wanted(who=who, envoys=count), scale)
            print(f"  {count} Envoys, {who}: {found}", flush=True)
            result[who][str(count)] = found
    return result


async def _one(here: World, wanted: Wanted, scale: Scale) -> dict[str, Any]:
    async with running(here.rig, wanted) as gateway:
        await timing.until_all_serve(here, gateway)
        await here.until_judged()
        probes = await timing.probes_of(gateway)
        found = as_dict(await timing.served(here, probes, samples=scale.samples, pause=scale.pause))
        return {"change": found, "control_plane_mib": gateway.resident_mib()[0]}
