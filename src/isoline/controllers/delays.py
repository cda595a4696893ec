"""Keys that come up again later: one timer for all of them, whether there are ten or ten thousand."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from isoline.controllers.clock import Clock
from isoline.objects.meta import Key


class Delays:
    """Calls `due` with each key when its time has come. A key has one time: a newer one replaces it."""

    def __init__(self, clock: Clock, due: Callable[[Key], None]) -> None:
        self._clock = clock
        self._due = due
        self._times: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._earlier = asyncio.Event()

    def set(self, key: Key, seconds: float | None) -> None:
        """Have a key come up after so many seconds; None is never."""
        if seconds is None:
            self._times.pop(key, None)
            return
        time = self._clock.now() + seconds
        self._times[key] = time
        heapq.heappush(self._heap, (time, key))
        if self._heap[0] == (time, key):
            self._earlier.set()

    async def run(self) -> None:
        """Wait for one time after the other, for ever."""
        while True:
            self._earlier.clear()
            self._call_due()
            waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._earlier.wait())]
            if self._heap:
                waiting.append(asyncio.ensure_future(self._clock.sleep(self._heap[0][0] - self._clock.now())))
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()

    def _call_due(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            time, key = heapq.heappop(self._heap)
            if self._times.get(key) == time:
                del self._times[key]
                self._due(key)
