"""What the API server of a cluster gives to each object, given here: uid, creation time, generation, version."""

import hashlib
import random
import time
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec

from isoline.cluster import codec
from isoline.objects import Object, ObjectMeta, OwnerReference

_BOOKKEEPING = frozenset({"api_version", "kind", "metadata", "status"})


class Identity(NamedTuple):
    uid: str
    created: str
    """RFC 3339 with microseconds, so that of two objects the older is told by the string."""
    generation: int
    """Counts versions of what is asked for: all but metadata and status."""


class Revisions:
    """Ever growing resource versions, across restarts too as long as the clock does not go back."""

    def __init__(self) -> None:
        self._last = time.time_ns() // 1000

    def next(self) -> str:
        self._last += 1
        return str(self._last)


def new_identity() -> Identity:
    created = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    # It has to be unique, not secret: asking the kernel ten thousand times would take a tenth of a second.
    return Identity(str(uuid.UUID(int=random.getrandbits(128), version=4)), created, 1)


def identity_of(item: Object) -> Identity:
    """The identity that a stamped object carries."""
    return Identity(item.metadata.uid, item.metadata.creation_timestamp or "", item.metadata.generation)


def stamp(wanted: Object, identity: Identity, revision: str, status: msgspec.Struct | None) -> Object:
    """An object as the store holds it: what is wanted, who it is, and the last status (None: that of a new object)."""
    metadata = msgspec.structs.replace(
        wanted.metadata,
        uid=identity.uid,
        creation_timestamp=identity.created,
        generation=identity.generation,
        resource_version=revision,
    )
    changes: dict[str, Any] = {"metadata": metadata}
    if status is not None:
        changes["status"] = status
    return msgspec.structs.replace(wanted, **changes)


def restamped(wanted: Object, current: Object) -> Object:
    """What is wanted, with the identity, version and status of what is there; a new generation if it asks for more."""
    identity = identity_of(current)
    if not asks_the_same(wanted, current):
        identity = identity._replace(generation=identity.generation + 1)
    return stamp(wanted, identity, current.metadata.resource_version, getattr(current, "status", None))


def owned(child: Object, owner: Object) -> Object:
    """A child that names its owner as its controller."""
    reference = OwnerReference(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
    others = tuple(
        each for each in child.metadata.owner_references if (each.kind, each.name) != (reference.kind, reference.name)
    )
    return child.with_metadata(owner_references=(reference, *others))


def stripped(item: Object) -> Object:
    """An object without what only a source may say of it, as when somebody applies what `get -o yaml` printed."""
    metadata = msgspec.structs.replace(
        item.metadata,
        generate_name="",
        uid="",
        creation_timestamp=None,
        generation=0,
        resource_version="",
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
        finalizers=(),
    )
    changes: dict[str, Any] = {"metadata": metadata}
    if codec.has_status(item.kind):
        changes["status"] = initial_status(type(item))
    return msgspec.structs.replace(item, **changes)


@cache
def initial_status(kind: type[Object]) -> Any:
    """The status of an object of this kind that nobody has looked at."""
    (field,) = (field for field in msgspec.structs.fields(kind) if field.name == "status")
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def asks_the_same(one: Object, other: Object) -> bool:
    """Whether two objects differ in metadata and status at most."""
    return type(one) is type(other) and all(
        getattr(one, name) == getattr(other, name) for name in one.__struct_fields__ if name not in _BOOKKEEPING
    )


def digest(item: Object) -> bytes:
    """A hash of what an object asks for: all but metadata and status."""
    changes: dict[str, Any] = {"metadata": ObjectMeta()}
    if codec.has_status(item.kind):
        changes["status"] = initial_status(type(item))
    return hashlib.blake2b(codec.pack(msgspec.structs.replace(item, **changes)), digest_size=16).digest()
