"""Many objects created at once: until all are served, and until all have a status."""

import asyncio
import time
from typing import Any

from benchmarks import manifests
from benchmarks.kubernetes import timing
from benchmarks.kubernetes.planes import HTTP, Wanted, Who, running
from benchmarks.kubernetes.scale import Scale
from benchmarks.kubernetes.world import World, is_judged
from benchmarks.probe import Probe


async def measure(here: World, scale: Scale, planes: tuple[Who, ...]) -> dict[str, Any]:
    """Seconds from before the first is created; Contour also as it is by default, for as long as patience lasts."""
    result: dict[str, Any] = {"objects": scale.at_once}
    for who in planes:
        result[who] = await _one(here, Wanted(who=who), scale.at_once)
        print(f"  {who}: {result[who]}", flush=True)
    if "contour" in planes:
        wanted = Wanted(who="contour", at_its_default_rate=True)
        result["contour_by_default"] = await _slowly(here, wanted, scale)
        print(f"  contour by default: {result['contour_by_default']}", flush=True)
    await here.clear()
    return result


async def _one(here: World, wanted: Wanted, count: int) -> dict[str, Any]:
    await here.clear()
    await here.grow(0)
    async with running(here.rig, wanted) as gateway:
        await timing.until_all_serve(here, gateway)
        await here.until_judged()
        watching = asyncio.Event()
        all_judged = asyncio.ensure_future(_until_all_judged(here, count + 1, watching))
        await watching.wait()
        started = time.perf_counter()
        serving = asyncio.ensure_future(_until_all_served(count))
        await here.grow(count)
        created = time.perf_counter()
        served, judged = await serving, await all_judged
    return {
        name: round(moment - started, 2)
        for name, moment in (("created_s", created), ("served_s", served), ("status_s", judged))
    }


async def _slowly(here: World, wanted: Wanted, scale: Scale) -> dict[str, Any]:
    await here.clear()
    await here.grow(0)
    async with running(here.rig, wanted) as gateway:
        await timing.until_all_serve(here, gateway)
        await here.grow(scale.at_once)
        before, started = await here.judged(), time.perf_counter()
        await asyncio.sleep(scale.at_default_rate_seconds)
        written, taken = await here.judged() - before, time.perf_counter() - started
    each_second = written / taken
    found: dict[str, Any] = {"statuses_each_second": round(each_second, 1)}
    if each_second:
        found["status_s_at_this_rate"] = round(scale.at_once / each_second)
    return found


async def _until_all_judged(here: World, count: int, watching: asyncio.Event) -> float:
    judged: set[str] = set()
    async for _, proxy in here.api.follow("HTTPProxy"):
        watching.set()
        if is_judged(proxy):
            judged.add(proxy["metadata"]["name"])
            if len(judged) == count:
                return time.perf_counter()
    raise AssertionError("it is followed without an end")


async def _until_all_served(count: int) -> float:
    probe = Probe(HTTP)
    seen = 0.0
    for number in range(count):
        seen = await probe.until(manifests.host(number), "0", patience=0.005, limit=240)
    probe.close()
    return seen
