"""From before a change is written to the API server until it is there."""

import asyncio
import contextlib
import itertools
import time

from benchmarks import manifests
from benchmarks.figures import Spread, spread
from benchmarks.kubernetes import backends
from benchmarks.kubernetes.planes import HTTP, Gateway, Wanted, running
from benchmarks.kubernetes.world import World, is_judged, swapped_host
from benchmarks.probe import Probe

PATIENCE = 0.02
"""As for `Probe.until`: the share of what is measured by which it may be too much."""
_STRIDE = 7919


async def served(
    world: World, probes: list[Probe], *, samples: int, pause: float = 0.0, seconds: float = 0.0
) -> Spread:
    """Milliseconds until the last of these probes sees a change; one site after another, spread over all of them.

    There are more samples than asked for where they have not taken so many seconds.
    """
    taken: list[float] = []
    until = time.perf_counter() + seconds
    for sample in itertools.count():
        if sample >= samples and time.perf_counter() >= until:
            break
        await asyncio.sleep(pause)
        number = world.site(sample * _STRIDE)
        host, version = manifests.host(number), f"v{time.monotonic_ns()}"
        await asyncio.gather(*(each.head(host) for each in probes))
        started = time.perf_counter()
        changing = asyncio.ensure_future(world.change(number, version))
        seen = await asyncio.gather(*(each.until(host, version, patience=PATIENCE) for each in probes))
        taken.append((max(seen) - started) * 1000)
        await changing
    return spread(taken)


async def endpoints_served(world: World, probe: Probe, *, samples: int) -> Spread:
    """Milliseconds until a Service's new address answers; nobody holds back what comes soon after another."""
    taken: list[float] = []
    for sample in range(samples):
        address = world.backends[(sample + 1) % 2]
        await probe.head(swapped_host())
        started = time.perf_counter()
        changing = asyncio.ensure_future(world.swap(address))
        seen = await probe.until(swapped_host(), address, header=backends.HEADER, patience=PATIENCE)
        taken.append((seen - started) * 1000)
        await changing
    await world.swap(world.backends[0])
    await probe.until(swapped_host(), world.backends[0], header=backends.HEADER)
    return spread(taken)


async def told(world: World, *, samples: int, pause: float) -> Spread:
    """Milliseconds until the status of what was changed is about the change."""
    taken: list[float] = []
    for sample in range(samples):
        await asyncio.sleep(pause)
        number = world.site(sample * _STRIDE)
        watching = asyncio.Event()
        waiting = asyncio.ensure_future(_told(world, f"site-{number}", watching))
        await watching.wait()
        started = time.perf_counter()
        await world.change(number, f"v{time.monotonic_ns()}")
        taken.append((await waiting - started) * 1000)
    return spread(taken)


async def _told(world: World, name: str, watching: asyncio.Event) -> float:
    """When the status is about a later generation than the one there is at first."""
    first = 0
    async for _, proxy in world.api.follow("HTTPProxy", fieldSelector=f"metadata.name={name}"):
        generation = proxy["metadata"]["generation"]
        first = first or generation
        watching.set()
        if generation > first and is_judged(proxy):
            return time.perf_counter()
    raise AssertionError("it is followed without an end")


async def probes_of(gateway: Gateway) -> list[Probe]:
    """A connection to each Envoy. Which one accepts a connection to the port of all is the kernel's choice."""
    found: dict[int, Probe] = {}
    before = await gateway.accepted()
    while len(found) < gateway.wanted.envoys:
        probe = Probe(HTTP)
        await probe.head(swapped_host())
        after = await gateway.accepted()
        (owner,) = (number for number, (old, new) in enumerate(zip(before, after, strict=True)) if new > old)
        if owner in found:
            probe.close()
        found.setdefault(owner, probe)
        before = after
    return [found[number] for number in sorted(found)]


async def grow(world: World, size: int) -> None:
    """Have so many sites, each with its status: both write the same, and thousands would disturb who is measured."""
    await world.grow(size)
    async with running(world.rig, Wanted(who="isoline", envoys=0)):
        await world.until_judged()


async def until_all_serve(world: World, gateway: Gateway) -> None:
    """Wait until every Envoy of a gateway serves, its listeners open, and all of the sites."""
    async with asyncio.timeout(180):
        while not await gateway.listening():  # noqa: ASYNC110 - simply asked
            await asyncio.sleep(0.1)
    for probe in await probes_of(gateway):
        for host in (swapped_host(), *witnesses(world.sites)):
            await until_found(probe, host)
        probe.close()


def witnesses(sites: int) -> list[str]:
    """Sites are sent in the order of their hosts: the last of them all, the first, and some in between."""
    hosts = sorted(manifests.host(number) for number in range(sites))
    return [hosts[-1], hosts[0], hosts[len(hosts) // 2], hosts[len(hosts) // 3]] if hosts else []


async def until_found(probe: Probe, host: str, *, limit: float = 120.0) -> float:
    """Wait until a site is served, whatever its version. Returns when (`time.perf_counter`)."""
    async with asyncio.timeout(limit):
        while True:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                if (await probe.head(host))[0] == 200:
                    return time.perf_counter()
            await asyncio.sleep(0.01)
