"""A cluster for one part of the benchmark: an API server, the sites' objects, and what they lead to."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks import manifests
from benchmarks.kubernetes import backends
from kubernetes.rig import Api, Rig, binaries

CONTOURS_KINDS = Path(binaries.__file__).parent / "crds" / "projectcontour.io.yaml"
NAMESPACE = "default"
SWAPPED = "swapped"
"""The one Service whose endpoints change; the last site leads there."""

Object = dict[str, Any]
_STRIDE = 104_729
"""So that those that change lie far apart."""


class World:
    """Objects come by POST, as many at a time as the API server likes; changes are patches of one object."""

    def __init__(self, rig: Rig, api: Api) -> None:
        self.rig = rig
        self.api = api
        self.sites = 0
        self.backends = (rig.namespace.new_address(), rig.namespace.new_address())

    async def prepare(self) -> None:
        """Make the kinds known, and the Services."""
        await self.api.apply_files(CONTOURS_KINDS)
        backends.start(self.rig, self.backends)
        for name in (manifests.SERVICE, SWAPPED):
            await self.api.apply_all(manifests.backend(backends.PORT, name=name, address=self.backends[0]))

    async def grow(self, size: int) -> None:
        """Have at least so many sites; the site without a number leads to the Service whose endpoints change."""
        if not self.sites:
            await self.api.apply(swapped_site())
        await self.api.create_all(manifests.site(number) for number in range(self.sites, size))
        self.sites = max(self.sites, size)

    def site(self, turn: int, *, other: bool = False) -> int:
        """One of the sites that are looked at; or of the others, which change meanwhile."""
        return (turn * 2 + other) % self.sites

    async def change(self, number: int, version: str) -> None:
        """Have a site's responses carry another version."""
        routes = manifests.site(number, version=version)["spec"]["routes"]
        await self.api.patch("HTTPProxy", f"site-{number}", {"spec": {"routes": routes}}, namespace=NAMESPACE)

    async def swap(self, address: str) -> None:
        """Have `SWAPPED` be at this address."""
        ready = {"addresses": [address], "conditions": {"ready": True}}
        await self.api.patch("EndpointSlice", f"{SWAPPED}-1", {"endpoints": [ready]}, namespace=NAMESPACE)

    async def judged(self) -> int:
        """How many HTTPProxies have a status of what they are now."""
        return sum(is_judged(each) for each in await self.api.list_all("HTTPProxy", namespace=NAMESPACE))

    async def until_judged(self, *, limit: float = 600.0) -> None:
        """Wait until all statuses are written, so that writing them disturbs nothing that is timed."""
        async with asyncio.timeout(limit):
            while await self.judged() < self.sites + 1:  # noqa: ASYNC110 - simply asked
                # To list thousands again and again would hold up what is waited for.
                await asyncio.sleep(0.1 + self.sites / 5_000)

    async def clear(self) -> None:
        """Take every site away."""
        await self.api.delete("HTTPProxy", "", namespace=NAMESPACE)
        self.sites = 0


def is_judged(proxy: Object) -> bool:
    """Whether the status of an HTTPProxy is about its present spec."""
    conditions = proxy.get("status", {}).get("conditions", ())
    return any(each.get("observedGeneration") == proxy["metadata"]["generation"] for each in conditions)


def swapped_site() -> Object:
    """The site that leads to `SWAPPED`."""
    site = manifests.site(0, service=SWAPPED)
    site["metadata"]["name"] = SWAPPED
    site["spec"]["virtualhost"]["fqdn"] = swapped_host()
    return site


def swapped_host() -> str:
    return f"{SWAPPED}.bench.example"


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A cluster of its own. Raises kubernetes.rig.UnavailableError."""
    with tempfile.TemporaryDirectory(prefix="isoline-bench-") as folder, Rig(Path(folder) / "rig") as rig, rig.inside():
        async with Api(rig) as api:
            made = World(rig, api)
            await made.prepare()
            yield made


@asynccontextmanager
async def others_changing(world: World, each_second: float) -> AsyncIterator[list[float]]:
    """Other sites change meanwhile, at this rate whatever each takes. Gives the moments at which they did."""
    done: list[float] = []

    async def one(number: int) -> None:
        await world.change(number, f"other{time.monotonic_ns()}")
        done.append(time.perf_counter())

    async def run() -> None:
        turn, due = 0, time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while True:
                turn += _STRIDE
                group.create_task(one(world.site(turn, other=True)))
                due += 1 / each_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    task = asyncio.create_task(run())
    try:
        yield done
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
