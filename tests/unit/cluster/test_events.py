"""Events: counted when they repeat, followed as they happen, bounded."""

import asyncio

from isoline.cluster.events import EventLog
from isoline.objects import Key

APP = Key("App", "default", "voice")
OTHER = Key("App", "default", "other")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_events_are_found_by_what_they_are_about() -> None:
    log = EventLog()
    log.normal(APP, "Started", "Started replica 1")
    log.warning(OTHER, "BackOff", "Waiting")
    assert [(event.type, event.reason) for event in log.about(APP)] == [("Normal", "Started")]
    assert [event.position for event in log.after(1)] == [2]


def test_what_repeats_is_counted_and_moves_to_the_end() -> None:
    clock = Clock()
    log = EventLog(clock=clock)
    log.warning(APP, "Unhealthy", "503")
    log.normal(APP, "Started", "Started")
    clock.now = 150.0
    log.warning(APP, "Unhealthy", "503")
    started, unhealthy = log.about(APP)
    assert started.reason == "Started"
    assert (unhealthy.count, unhealthy.first_seen, unhealthy.last_seen) == (2, 100.0, 150.0)


def test_what_repeats_after_a_long_time_is_a_new_event() -> None:
    clock = Clock()
    log = EventLog(clock=clock)
    log.warning(APP, "Unhealthy", "503")
    clock.now += 3600
    log.warning(APP, "Unhealthy", "503")
    assert [event.count for event in log.about(APP)] == [1, 1]


def test_only_the_newest_are_retained() -> None:
    log = EventLog(retained=3)
    for number in range(10):
        log.normal(APP, "Started", f"replica {number}")
    assert [event.message for event in log.after()] == ["replica 7", "replica 8", "replica 9"]
    assert len(log._latest) == 3


async def test_a_follower_gets_old_and_new() -> None:
    log = EventLog()
    log.normal(APP, "Started", "one")
    feed = log.follow()
    assert (await anext(feed)).message == "one"
    later = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(0)
    assert not later.done()
    log.normal(APP, "Started", "two")
    assert (await later).message == "two"
