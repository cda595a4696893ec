"""What a compile sees of the world, and the record of what it looked at.

A miss is a read like any other: a Service that was looked for and not found is why the site compiles again when that
Service comes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from isoline.cluster.store import Store
from isoline.objects import Key, Object
from isoline.routing.settings import GATEWAY_CONFIG, Settings


class IndexRead(NamedTuple):
    """A look into an index: what is found changes only when an object gains or loses this value."""

    name: str
    value: str


Read = Key | IndexRead


class View:
    """The store through which one unit is compiled. Use a new one for each compile."""

    __slots__ = ("_settings", "_store", "reads")

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.reads: set[Read] = set()

    @property
    def settings(self) -> Settings:
        self.reads.add(GATEWAY_CONFIG)
        return self._settings

    def get(self, key: Key) -> Object | None:
        self.reads.add(key)
        return self._store.get(key)

    def find(self, index: str, value: str) -> Sequence[Key]:
        """Return the keys of the objects with this value in this index, sorted. Not to be kept."""
        self.reads.add(IndexRead(index, value))
        return self._store.find(index, value)
