"""Whether a change may be made, and what it would be: the answers that a person or a controller gets."""

from isoline.cluster.directory import ManifestDirectory
from isoline.cluster.identities import restamped
from isoline.cluster.layers import Layers
from isoline.cluster.source import COMMAND, Action, Result
from isoline.cluster.store import Store
from isoline.objects import Key, Object


class Admission:
    """Looks at the layers, changes nothing."""

    def __init__(self, store: Store, layers: Layers, directory: ManifestDirectory | None) -> None:
        self._store = store
        self._layers = layers
        self._directory = directory

    def of(self, item: Object, origin: str) -> Result:
        key = item.key
        if not key.name:
            return Result(key, "refused", "metadata.name is missing: give the object a name")
        file = self._file_of(key)
        if origin == COMMAND:
            if file is not None:
                return Result(key, "refused", f"managed by file {file}: change it there")
            return Result(key, self._action(item))
        generated = self._layers.generated.get(key)
        if generated is not None and (generated.manager, generated.owner) != (origin, None):
            return Result(key, "refused", f"belongs to {generated.owner or generated.manager}")
        return Result(key, self._action(item), self._shadow(key))

    def of_deletion(self, key: Key, origin: str) -> Result:
        file = self._file_of(key)
        generated = self._layers.generated.get(key)
        if origin == COMMAND:
            if file is not None:
                return Result(key, "refused", f"managed by file {file}: remove it there")
            if key in self._layers.applied:
                return Result(key, "deleted", "a controller's own version takes its place" if generated else "")
        if generated is None:
            return Result(key, "not found")
        if origin != COMMAND and generated.manager != origin:
            return Result(key, "refused", f"belongs to {generated.owner or generated.manager}")
        made_again = f"made for {generated.owner}, which may make it again" if generated.owner is not None else ""
        return Result(key, "deleted", made_again)

    def of_child(self, child: Object, owner: Key, manager: str) -> Result:
        key = child.key
        known = self._layers.generated.get(key)
        if known is None:
            return Result(key, "created", self._shadow(key))
        if (known.manager, known.owner) != (manager, owner):
            return Result(key, "refused", f"belongs to {known.owner or known.manager}")
        return Result(key, "unchanged" if known.object == child else "configured", self._shadow(key))

    def _action(self, item: Object) -> Action:
        current = self._store.get(item.key)
        if current is None:
            return "created"
        return "unchanged" if restamped(item, current) == current else "configured"

    def _shadow(self, key: Key) -> str:
        file = self._file_of(key)
        if file is not None:
            return f"file {file} has its own, which counts"
        return "one was applied by command, which counts" if key in self._layers.applied else ""

    def _file_of(self, key: Key) -> str | None:
        return self._directory.file_of(key) if self._directory is not None else None
