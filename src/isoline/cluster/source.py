"""What a source of objects is: it fills the store, and takes what commands and controllers want changed."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from isoline.cluster.events import EventLog
from isoline.cluster.store import Store
from isoline.objects import Key, Object

COMMAND = "command"
"""The origin of what a person applied; a controller gives its own name."""

Action = Literal["created", "configured", "unchanged", "deleted", "not found", "refused"]


Severity = Literal["error", "warning"]


class Result(msgspec.Struct, frozen=True):
    """What became of one object that was applied or deleted."""

    key: Key
    action: Action
    note: str = ""
    """Why it was refused, or what else there is to know; mostly empty."""


class ManifestProblem(msgspec.Struct, frozen=True):
    """Something in a source that cannot be used as it is. What it spoils keeps its last good version."""

    severity: Severity
    source: str
    """The file, or what else it came from."""
    text: str
    """Where, what was found, what to do, as one line."""

    def __str__(self) -> str:
        return self.text


class Source(Protocol):
    """One world of objects: the directory and state folder of one machine, or a Kubernetes API."""

    @property
    def store(self) -> Store: ...

    @property
    def events(self) -> EventLog: ...

    @property
    def synced(self) -> asyncio.Event:
        """Set once the store has held everything there was at the start: before that, nothing may be concluded."""
        ...

    @property
    def problems(self) -> Sequence[ManifestProblem]: ...

    async def start(self) -> None:
        """Fills the store, sets `synced` and goes on following changes."""
        ...

    async def stop(self) -> None: ...

    async def apply(self, objects: Iterable[Object], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """Creates or replaces objects; done when they cannot be lost any more. A status in them is ignored."""
        ...

    async def delete(self, keys: Iterable[Key], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """Deletes objects and, with them, what they own."""
        ...

    async def reconcile_children(self, owner: Key, desired: Iterable[Object], *, manager: str) -> list[Result]:
        """Makes this manager's children of an owner exactly these: creates, replaces and deletes what differs."""
        ...

    def set_status(self, key: Key, status: msgspec.Struct) -> bool:
        """Replaces an object's status, in memory at once, elsewhere soon. False when there is no such object."""
        ...
