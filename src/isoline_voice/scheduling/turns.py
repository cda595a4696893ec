"""A queue in which clients take turns, so that one with a hundred requests waits no less than one with a single one."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

from isoline_voice.engines.protocol import Priority

Item = TypeVar("Item")

PRIORITIES: tuple[Priority, ...] = ("interactive", "batch")
"""The first goes first."""


class Turns(Generic[Item]):
    """What waits, by priority and client.

    Within a priority the clients go round, each with its oldest item.
    """

    def __init__(self) -> None:
        self._bands: dict[Priority, OrderedDict[str, deque[Item]]] = {band: OrderedDict() for band in PRIORITIES}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, item: Item, *, client: str, priority: Priority) -> None:
        """Queue an item at the end of its client's own line."""
        self._bands[priority].setdefault(client, deque()).append(item)
        self._size += 1

    def take(self, priority: Priority) -> Item | None:
        """The next item of a priority, which leaves the queue; None when there is none."""
        band = self._bands[priority]
        if not band:
            return None
        client, line = band.popitem(last=False)
        item = line.popleft()
        if line:
            band[client] = line  # to the end of the round
        self._size -= 1
        return item

    def next(self) -> Item | None:
        """The next item of the first priority that has one, which leaves the queue; None when it is empty."""
        return next((item for band in PRIORITIES if (item := self.take(band)) is not None), None)

    def remove(self, item: Item, *, client: str, priority: Priority) -> None:
        """Take an item out wherever it stands; nothing happens when it has left."""
        line = self._bands[priority].get(client)
        if line is None or item not in line:
            return
        line.remove(item)
        self._size -= 1
        if not line:
            del self._bands[priority][client]

    def waiting(self, client: str) -> int:
        """How many items of a client wait."""
        return sum(len(band.get(client, ())) for band in self._bands.values())
