"""From nothing to the last site served: the first time, and from the kept snapshot."""

from collections.abc import Callable, Iterable
from typing import Any

import yaml

from benchmarks import manifests
from benchmarks.machine import resident_mib
from benchmarks.manifests import Manifest
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.servers import backend_configuration, nginx
from benchmarks.stack import Stack

SITES = 10_000
FILES = 100
RUNS = 3


async def measure() -> dict[str, Any]:
    """Seconds from the start of `isoline up` (interpreter included) until sites all over the directory are served."""
    port = free_port()
    first: list[float] = []
    again: list[float] = []
    memory: dict[str, float] = {}
    with nginx(backend_configuration(port), port):
        for _ in range(RUNS):
            async with Stack() as stack:
                write(stack, manifests.backend(port), manifests.site)
                first.append(await until_served(stack))
                await stack.ready()
                memory = {
                    "control_plane_mib": round(resident_mib(stack.pid)),
                    "envoy_mib": round(resident_mib(stack.envoy_pid)),
                }
                await stack.down()
                again.append(await until_served(stack))
                await stack.ready()
    result = {
        "sites": SITES,
        "first_s": sorted(round(value, 2) for value in first),
        "from_snapshot_s": sorted(round(value, 2) for value in again),
        **memory,
    }
    print(f"  cold start: {result}", flush=True)
    return result


def write(stack: Stack, shared: Iterable[Manifest], site: Callable[[int], Manifest]) -> None:
    """YAML, a hundred sites a file."""
    (stack.manifests / "backend.yaml").write_text(yaml.safe_dump_all(shared))
    each = SITES // FILES
    for file in range(FILES):
        sites = (site(number) for number in range(file * each, (file + 1) * each))
        (stack.manifests / f"sites-{file:03}.yaml").write_text(yaml.dump_all(sites, Dumper=yaml.CSafeDumper))


async def until_served(stack: Stack) -> float:
    """Start it; returns the seconds until sites all over the directory are served."""
    started = stack.start()
    probe = Probe(stack.http_port)
    # Sites are sent in the order of their hosts: the last of them all, and some in between.
    hosts = sorted(manifests.host(number) for number in range(SITES))
    served = 0.0
    for host in (hosts[-1], hosts[0], hosts[SITES // 2], hosts[SITES // 3]):
        served = await probe.until(host, "0", limit=120)
    probe.close()
    return served - started
