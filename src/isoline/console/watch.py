"""Streams: objects, events and log lines as they come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

from isoline.cluster.events import Event
from isoline.cluster.store import PositionExpiredError, Store
from isoline.console.context import ReplicaLog
from isoline.console.plain import plain
from isoline.console.wire import EventRecord, LogRecord, Reference, WatchRecord, WatchType
from isoline.objects import Key, Object

NEW_REPLICAS_SECONDS = 0.5


async def watch_objects(
    store: Store, kind: str, wanted: Callable[[Key], bool], *, secrets: bool = False
) -> AsyncIterator[WatchRecord]:
    """What there is, then what changes, as Kubernetes' watches tell it."""
    known: dict[Key, Object] = {}
    while True:
        position = store.position
        present = {item.key: item for item in store.of_kind(kind) if wanted(item.key)}
        for key in known.keys() - present.keys():
            yield WatchRecord("DELETED", plain(known.pop(key), secrets=secrets))
        for key, item in present.items():
            if known.get(key) is not item:
                yield WatchRecord("MODIFIED" if key in known else "ADDED", plain(item, secrets=secrets))
                known[key] = item
        # Whoever reads too slowly to follow the feed is told by comparing again.
        with suppress(PositionExpiredError):
            async for changes in store.follow(position):
                for change in changes:
                    if change.key.kind != kind or not wanted(change.key):
                        continue
                    if change.new is None:
                        known.pop(change.key, None)
                        assert change.old is not None
                        yield WatchRecord("DELETED", plain(change.old, secrets=secrets))
                    else:
                        happened: WatchType = "MODIFIED" if change.key in known else "ADDED"
                        known[change.key] = change.new
                        yield WatchRecord(happened, plain(change.new, secrets=secrets))


def event_record(event: Event) -> EventRecord:
    return EventRecord(
        position=event.position,
        type=event.type,
        reason=event.reason,
        about=Reference(*event.about),
        message=event.message,
        first_seen=event.first_seen,
        last_seen=event.last_seen,
        count=event.count,
    )


def read_logs(logs: Sequence[ReplicaLog], *, since: float | None, tail: int | None) -> list[LogRecord]:
    """The kept lines of several logs, oldest first; `tail` counts for each."""
    records = [
        LogRecord(at=line.at, replica=each.replica, container=each.container, text=line.text)
        for each in logs
        for line in each.log.read(since=since, tail=tail)
    ]
    return sorted(records, key=lambda record: record.at)


async def follow_logs(
    logs: Callable[[], Sequence[ReplicaLog]], *, since: float | None, tail: int | None
) -> AsyncIterator[LogRecord]:
    """The kept lines and those that come, of replicas that come too."""
    lines: asyncio.Queue[LogRecord] = asyncio.Queue(maxsize=1000)

    async def pump(each: ReplicaLog) -> None:
        async for line in each.log.follow(since=since, tail=tail):
            await lines.put(LogRecord(at=line.at, replica=each.replica, container=each.container, text=line.text))

    async def pump_all() -> None:
        followed: set[Any] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                for each in logs():
                    if each.log.directory not in followed:
                        followed.add(each.log.directory)
                        group.create_task(pump(each))
                await asyncio.sleep(NEW_REPLICAS_SECONDS)

    pumping = asyncio.create_task(pump_all())
    try:
        while True:
            getting = asyncio.create_task(lines.get())
            try:
                await asyncio.wait({getting, pumping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not getting.done():
                    getting.cancel()
            if not getting.done():
                await pumping
            yield getting.result()
    finally:
        pumping.cancel()
        with suppress(asyncio.CancelledError, BaseExceptionGroup):
            await pumping
