"""Who read what: the map that makes a change cost no more than what it touches."""

from collections.abc import Callable, Collection, Iterable
from typing import Literal, NamedTuple

from isoline.objects import Key
from isoline.routing.view import Read


class Unit(NamedTuple):
    """What is compiled as one."""

    kind: Literal["site", "endpoints", "certificate"]
    name: str


class Dependencies:
    """The reads of each unit's last compile, and the units by read.

    `on_lookup`, where given, hears of each object that units begin to look up, and of each that none does any more.
    """

    def __init__(self, on_lookup: Callable[[Key, bool], None] | None = None) -> None:
        self._on_lookup = on_lookup
        self._reads: dict[Unit, tuple[Read, ...]] = {}
        self._readers: dict[Read, set[Unit]] = {}

    def units(self) -> set[Unit]:
        """Return every unit there is."""
        return set(self._reads)

    def replace(self, unit: Unit, reads: Collection[Read]) -> None:
        """Set what a unit depends on."""
        before = self._reads.get(unit, ())
        self._reads[unit] = tuple(reads)
        for read in reads:
            readers = self._readers.get(read)
            if readers is not None:
                readers.add(unit)
            else:
                self._readers[read] = {unit}
                self._tell(read, True)
        for read in before:
            if read not in reads:
                self._forget(unit, read)

    def drop(self, unit: Unit) -> None:
        """Forget a unit."""
        for read in self._reads.pop(unit, ()):
            self._forget(unit, read)

    def readers(self, reads: Iterable[Read]) -> set[Unit]:
        """Return the units that depend on any of the reads."""
        found: set[Unit] = set()
        for read in reads:
            found |= self._readers.get(read, frozenset())
        return found

    def _forget(self, unit: Unit, read: Read) -> None:
        readers = self._readers[read]
        readers.discard(unit)
        if not readers:
            del self._readers[read]
            self._tell(read, False)

    def _tell(self, read: Read, begins: bool) -> None:
        if self._on_lookup is not None and isinstance(read, Key):
            self._on_lookup(read, begins)
