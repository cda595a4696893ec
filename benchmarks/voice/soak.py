"""`make soak`: eight listeners at a time, many of whom leave, for ten minutes; nothing may grow or go wrong.

What the studio's processes hold is read from the kernel: memory while they work, descriptors and processes when nobody
listens any more.
"""

import argparse
import asyncio
import math
import ssl
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import speech
from benchmarks.voice.cancelling import BUSY, figures
from benchmarks.voice.listeners import Listeners

CLIENTS = 8
SEED = 20_260_101
WARM_SHARE = 0.25
"""The part of the time in which caches fill; what is held afterwards is what may not grow."""
READING_SECONDS = 1.0
GROWTH, GROWTH_MIB = 1.05, 8.0
"""How much more the last quarter may hold than the second: a share, and so much that an allocator keeps anyway."""
REST_SECONDS = 30.0
SPARE_DESCRIPTORS = 4
"""For each client and replica: connections that Envoy keeps for whoever comes next, and what serves one of them."""


@dataclass(frozen=True)
class Held:
    """What processes hold: MiB of memory of their own, open descriptors, and how many processes there are."""

    mib: float
    descriptors: int
    processes: int


@dataclass
class Soaked:
    """What came of it; `faults` is empty if all is well."""

    seconds: float
    answered: int
    left: int
    wrong: list[str]
    warm_mib: float
    last_mib: float
    before: Held
    after: Held
    spare_descriptors: int
    memory_counts: bool = True
    faults: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.faults = [*self.wrong[:10]]
        if self.memory_counts and self.last_mib > GROWTH * self.warm_mib + GROWTH_MIB:
            self.faults.append(f"memory grew from {self.warm_mib:.0f} to {self.last_mib:.0f} MiB")
        if self.after.descriptors > self.before.descriptors + self.spare_descriptors:
            self.faults.append(f"descriptors grew from {self.before.descriptors} to {self.after.descriptors}")
        if self.after.processes != self.before.processes:
            self.faults.append(f"there were {self.before.processes} processes, and now {self.after.processes}")


async def soak(
    port: int, roots: Iterable[int], session: aiohttp.ClientSession, *, seconds: float, clients: int, whole: bool = True
) -> Soaked:
    """Soak the studio at a port of this machine, whose processes are those below `roots`.

    Not `whole`, it is too short for memory to tell anything.
    """
    roots = tuple(roots)
    listeners = Listeners(session, port, seed=SEED)
    await listeners.prepare()
    spare = SPARE_DESCRIPTORS * clients * len(roots)
    before = await _at_rest(session, port, roots)
    began = time.monotonic()
    watching = asyncio.create_task(_watch(roots, began, seconds))
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(listeners.listen(number, lambda: time.monotonic() - began > seconds))
    readings = await watching
    return Soaked(
        seconds=round(time.monotonic() - began, 1),
        answered=listeners.tally.answered,
        left=listeners.tally.left,
        wrong=listeners.tally.wrong,
        warm_mib=_most(readings, WARM_SHARE * seconds, 2 * WARM_SHARE * seconds),
        last_mib=_most(readings, (1 - WARM_SHARE) * seconds, seconds),
        before=before,
        after=await _at_rest(session, port, roots, most=before.descriptors + spare),
        spare_descriptors=spare,
        memory_counts=whole,
    )


def soak_apart(port: int, authority: Path, roots: Iterable[int], *, seconds: float, clients: int) -> Soaked:
    """Soak what listens at `port` with a certificate of `authority`, for a process that does nothing else: asyncio
    leaves connections open whose handshake was cancelled. Memory does not count."""

    async def soaked() -> Soaked:
        context = ssl.create_default_context(cafile=str(authority))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            return await soak(port, roots, session, seconds=seconds, clients=clients, whole=False)

    return asyncio.run(soaked())


async def _watch(roots: tuple[int, ...], began: float, seconds: float) -> list[tuple[float, float]]:
    """Memory now and then, by the time since the beginning."""
    readings = []
    while (passed := time.monotonic() - began) < seconds:
        readings.append((passed, held(roots).mib))
        await asyncio.sleep(READING_SECONDS)
    return readings


def _most(readings: list[tuple[float, float]], begin: float, end: float) -> float:
    return max((mib for passed, mib in readings if begin <= passed <= end), default=0.0)


async def _at_rest(
    session: aiohttp.ClientSession, port: int, roots: tuple[int, ...], *, most: float = math.inf
) -> Held:
    """What is held when nobody listens; asked until there are no more than so many descriptors, or for REST_SECONDS."""
    end = time.monotonic() + REST_SECONDS
    while True:
        listening = any((await figures(session, port, *BUSY)).values())
        found = held(roots)
        if time.monotonic() > end or not (listening or found.descriptors > most):
            return found
        await asyncio.sleep(0.05)


def held(roots: Iterable[int]) -> Held:
    """What the processes below `roots` hold now, the roots included."""
    pids = [pid for root in roots for pid in _family(root)]
    return Held(
        mib=sum(map(_own_mib, pids)),
        descriptors=sum(len([*Path(f"/proc/{pid}/fd").iterdir()]) for pid in pids),
        processes=len(pids),
    )


def _family(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(each for child in children for each in _family(child))]


def _own_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon:")), 0.0)


async def _through_the_stack(minutes: float) -> Soaked:
    async with speech.studio() as stack, speech.connected(stack, CLIENTS) as session:
        roots = [pid for name, pid in stack.processes().items() if "voice" in name]
        return await soak(stack.https_port, roots, session, seconds=60 * minutes, clients=CLIENTS)


def main() -> int:
    """Exit code 1 if anything grew or was answered wrongly."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; 10 by default")
    soaked = asyncio.run(_through_the_stack(parser.parse_args().minutes))
    told: dict[str, Any] = asdict(soaked)
    for name, value in told.items():
        print(f"{name}: {value}")
    print("nothing grew, nothing was wrong" if not soaked.faults else "NOT GOOD")
    return 1 if soaked.faults else 0


if __name__ == "__main__":
    sys.exit(main())
