"""The source for one machine: a directory of manifests, what was applied by command, what controllers made.

Three layers, the first that has an object wins: directory, command, controllers. What is under it is kept and shows
again when it goes. The store gets the winner with an identity, which survives restarts, and its last status.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog

from isoline.cluster import codec, kept
from isoline.cluster.admission import Admission
from isoline.cluster.directory import Delta, ManifestDirectory
from isoline.cluster.events import EventLog
from isoline.cluster.identities import (
    Revisions,
    digest,
    identity_of,
    new_identity,
    owned,
    restamped,
    stamp,
    stripped,
)
from isoline.cluster.layers import Generated, Layers
from isoline.cluster.source import COMMAND, ManifestProblem, Result
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Change, Store
from isoline.objects import Key, Object

MOST_EVENTS_AT_ONCE = 20
RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class LocalSource:
    """Fulfils `Source`. The state folder must be acquired, and is written by nobody else."""

    def __init__(
        self, store: Store, state: StateFolder, directory: ManifestDirectory | None, *, events: EventLog | None = None
    ) -> None:
        self._store = store
        self._directory = directory
        self._database = state.database()
        self._keeper = kept.Keeper(self._database)
        self._layers = Layers(directory.get if directory is not None else lambda _: None)
        self._admission = Admission(store, self._layers, directory)
        self._revisions = Revisions()
        self._events = events or EventLog()
        self._synced = asyncio.Event()
        self._state_problems: list[ManifestProblem] = []
        self._reported: set[ManifestProblem] = set()
        self._following: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        return self._store

    @property
    def events(self) -> EventLog:
        return self._events

    @property
    def synced(self) -> asyncio.Event:
        return self._synced

    @property
    def problems(self) -> Sequence[ManifestProblem]:
        """All there are at present. Each new one is told of by an event as well."""
        found = [*self._state_problems, *(self._directory.problems if self._directory is not None else ())]
        if self._database.failure is not None:
            text = (
                f"{self._database.failure}: what changes now is lost with this process; free space or repair the disk"
            )
            found.append(ManifestProblem("error", "state", text))
        return found

    async def start(self) -> None:
        """Raises DirectoryError, StateVersionError or sqlite3.Error."""
        aside = self._database.open()
        try:
            remembered = kept.load(self._database)
            delta = self._directory.load(remembered.files) if self._directory is not None else Delta({}, set(), {})
        except BaseException:
            self._database.close()
            raise
        if aside is not None:
            text = (
                f"the state folder's database was damaged and is kept as {aside}: what was applied by command is gone "
                "from here, apply it again; directories of manifests are not touched by this"
            )
            self._state_problems.append(ManifestProblem("error", "state", text))
        self._state_problems += [
            ManifestProblem("error", "state", f"{line}: kept, but of another version of Isoline; apply it again")
            for line in remembered.stale
        ]
        self._fill(remembered)
        self._keeper.files(delta.files)
        self._report_problems()
        self._synced.set()
        if self._directory is not None:
            self._following = asyncio.create_task(self._follow(self._directory), name="manifests")

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
            self._following = None
        await asyncio.to_thread(self._database.close)

    async def apply(self, objects: Iterable[Object], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """As in `Source`. Raises sqlite3.Error when the change counts now, but could not be written down."""
        results: list[Result] = []
        changed: list[Key] = []
        for item in map(stripped, objects):
            result = self._admission.of(item, origin)
            results.append(result)
            if dry_run or result.action == "refused":
                continue
            if origin == COMMAND:
                self._layers.applied[item.key] = item
                self._keeper.applied(item.key, item)
            else:
                self._generate(item, manager=origin, owner=None)
            changed.append(item.key)
        changes = self._refresh(changed)
        if origin == COMMAND:
            self._record(changes, "by command")
        if changed:
            await asyncio.wrap_future(self._database.flush())
        return results

    async def delete(self, keys: Iterable[Key], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """As in `Source`. Raises sqlite3.Error when the change counts now, but could not be written down."""
        results: list[Result] = []
        changed: list[Key] = []
        for key in keys:
            result = self._admission.of_deletion(key, origin)
            results.append(result)
            if dry_run or result.action != "deleted":
                continue
            if origin == COMMAND and key in self._layers.applied:
                del self._layers.applied[key]
                self._keeper.applied(key, None)
            else:
                self._forget_generated(key)
            changed.append(key)
        changes = self._refresh(changed)
        if origin == COMMAND:
            self._record(changes, "by command")
        if changed:
            await asyncio.wrap_future(self._database.flush())
        return results

    async def reconcile_children(self, owner: Key, desired: Iterable[Object], *, manager: str) -> list[Result]:
        """As in `Source`. Without an owner nothing is desired. Written behind: controllers make it again anyway."""
        parent = self._store.get(owner)
        children = [owned(stripped(child), parent) for child in desired] if parent is not None else []
        results: list[Result] = []
        for child in children:
            result = self._admission.of_child(child, owner, manager)
            if result.action not in ("refused", "unchanged"):
                self._generate(child, manager=manager, owner=owner)
            results.append(result)
        surplus = self._layers.children(owner, manager) - {child.key for child in children}
        for key in sorted(surplus):
            self._forget_generated(key)
            results.append(Result(key, "deleted"))
        self._refresh([result.key for result in results if result.action not in ("refused", "unchanged")])
        return results

    def set_status(self, key: Key, status: msgspec.Struct) -> bool:
        """As in `Source`."""
        current = self._store.get(key)
        if current is None:
            return False
        if getattr(current, "status") != status:  # noqa: B009 - not every kind has one
            self._store.apply([stamp(current, identity_of(current), self._revisions.next(), status)])
            self._keeper.status(key, status)
        return True

    # --- start ---

    def _fill(self, remembered: kept.Kept) -> None:
        """Puts everything there is into the store, as one batch."""
        self._layers.applied = remembered.applied
        for generated in remembered.generated.values():
            self._layers.generate(generated.object, manager=generated.manager, owner=generated.owner)
        for key in self._layers.ownerless():
            self._forget_generated(key)
        from_files = self._directory.keys() if self._directory is not None else ()
        keys = dict.fromkeys([*from_files, *self._layers.applied, *self._layers.generated])
        revision = self._revisions.next()
        stamped: list[Object] = []
        for key in keys:
            item = self._layers.effective(key)
            assert item is not None
            stamped.append(self._remembered(item, remembered.identities.get(key), remembered.statuses, revision))
        self._store.apply(stamped)
        for key in remembered.identities.keys() - keys.keys():
            self._keeper.identity(key, None, None)
        for key in remembered.statuses.keys() - keys.keys():
            self._keeper.status(key, None)

    def _remembered(
        self,
        item: Object,
        known: kept.KeptIdentity | None,
        statuses: Mapping[Key, msgspec.Struct],
        revision: str,
    ) -> Object:
        key = item.key
        if known is None:
            identity = new_identity()
        elif known.digest != digest(item):
            identity = known.identity._replace(generation=known.identity.generation + 1)
        else:
            return stamp(item, known.identity, revision, statuses.get(key))
        self._keeper.identity(key, identity, item)
        return stamp(item, identity, revision, statuses.get(key) if known is not None else None)

    # --- changes ---

    def _generate(self, item: Object, *, manager: str, owner: Key | None) -> None:
        self._layers.generate(item, manager=manager, owner=owner)
        self._keeper.generated(item.key, Generated(item, manager, owner))

    def _forget_generated(self, key: Key) -> None:
        self._layers.forget_generated(key)
        self._keeper.generated(key, None)

    def _refresh(self, keys: Iterable[Key]) -> list[Change]:
        """Brings the store in line with the layers. Children of what goes, go in the same batch."""
        affected = dict.fromkeys(keys)
        gone = [key for key in affected if self._layers.effective(key) is None]
        orphans = self._layers.orphans(gone)
        for key in orphans:
            self._forget_generated(key)
        affected |= dict.fromkeys(orphans)
        put: list[Object] = []
        delete: list[Key] = []
        for key in affected:
            item, current = self._layers.effective(key), self._store.get(key)
            if item is None:
                delete.append(key)
                self._keeper.identity(key, None, None)
                if codec.has_status(key.kind):
                    self._keeper.status(key, None)
            elif current is None:
                put.append(stamp(item, new_identity(), self._revisions.next(), None))
                self._keeper.identity(key, identity_of(put[-1]), put[-1])
            elif (wanted := restamped(item, current)) != current:
                put.append(wanted.with_metadata(resource_version=self._revisions.next()))
                self._keeper.identity(key, identity_of(wanted), wanted)
        return self._store.apply(put, delete)

    # --- the directory ---

    async def _follow(self, directory: ManifestDirectory) -> None:
        while True:
            try:
                async for delta in directory.follow():
                    changes = self._refresh([*delta.put, *delta.gone])
                    self._keeper.files(delta.files)
                    self._report_problems()
                    self._record(changes, "by file")
            except Exception:
                # Traffic goes on whatever it was; what was taken from the directory and got lost is found by comparing.
                _log.exception("manifests not followed", directory=str(directory.root))
                await asyncio.sleep(RETRY_SECONDS)
                self._refresh([item.key for kind in self._store.kinds() for item in self._store.of_kind(kind)])
                self._refresh(list(directory.keys()))

    def _report_problems(self) -> None:
        problems = dict.fromkeys(self.problems)
        for problem in problems:
            if problem not in self._reported:
                self._events.warning(Key("Manifest", "", problem.source), "InvalidManifest", problem.text)
        self._reported = set(problems)

    def _record(self, changes: Sequence[Change], how: str) -> None:
        if len(changes) > MOST_EVENTS_AT_ONCE:
            root = str(self._directory.root) if self._directory is not None else ""
            self._events.normal(Key("Manifest", "", root), "Changed", f"{len(changes)} objects changed {how}")
            return
        for change in changes:
            file = self._directory.file_of(change.key) if self._directory is not None else None
            origin = f"by file {file}" if file is not None else how
            if change.new is None:
                self._events.normal(change.key, "Deleted", f"Deleted {origin}")
            elif change.old is None:
                self._events.normal(change.key, "Created", f"Created {origin}")
            else:
                self._events.normal(change.key, "Configured", f"Changed {origin}")
