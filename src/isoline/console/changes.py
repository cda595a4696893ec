"""Objects as somebody would put them, as the changes that they would be."""

from collections.abc import Iterable, Mapping

import msgspec

from isoline.cluster.store import Change, Store, differs_in_status_only
from isoline.objects import Key, Object


def changes_of(store: Store, put: Mapping[Key, Object], gone: Iterable[Key] = ()) -> list[Change]:
    """Return the changes that putting and deleting would be. What is there keeps its age and its status."""
    changes = []
    for key, item in put.items():
        old = store.get(key)
        new = item if old is None else _succeeding(old, item)
        if old != new:
            changes.append(Change(0, key, old, new, old is not None and differs_in_status_only(old, new)))
    changes += [Change(0, key, old, None, False) for key in gone if (old := store.get(key)) is not None]
    return changes


def _succeeding(old: Object, new: Object) -> Object:
    metadata = msgspec.structs.replace(
        new.metadata,
        uid=old.metadata.uid,
        creation_timestamp=old.metadata.creation_timestamp,
        resource_version=old.metadata.resource_version,
        generation=old.metadata.generation,
        owner_references=new.metadata.owner_references or old.metadata.owner_references,
    )
    if hasattr(old, "status"):
        return msgspec.structs.replace(new, metadata=metadata, status=old.status)
    return msgspec.structs.replace(new, metadata=metadata)
