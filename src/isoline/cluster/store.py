"""Every object we know, by key and by index, with an ordered feed of what changed.

The store knows neither where objects come from nor what they mean. One event loop owns it: nothing here awaits between
reading and writing, so a batch is seen whole or not at all.
"""

import asyncio
from bisect import bisect_left, insort
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from isoline.objects import Key, Object

RETAINED_CHANGES = 4096


class Change(NamedTuple):
    """One object that came (`old` is None), changed, or went (`new` is None)."""

    position: int
    key: Key
    old: Object | None
    new: Object | None
    status_only: bool
    """Nothing but the status (or the bookkeeping that a status write brings) differs: no reason to compile anything."""


class Index(NamedTuple):
    """Finds objects of one kind by values taken from them. Several indexes may share a name, one a kind."""

    name: str
    kind: str
    values: Callable[[Any], Iterable[str]]


class PositionExpiredError(LookupError):
    """The feed no longer holds the changes after the asked position: list everything and follow from there."""


class Store:
    def __init__(self, indexes: Iterable[Index] = (), *, retained_changes: int = RETAINED_CHANGES) -> None:
        self._objects: dict[str, dict[Key, Object]] = {}
        self._indexes: dict[str, list[Index]] = {}
        for index in indexes:
            self._indexes.setdefault(index.kind, []).append(index)
        self._entries: dict[tuple[str, str], list[Key]] = {}
        self._feed: deque[Change] = deque(maxlen=retained_changes)
        self._position = 0
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def position(self) -> int:
        """The position of the newest change; 0 before the first."""
        return self._position

    def get(self, key: Key) -> Object | None:
        kind = self._objects.get(key.kind)
        return None if kind is None else kind.get(key)

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Object]:
        """Every object of a kind at this moment, in the order in which they came."""
        objects = self._objects.get(kind, {})
        if namespace is None:
            return iter(list(objects.values()))
        return iter([item for key, item in objects.items() if key.namespace == namespace])

    def count(self, kind: str) -> int:
        return len(self._objects.get(kind, ()))

    def kinds(self) -> list[str]:
        return sorted(kind for kind, objects in self._objects.items() if objects)

    def find(self, index: str, value: str) -> Sequence[Key]:
        """Keys of the objects that have this value in this index, sorted. Read it, do not keep it."""
        return self._entries.get((index, value), ())

    def values_of(self, item: Object) -> Iterator[tuple[str, str]]:
        """The (index, value) pairs under which this object is found."""
        for index in self._indexes.get(item.key.kind, ()):
            for value in index.values(item):
                yield index.name, value

    def apply(self, put: Iterable[Object] = (), delete: Iterable[Key] = ()) -> list[Change]:
        """Puts and deletes as one batch. Returns the changes there were; an equal object is none."""
        changes = [change for item in put if (change := self._put(item)) is not None]
        changes += [change for key in delete if (change := self._delete(key)) is not None]
        if changes:
            self._feed.extend(changes)
            self._wake()
        return changes

    def changes(self, after: int) -> list[Change]:
        """What came after this position, oldest first.

        Raises PositionExpiredError when some of it is no longer held.
        """
        if after >= self._position:
            return []
        missing = self._position - after
        if missing > len(self._feed):
            raise PositionExpiredError(after)
        return [self._feed[at] for at in range(len(self._feed) - missing, len(self._feed))]

    async def follow(self, after: int) -> AsyncIterator[list[Change]]:
        """Everything that changes after a position, in batches of what has come since the last one was taken.

        Raises PositionExpiredError when the follower was too slow.
        """
        while True:
            batch = self.changes(after)
            if batch:
                after = batch[-1].position
                yield batch
            else:
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _put(self, item: Object) -> Change | None:
        key = item.key
        objects = self._objects.setdefault(key.kind, {})
        old = objects.get(key)
        if old == item:
            return None
        status_only = old is not None and differs_in_status_only(old, item)
        objects[key] = item
        if not status_only:
            self._reindex(key, old, item)
        return self._change(key, old, item, status_only=status_only)

    def _delete(self, key: Key) -> Change | None:
        old = self._objects.get(key.kind, {}).pop(key, None)
        if old is None:
            return None
        self._reindex(key, old, None)
        return self._change(key, old, None, status_only=False)

    def _change(self, key: Key, old: Object | None, new: Object | None, *, status_only: bool) -> Change:
        self._position += 1
        return Change(self._position, key, old, new, status_only)

    def _reindex(self, key: Key, old: Object | None, new: Object | None) -> None:
        before = set(self.values_of(old)) if old is not None else set()
        after = set(self.values_of(new)) if new is not None else set()
        for entry in before - after:
            keys = self._entries[entry]
            del keys[bisect_left(keys, key)]
            if not keys:
                del self._entries[entry]
        for entry in after - before:
            insort(self._entries.setdefault(entry, []), key)


def differs_in_status_only(old: Object, new: Object) -> bool:
    """Whether two unequal versions of an object say the same but for `status` and the numbers that count versions."""
    if type(old) is not type(new):
        return False
    for field in old.__struct_fields__:
        if field == "status":
            continue
        before, after = getattr(old, field), getattr(new, field)
        if field == "metadata":
            before, after = _bare(before), _bare(after)
        if before != after:
            return False
    return True


def _bare(metadata: Any) -> Any:
    return msgspec.structs.replace(metadata, resource_version="", generation=0)
