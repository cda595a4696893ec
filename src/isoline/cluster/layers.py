"""Who says what of an object on one machine: a file, a command, or a controller, in this order of precedence."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from isoline.objects import Key, Object


class Generated(NamedTuple):
    """An object that a controller made, for an owner with which it goes, or for none."""

    object: Object
    manager: str
    owner: Key | None


class Layers:
    """The layers under the directory's, and the directory's by a function."""

    def __init__(self, directory: Callable[[Key], Object | None]) -> None:
        self._directory = directory
        self.applied: dict[Key, Object] = {}
        self.generated: dict[Key, Generated] = {}
        self._children: dict[Key, dict[str, set[Key]]] = {}

    def effective(self, key: Key) -> Object | None:
        """What counts of an object, before it has an identity."""
        item = self._directory(key) or self.applied.get(key)
        if item is None and key in self.generated:
            return self.generated[key].object
        return item

    def generate(self, item: Object, *, manager: str, owner: Key | None) -> None:
        key = item.key
        self.forget_generated(key)
        self.generated[key] = Generated(item, manager, owner)
        if owner is not None:
            self._children.setdefault(owner, {}).setdefault(manager, set()).add(key)

    def forget_generated(self, key: Key) -> None:
        generated = self.generated.pop(key, None)
        if generated is None or generated.owner is None:
            return
        managers = self._children[generated.owner]
        managers[generated.manager].discard(key)
        if not managers[generated.manager]:
            del managers[generated.manager]
        if not managers:
            del self._children[generated.owner]

    def children(self, owner: Key, manager: str | None = None) -> set[Key]:
        """What an owner's controllers made for it, or one of them."""
        managers = self._children.get(owner, {})
        if manager is not None:
            return set(managers.get(manager, ()))
        return set().union(*managers.values())

    def orphans(self, gone: Iterable[Key]) -> list[Key]:
        """Generated objects that go with owners which no layer has any more, and with those in turn; owners first."""
        found: dict[Key, None] = {}
        unchecked = deque(gone)
        while unchecked:
            for child in sorted(self.children(unchecked.popleft()) - found.keys()):
                found[child] = None
                if self._directory(child) is None and child not in self.applied:
                    unchecked.append(child)
        return list(found)

    def ownerless(self) -> list[Key]:
        """Generated objects whose owner no layer has, and what goes with them in turn."""
        return self.orphans(owner for owner in list(self._children) if self.effective(owner) is None)
