"""Loops: what changes is looked at, what fails is tried again, and a flood is survived."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
import structlog

from isoline.cluster.store import Change, Store
from isoline.controllers.runner import JITTER, LONGEST_RETRY, Loop, Runner, retry_delay
from isoline.objects import Key, Namespace, ObjectMeta
from unit.controllers.support import FakeClock, settle


class Watcher:
    """Notes the keys that it is asked to look at."""

    name = "watcher"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[str] = []
        self.failures = 0
        self.again: float | None = None
        self.puzzled_by = ""

    def touched_by(self, change: Change) -> Iterable[Key]:
        if change.key.name == self.puzzled_by:
            raise ValueError(change.key)
        return (change.key,)

    def everything(self) -> Iterable[Key]:
        return [item.key for item in self.store.of_kind("Namespace")]

    async def reconcile(self, key: Key) -> float | None:
        self.seen.append(key.name)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no")
        return self.again


def namespace(name: str) -> Namespace:
    return Namespace(metadata=ObjectMeta(name=name))


class Rig:
    def __init__(self, *, retained_changes: int = 100) -> None:
        self.clock = FakeClock()
        self.store = Store(retained_changes=retained_changes)
        self.watcher = Watcher(self.store)
        self.loop = Loop(self.watcher, self.clock)
        self.runner = Runner(self.store, (self.loop,))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    with structlog.testing.capture_logs():
        yield made
    await made.runner.stop()


async def test_what_is_there_at_the_start_and_what_changes_later_is_looked_at(rig: Rig) -> None:
    rig.store.apply([namespace("early")])
    rig.runner.start()
    await rig.runner.idle(rig.loop)
    rig.store.apply([namespace("late")])
    await rig.runner.idle(rig.loop)

    assert rig.watcher.seen == ["early", "late"]


async def test_a_key_that_fails_is_tried_again_later_until_it_succeeds(rig: Rig) -> None:
    rig.store.apply([namespace("a")])
    rig.watcher.failures = 2
    rig.runner.start()
    await settle()
    assert rig.watcher.seen == ["a"]

    await rig.clock.advance(1)
    assert rig.watcher.seen == ["a", "a", "a"]

    await rig.clock.advance(1000)
    assert len(rig.watcher.seen) == 3


async def test_a_key_that_asks_for_it_is_looked_at_again(rig: Rig) -> None:
    rig.watcher.again = 60
    rig.store.apply([namespace("a")])
    rig.runner.start()
    await rig.clock.advance(59)
    assert len(rig.watcher.seen) == 1

    await rig.clock.advance(62)

    assert len(rig.watcher.seen) == 3


async def test_one_change_that_cannot_be_understood_does_not_end_the_feed(rig: Rig) -> None:
    rig.watcher.puzzled_by = "odd"
    rig.runner.start()
    rig.store.apply([namespace("odd")])
    rig.store.apply([namespace("fine")])
    await rig.runner.idle(rig.loop)

    assert rig.watcher.seen == ["fine"]


async def test_after_more_changes_than_the_feed_keeps_everything_is_looked_at() -> None:
    rig = Rig(retained_changes=3)
    rig.runner.start()
    rig.store.apply([namespace(str(number)) for number in range(10)])
    await asyncio.wait_for(rig.runner.idle(rig.loop), 5)

    assert set(rig.watcher.seen) == {str(number) for number in range(10)}
    await rig.runner.stop()


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.05), (2, 0.1), (3, 0.2), (30, LONGEST_RETRY), (5000, LONGEST_RETRY)]
)
def test_retries_double_up_to_a_minute_with_some_jitter(failures: int, seconds: float) -> None:
    delays = [retry_delay(failures) for _ in range(50)]

    assert min(delays) >= seconds * (1 - JITTER)
    assert max(delays) <= seconds * (1 + JITTER)
    assert len(set(delays)) > 1
