"""Several servers of one engine: the least busy that answers, and a growing pause for one that does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


@dataclass(slots=True)
class Replica:
    """A server by its URL without a path; `active` counts requests under way, `failures` those in a row."""

    url: str
    active: int = 0
    failures: int = 0
    down_until: float = 0.0


class Replicas:
    """Chooses among servers; `now` gives seconds of a monotonic clock."""

    def __init__(self, urls: Sequence[str], *, now: Callable[[], float] = time.monotonic) -> None:
        self.all = tuple(Replica(url.rstrip("/")) for url in urls)
        self._now = now

    def order(self) -> list[Replica]:
        """Those that are up, the least busy first; if none is, the one that may be tried again soonest."""
        now = self._now()
        up = [replica for replica in self.all if replica.down_until <= now]
        if up:
            return sorted(up, key=lambda replica: replica.active)
        return [min(self.all, key=lambda replica: replica.down_until)]

    def succeeded(self, replica: Replica) -> None:
        """It sent audio."""
        replica.failures, replica.down_until = 0, 0.0

    def failed(self, replica: Replica, *, retry_after: float | None = None) -> None:
        """It did not: leave it alone for as long as it says, else for twice as long as the last time."""
        replica.failures += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (replica.failures - 1))
        replica.down_until = self._now() + (pause if retry_after is None else min(LONGEST_PAUSE, retry_after))

    @property
    def up(self) -> int:
        """How many may be asked now."""
        return sum(replica.down_until <= self._now() for replica in self.all)

    @property
    def pause(self) -> float:
        """Seconds until one may be asked again; 0 if one may now."""
        return max(0.0, min(replica.down_until for replica in self.all) - self._now())
