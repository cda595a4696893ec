"""Time, as controllers see it, so that tests need not wait."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def timestamp(seconds: float) -> str:
    """Return the RFC 3339 form of seconds since the epoch, whole seconds in UTC, as Kubernetes writes it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(moment: str) -> float:
    """Return the seconds since the epoch of an RFC 3339 timestamp. Raises ValueError for anything else."""
    return datetime.fromisoformat(moment).timestamp()
