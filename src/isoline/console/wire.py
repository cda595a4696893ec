"""What the control API says, for both ends of it. Imports next to nothing: each command of the line waits for it."""

from typing import Any, Literal

import msgspec

SECRET = "<redacted>"  # noqa: S105 - it stands where one was


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The Isoline that answers."""

    version: str
    pid: int
    started: float
    """Epoch seconds."""
    state: str
    directory: str | None
    http_port: int | None
    https_port: int | None
    ready: bool
    """Everything that was there at the start is served."""
    resources_sent: int
    """To Envoys, since the start: after a restart, what changed meanwhile and no more."""


class Reference(msgspec.Struct, frozen=True):
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one object that was applied or deleted; as `isoline.cluster.source.Result`."""

    key: Reference
    action: str
    note: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one kind as plain JSON, Secrets' values redacted unless asked for."""

    kind: str
    resource: str
    """What a person calls the kind, such as `app`."""
    namespaced: bool
    items: list[dict[str, Any]]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a title. Without columns each row is a name and a value."""

    title: str
    columns: list[str] = []
    rows: list[list[str]] = []
    note: str = ""
    """Said instead of, or after, the rows."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    key: Reference
    sections: list[Section]


class ObjectDifference(msgspec.Struct, frozen=True, kw_only=True):
    key: Reference
    action: Literal["added", "changed", "removed", "unchanged", "refused"]
    note: str = ""
    lines: list[str] = []
    """A unified diff without its head."""


class RouteDifference(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    action: Literal["added", "changed", "removed"]
    lines: list[str] = []
    """`+ ` before a route that comes, `- ` before one that goes, two spaces before one that stays."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What applying would be answered with."""

    refused: list[str] = []
    harmed: list[str] = []
    """Other objects, and what is wrong with them then."""
    awaited: list[str] = []
    """What is wrong until something else is there."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What applying would do."""

    objects: list[ObjectDifference]
    routes: list[RouteDifference]
    problems: list[str] = []
    """What would be invalid of it."""
    harmed: list[str] = []
    """What would become of other objects that they are not now."""


class CertificateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The first certificate of a Secret."""

    secret: str
    names: list[str]
    issuer: str
    not_before: float
    not_after: float
    """Epoch seconds."""


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    at: float
    replica: str
    container: str
    text: str


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    type: str
    reason: str
    about: Reference
    message: str
    first_seen: float
    last_seen: float
    count: int


WatchType = Literal["ADDED", "MODIFIED", "DELETED"]


class WatchRecord(msgspec.Struct, frozen=True):
    type: WatchType
    object: dict[str, Any]


class Refusal(msgspec.Struct, frozen=True):
    """The body of every answer that is not 200."""

    error: str
