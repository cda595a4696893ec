"""Time that a test moves, and objects written as YAML."""

import asyncio
import heapq
from typing import TypeVar

from isoline.objects import Object
from isoline.objects.decoding import decode_documents

ObjectType = TypeVar("ObjectType", bound=Object)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move, waking sleepers in their order and letting each do its work before the next."""
        end = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            time, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, time)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._now = end


async def settle() -> None:
    """Let everything that can run without time or input do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def manifests(text: str) -> list[Object]:
    """The objects in YAML documents that have no errors."""
    decoded = decode_documents(text)
    assert not decoded.errors, [str(error) for error in decoded.errors]
    return list(decoded.objects)


def manifest(text: str, kind: type[ObjectType]) -> ObjectType:
    """The one object in a YAML document."""
    (found,) = manifests(text)
    assert isinstance(found, kind)
    return found
