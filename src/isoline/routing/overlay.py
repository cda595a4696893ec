"""A store as it would be after some changes, without a copy of it."""

from collections.abc import Iterator, Sequence

from isoline.cluster.store import Change, Store
from isoline.objects import Key, Object
from isoline.routing.indexes import HOSTS


class Overlay(Store):
    """Answers what compiling asks: objects by key and by index."""

    def __init__(self, base: Store, changes: Sequence[Change]) -> None:
        super().__init__()
        self._base = base
        self._new = {change.key: change.new for change in changes}
        self._found: dict[tuple[str, str], set[Key]] = {}
        self._hosts: set[str] = set()
        for change in changes:
            for version in (change.old, change.new):
                for index, value in base.values_of(version) if version is not None else ():
                    if version is change.new:
                        self._found.setdefault((index, value), set()).add(change.key)
                    if index == HOSTS:
                        self._hosts.add(value)

    def get(self, key: Key) -> Object | None:
        return self._new[key] if key in self._new else self._base.get(key)

    def find(self, index: str, value: str) -> Sequence[Key]:
        untouched = [key for key in self._base.find(index, value) if key not in self._new]
        return sorted([*untouched, *self._found.get((index, value), ())])

    def hosts(self) -> Iterator[str]:
        """The hosts that changed objects claim, or claimed."""
        return iter(self._hosts)
