"""What every object has: its key, its metadata, and the conditions in its status."""

from typing import Any, NamedTuple, Self

import msgspec
from msgspec import field

from isoline.objects.model import Model


class Key(NamedTuple):
    """The identity of an object. `namespace` is empty for a cluster-wide kind. Prints as `HTTPProxy default/voice`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class OwnerReference(Model, frozen=True, kw_only=True):
    """The object that made this one, and with which this one goes."""

    api_version: str
    kind: str
    name: str
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Model, frozen=True, kw_only=True):
    """Kubernetes' metadata. Timestamps are RFC 3339 strings; `managedFields` is dropped when read."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(Model, frozen=True, kw_only=True):
    """One aspect of an object's state, as `metav1.Condition`. `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int = 0


class LabelSelectorRequirement(Model, frozen=True, kw_only=True):
    """`operator` is In, NotIn, Exists or DoesNotExist; `values` is empty for the last two."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(Model, frozen=True, kw_only=True):
    """All labels and all expressions must match; the empty selector matches everything."""

    match_labels: dict[str, str] = field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class LocalObjectReference(Model, frozen=True, kw_only=True):
    """The name of an object in the same namespace."""

    name: str = ""


class TypedLocalObjectReference(Model, frozen=True, kw_only=True):
    """The kind and name of an object; `namespace` only where the API allows one."""

    api_group: str | None = None
    kind: str
    name: str
    namespace: str | None = None


class ObjectReference(Model, frozen=True, kw_only=True):
    """A reference that may name any object, as `v1.ObjectReference`."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""


class Object(Model, frozen=True, kw_only=True):
    """A manifest. Every kind narrows `api_version` and `kind` to its own."""

    api_version: str
    kind: str
    metadata: ObjectMeta

    @property
    def key(self) -> Key:
        """The object's identity: kind, namespace (empty for a cluster-wide kind), name."""
        return Key(self.kind, self.metadata.namespace, self.metadata.name)

    def with_metadata(self, **changes: Any) -> Self:
        """Return the same object with some fields of its metadata replaced (Python names, as in `ObjectMeta`)."""
        return msgspec.structs.replace(self, metadata=msgspec.structs.replace(self.metadata, **changes))
