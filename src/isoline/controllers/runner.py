"""Runs reconcilers: a change in the store becomes a key, a key becomes one look at the world as it is now."""

import asyncio
import itertools
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from isoline.cluster.store import Change, PositionExpiredError, Store
from isoline.controllers.clock import Clock
from isoline.controllers.delays import Delays
from isoline.controllers.queue import WorkQueue
from isoline.objects.meta import Key

_log = structlog.get_logger(__name__)

FIRST_RETRY = 0.05
LONGEST_RETRY = 60.0
JITTER = 0.2
WITHOUT_A_BREAK = 50
"""Keys that one worker looks at before others get their turn."""


class Reconciler(Protocol):
    """Makes the world what the object of a key says, whatever has happened before: level-triggered."""

    @property
    def name(self) -> str: ...

    def touched_by(self, change: Change) -> Iterable[Key]:
        """The keys to look at because of a change."""
        ...

    def everything(self) -> Iterable[Key]:
        """Every key there is to look at."""
        ...

    async def reconcile(self, key: Key) -> float | None:
        """Make it so. Returns the seconds after which to look again even if nothing changes; None is never."""
        ...


class Loop:
    """One reconciler with its queue. A key that fails is tried again, later each time."""

    def __init__(self, reconciler: Reconciler, clock: Clock, *, workers: int = 1) -> None:
        self.reconciler = reconciler
        self._queue: WorkQueue[Key] = WorkQueue()
        self._failures: dict[Key, int] = {}
        self._later = Delays(clock, self.add)
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, key: Key) -> None:
        """Look at this key soon."""
        self._queue.add(key)

    def start(self) -> None:
        """Look at everything, and begin to work."""
        for key in self.reconciler.everything():
            self.add(key)
        name = f"controller {self.reconciler.name}"
        self._tasks = [asyncio.create_task(self._work(), name=name) for _ in range(self._workers)]
        self._tasks.append(asyncio.create_task(self._later.run(), name=f"{name}, later"))

    @property
    def busy(self) -> bool:
        """Whether there is a key to look at, or one is looked at."""
        return self._queue.busy

    async def idle(self) -> None:
        """Wait until every key asked for has been looked at."""
        await self._queue.idle()

    async def stop(self) -> None:
        """End the work, wherever it is."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _work(self) -> None:
        for count in itertools.count(1):
            key = await self._queue.take()
            try:
                again = await self.reconciler.reconcile(key)
            except Exception:
                failures = self._failures[key] = self._failures.get(key, 0) + 1
                again = retry_delay(failures)
                _log.exception("reconcile failed", controller=self.reconciler.name, key=str(key), retry_in=again)
            else:
                self._failures.pop(key, None)
            finally:
                self._queue.done(key)
            self._later.set(key, again)
            if count % WITHOUT_A_BREAK == 0:
                # Keys that need not wait for anything would otherwise keep everybody else waiting.
                await asyncio.sleep(0)


def retry_delay(failures: int) -> float:
    """Return the seconds until the next try after so many failures in a row: doubling, bounded, with jitter."""
    delay = min(FIRST_RETRY * 2.0 ** min(failures - 1, 16), LONGEST_RETRY)
    return delay * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


class Runner:
    """Hands every change of the store to the loops that it touches."""

    def __init__(self, store: Store, loops: Sequence[Loop]) -> None:
        self._store = store
        self._loops = loops
        self._position = 0
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow the store from now on, and start every loop."""
        self._position = self._store.position
        self._following = asyncio.create_task(self._follow(), name="controllers' feed")
        for loop in self._loops:
            loop.start()

    async def idle(self, *loops: Loop) -> None:
        """Wait until these loops have nothing to do. What one gives another to do is waited for too."""
        while True:
            for loop in loops:
                await loop.idle()
            if self._position == self._store.position and not any(loop.busy for loop in loops):
                return
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Stop following and end the loops."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for loop in self._loops:
            await loop.stop()

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(self._position):
                    self._dispatch(batch)
                    self._position = batch[-1].position
            except PositionExpiredError:
                # More has changed than the feed keeps: look at everything, once.
                self._position = self._store.position
                for loop in self._loops:
                    for key in loop.reconciler.everything():
                        loop.add(key)

    def _dispatch(self, batch: Iterable[Change]) -> None:
        for change in batch:
            for loop in self._loops:
                try:
                    for key in loop.reconciler.touched_by(change):
                        loop.add(key)
                except Exception:
                    # One change that cannot be understood must not end the feed for all that follow.
                    _log.exception("change not understood", controller=loop.reconciler.name, key=str(change.key))
