"""What should be in every Envoy, by name. Knows no meaning: bytes, versions, and what was refused."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from isoline.xds.resources import Name, Resource

Listener = Callable[[Collection[Name]], None]


class Rejection(NamedTuple):
    """A version that an Envoy refused."""

    version: str
    message: str
    """Envoy's words."""
    fallback: Resource | None
    """The last version that was accepted, served meanwhile; None: nothing is."""


class Cache:
    """One world for all Envoys. Belongs to one event loop; every call is O(what it was given)."""

    def __init__(self) -> None:
        self._resources: dict[str, dict[str, Resource]] = {}
        self._rejections: dict[Name, Rejection] = {}
        self._listeners: list[Listener] = []
        self._ready = False
        self._restored = False

    @property
    def ready(self) -> bool:
        """Whether the first complete world is here; nothing is served before."""
        return self._ready

    @property
    def restored(self) -> bool:
        """Whether an earlier world is here, and the present one is not: good for who has none at all."""
        return self._restored and not self._ready

    @property
    def rejections(self) -> Mapping[Name, Rejection]:
        """What is refused at its present version."""
        return MappingProxyType(self._rejections)

    def mark_ready(self) -> None:
        """The world is complete: streams that wait are served."""
        self._ready = True
        self._notify(())

    def mark_restored(self) -> None:
        """What is here was kept by an earlier run: streams of Envoys that hold nothing are served."""
        self._restored = True
        self._notify(())

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with the names that changed, inside the call that changed them. Returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def update(self, put: Iterable[Resource] = (), remove: Iterable[Name] = ()) -> set[Name]:
        """Puts and removes in one step. Returns the names whose content is now another one.

        A new version of a resource that was refused is given its chance.
        """
        changed = set()
        for resource in put:
            of_type = self._resources.setdefault(resource.name.type_url, {})
            before = of_type.get(resource.name.name)
            if before is None or before.version != resource.version:
                changed.add(resource.name)
            elif before == resource:
                continue
            of_type[resource.name.name] = resource
        for name in remove:
            if self._resources.get(name.type_url, {}).pop(name.name, None) is not None:
                changed.add(name)
        for name in changed & self._rejections.keys():
            del self._rejections[name]
        if changed:
            self._notify(changed)
        return changed

    def get(self, name: Name) -> Resource | None:
        """What is served under `name`: the last accepted version where the present one was refused."""
        rejection = self._rejections.get(name)
        if rejection is not None:
            return rejection.fallback
        return self._resources.get(name.type_url, {}).get(name.name)

    def names(self, type_url: str) -> Collection[str]:
        """The names of one type, also of what is refused."""
        return self._resources.get(type_url, {}).keys()

    def all_names(self) -> set[Name]:
        """The names of everything."""
        return {resource.name for of_type in self._resources.values() for resource in of_type.values()}

    def reject(self, refused: Resource, message: str, last_accepted: Resource | None) -> bool:
        """Takes `refused` out, for `last_accepted`. Returns whether that is news: false if it is known already, or if
        another version has come since."""
        present = self._resources.get(refused.name.type_url, {}).get(refused.name.name)
        if present is None or present.version != refused.version or refused.name in self._rejections:
            return False
        self._rejections[refused.name] = Rejection(refused.version, message, last_accepted)
        self._notify((refused.name,))
        return True

    def _notify(self, changed: Collection[Name]) -> None:
        for listener in tuple(self._listeners):
            listener(changed)
