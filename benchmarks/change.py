"""How long it takes from a change until the first response that carries it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import manifests
from benchmarks.figures import Spread, spread
from benchmarks.machine import resident_mib
from benchmarks.one_big_rds import OneBigRds
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.servers import backend_configuration, nginx
from benchmarks.stack import Stack

SIZES = (100, 1_000, 10_000, 100_000)
SAMPLES = 100
BATCH = 2_000
OTHERS_EACH_SECOND = 20
RDS_SIZES = (100, 1_000, 10_000)
FILE_SITES = 10_000

ROOM = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "GatewayConfig",
    "metadata": {"name": "default"},
    "spec": {"limits": {"heap": "8Gi"}},
}
"""A hundred thousand sites take Envoy more than the gigabyte after which it sheds load by default."""

Change = Callable[[int, str], Awaitable[None]]


async def measure() -> dict[str, Any]:
    """Milliseconds by number of sites: idle, while 20 others change each second, by one big RDS, by a saved file."""
    result: dict[str, Any] = {"sites": {}, "one_big_rds": {}}
    port = free_port()
    with nginx(backend_configuration(port), port):
        for size in SIZES:
            result["sites"][str(size)] = await _isoline(size, port)
            print(f"  change → served, {size} sites: {result['sites'][str(size)]}", flush=True)
        for size in RDS_SIZES:
            async with OneBigRds(size, port) as rds:
                result["one_big_rds"][str(size)] = as_dict(
                    await timed(rds.http_port, rds.change, size, samples=SAMPLES // 2)
                )
            print(f"  the same by one big RDS, {size} sites: {result['one_big_rds'][str(size)]}", flush=True)
        result["file_saved"] = await _file(port)
        print(f"  file saved → served, {FILE_SITES} sites: {result['file_saved']}", flush=True)
    return result


async def _isoline(size: int, port: int) -> dict[str, Any]:
    async with Stack() as stack:
        stack.start()
        await stack.ready()
        await stack.apply([ROOM, *manifests.backend(port)])
        for first in range(0, size, BATCH):
            await stack.apply(manifests.site(number) for number in range(first, min(first + BATCH, size)))
        probe = Probe(stack.http_port)
        await probe.until(manifests.host(size - 1), "0", limit=120)
        await asyncio.sleep(2)

        async def change(number: int, version: str) -> None:
            await stack.apply_one(manifests.site(number, version=version))

        idle = await timed(stack.http_port, change, size, samples=SAMPLES)
        async with _others_changing(change, size):
            busy = await timed(stack.http_port, change, size, samples=SAMPLES)
        return {
            "idle": as_dict(idle),
            "busy": as_dict(busy),
            "control_plane_mib": round(resident_mib(stack.pid)),
            "envoy_mib": round(resident_mib(stack.envoy_pid)),
        }


async def timed(port: int, change: Change, size: int, *, samples: int) -> Spread:
    """Changes one site after another, spread over all of them, and asks each until it has changed."""
    probe = Probe(port)
    taken: list[float] = []
    for sample in range(samples):
        number = (sample * 7919) % size
        host = manifests.host(number)
        await probe.head(host)
        version = f"v{time.monotonic_ns()}"
        started = time.perf_counter()
        changing = asyncio.ensure_future(change(number, version))
        taken.append((await probe.until(host, version) - started) * 1000)
        await changing
    probe.close()
    return spread(taken)


@asynccontextmanager
async def _others_changing(change: Change, size: int) -> AsyncIterator[None]:
    async def run() -> None:
        number = 1
        while True:
            number = (number + 104_729) % size
            await change(number, f"other{time.monotonic_ns()}")
            await asyncio.sleep(1 / OTHERS_EACH_SECOND)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _file(port: int) -> dict[str, Any]:
    """One site a file, in one directory of 10 000."""
    async with Stack() as stack:
        (stack.manifests / "backend.json").write_text("\n".join(map(json.dumps, manifests.backend(port))))
        for number in range(FILE_SITES):
            (stack.manifests / f"site-{number}.json").write_text(json.dumps(manifests.site(number)))
        stack.start()
        await stack.ready()
        await Probe(stack.http_port).until(manifests.host(FILE_SITES - 1), "0", limit=120)
        await asyncio.sleep(2)

        async def save(number: int, version: str) -> None:
            file = stack.manifests / f"site-{number}.json"
            beside = file.with_suffix(".tmp")
            beside.write_text(json.dumps(manifests.site(number, version=version)))
            beside.replace(file)

        return as_dict(await timed(stack.http_port, save, FILE_SITES, samples=SAMPLES))


def as_dict(figures: Spread) -> dict[str, Any]:
    return {name: round(value, 2) for name, value in figures._asdict().items()}
