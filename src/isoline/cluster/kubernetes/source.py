"""The source for a cluster: what an API server has, followed; statuses and what controllers make, written there."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from isoline.cluster.events import EventLog
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.decoding import UndecodableError, decoder
from isoline.cluster.kubernetes.event_writer import EventWriter
from isoline.cluster.kubernetes.following import OTHER_SECRETS, ROUTING, reflectors
from isoline.cluster.kubernetes.objects import ObjectWrites
from isoline.cluster.kubernetes.references import References
from isoline.cluster.kubernetes.reflector import Reflector
from isoline.cluster.kubernetes.statuses import StatusWrites
from isoline.cluster.source import COMMAND, ManifestProblem, Result
from isoline.cluster.store import Store
from isoline.objects import Key, Object
from isoline.objects.registry import BY_NAME

_log = structlog.get_logger(__name__)


class Connectivity(NamedTuple):
    """Whether everything is being followed, since when (seconds since the epoch), and what keeps it from being so."""

    following: bool
    since: float
    trouble: str


class KubernetesSource:
    """Fulfils `Source`. Nothing is written before `lead` is called: of several replicas one speaks for all."""

    def __init__(
        self,
        client: Client,
        store: Store,
        *,
        kinds: Sequence[str] = ROUTING,
        namespaces: Sequence[str] = (),
        made: Sequence[str] = (),
        optional: Sequence[str] = (),
        singles: Iterable[Key] = (),
        every_secret: bool = False,
        insistent: bool = True,
        events: EventLog | None = None,
    ) -> None:
        """`namespaces` are those that are followed, all when empty. `singles` are followed wherever they are.
        Of the kinds in `made` and `optional` only what we manage is followed; an optional one may come and go.

        With `every_secret` there is no choice among Secrets, as for a person who lists them. Not `insistent`: what may
        not be read is done without.
        """
        self._client = client
        self._store = store
        self._events = events or EventLog()
        self._synced = asyncio.Event()
        self._undecodable: dict[Key, str] = {}
        self._optional = frozenset(optional)
        self.offered: frozenset[str] = frozenset()
        """Those of the optional kinds that the cluster knows and lets us follow."""
        self.on_offer: Callable[[], None] = _nothing
        """Told when these are others."""
        self._reflectors = reflectors(
            client,
            self,
            kinds=kinds,
            ours=(*made, *optional),
            optional=optional,
            singles=singles,
            namespaces=namespaces,
            every_secret=every_secret,
            insistent=insistent,
            on_offer=self._offer,
        )
        self._namespaces = frozenset(namespaces)
        self._tls_secrets: set[Key] = set()
        known = store.get if every_secret else self._tls_secrets.__contains__
        self.secrets = References(
            client, "Secret", self, known=lambda key: bool(known(key)), others=OTHER_SECRETS, namespaces=namespaces
        )
        """Secrets that are not of type TLS, each followed because something names it."""
        self.statuses = StatusWrites(client, self._status_written)
        self._objects = ObjectWrites(client, store)
        self._event_writer = EventWriter(client, store, self._events, may_write=lambda: self.leading)
        self.leading = False
        """Whether statuses and events are written."""
        self._tasks: list[asyncio.Task[None]] = []
        self.on_failure: Callable[[BaseException], None] = _no_one
        """Told when following ends though nobody stopped it: an error of ours."""

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
    def followed(self) -> Sequence[Reflector]:
        """What is followed as a whole; what is referenced singly comes on top."""
        return self._reflectors

    @property
    def problems(self) -> Sequence[ManifestProblem]:
        server = self._client.connection.server
        found = [
            ManifestProblem("error", server, f"{each.kind.plural} are not followed: {each.trouble}")
            for each in self._troubled()
        ]
        found += [ManifestProblem("error", server, f"{key}: {text}") for key, text in sorted(self._undecodable.items())]
        return found

    def connectivity(self) -> Connectivity:
        """Whether the store is what the cluster has. The longest trouble there is counts."""
        troubled = self._troubled()
        if not troubled:
            return Connectivity(True, max((each.since for each in self._reflectors), default=0.0), "")
        first = min(troubled, key=lambda each: each.since)
        return Connectivity(False, first.since, f"{first.kind.plural}: {first.trouble}")

    def _troubled(self) -> list[Reflector]:
        return [
            each
            for each in (*self._reflectors, *self.secrets.reflectors)
            # What may be missing may also be forbidden.
            if each.state == "away" or (each.state == "refused" and each.kind.name not in self._optional)
        ]

    def _offer(self, reflector: Reflector) -> None:
        if reflector.state not in ("following", "absent", "refused"):
            # While the API server is away the cluster is what it was.
            return
        name = reflector.kind.name
        same = [each for each in self._reflectors if each.kind.name == name]
        there = any(each.state == "following" for each in same)
        offered = self.offered | {name} if there else self.offered - {name}
        if offered != self.offered:
            self.offered = offered
            self.on_offer()

    # --- life ---

    async def start(self) -> None:
        """Returns when everything has come once. Until the API server answers, it waits."""
        self.statuses.start()
        self._event_writer.start()
        for reflector in self._reflectors:
            task = asyncio.create_task(reflector.run(), name=f"follow {reflector.kind.plural}")
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        for reflector in self._reflectors:
            await reflector.settled.wait()
        self._synced.set()

    async def stop(self) -> None:
        await self.statuses.stop()
        await self._event_writer.stop()
        await self.secrets.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lead(self, leading: bool) -> None:
        """Begin to write, or end: what was not written by then, the next leader finds out by itself."""
        self.leading = leading
        if not leading:
            self.statuses.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("following ended", task=task.get_name(), exc_info=error)
            self.on_failure(error)

    # --- what reflectors tell ---

    def changed(self, put: Sequence[Object], gone: Sequence[Key], *, version: str) -> None:
        """As in `Sink`."""
        secrets = [item.key for item in put if item.kind == "Secret"] + [key for key in gone if key.kind == "Secret"]
        if not secrets:
            self._store.apply(put, gone)
            return
        # A Secret that has just come may be told of twice, by name and by type, in any order.
        newer = [item for item in put if self._is_newer(item)]
        self._store.apply(newer, [key for key in gone if not self._outlived(key, version)])
        for key in secrets:
            secret = self._store.get(key)
            if getattr(secret, "type", "") == "kubernetes.io/tls":
                self._tls_secrets.add(key)
            else:
                self._tls_secrets.discard(key)
            self.secrets.look_at(key)

    def undecodable(self, key: Key, text: str) -> None:
        """As in `Sink`."""
        if self._undecodable.get(key) != text:
            self._undecodable[key] = text
            _log.warning("object not understood", key=str(key), message=text)
            self._events.warning(key, "NotUnderstood", text)

    def decodable(self, key: Key) -> None:
        """As in `Sink`."""
        self._undecodable.pop(key, None)

    def _is_newer(self, item: Object) -> bool:
        known = self._store.get(item.key)
        return known is None or _number(item.metadata.resource_version) >= _number(known.metadata.resource_version)

    def _outlived(self, key: Key, version: str) -> bool:
        known = self._store.get(key)
        return bool(version) and known is not None and _number(known.metadata.resource_version) > _number(version)

    # --- what is looked up ---

    def looked_up(self, key: Key, wanted: bool) -> None:
        """Something that is compiled looks this object up, or does no longer."""
        if key.kind == "Secret" and (not self._namespaces or key.namespace in self._namespaces):
            self.secrets.want(key, wanted)

    # --- writing ---

    def set_status(self, key: Key, status: msgspec.Struct) -> bool:
        """As in `Source`; where others lead, nothing happens."""
        current = self._store.get(key)
        if current is None:
            return False
        if self.leading and getattr(current, "status") != status:  # noqa: B009 - not every kind has one
            self._store.apply([msgspec.structs.replace(current, status=status)])
            self.statuses.put(key, status)
        return True

    def _status_written(self, key: Key, answer: bytes) -> None:
        """Take what the server made of it, rather than wait until it tells us."""
        current = self._store.get(key)
        try:
            item = decoder(BY_NAME[key.kind])(answer)
        except UndecodableError:
            return
        if current is not None and item.metadata.uid == current.metadata.uid and self._is_newer(item):
            self._store.apply([item])

    async def apply(self, objects: Iterable[Object], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """As in `Source`, by server-side apply. Raises KubernetesError when the server does not answer."""
        return [await self._objects.apply(item, origin=origin, dry_run=dry_run) for item in objects]

    async def rehearse(self, item: Object, *, origin: str) -> Object:
        """What would become of an object if this controller wrote it. Raises KubernetesError."""
        return await self._objects.rehearse(item, origin=origin)

    async def delete(self, keys: Iterable[Key], *, origin: str = COMMAND, dry_run: bool = False) -> list[Result]:
        """As in `Source`; the cluster's garbage collector takes what they own. Raises KubernetesError."""
        return [await self._objects.delete(key, origin=origin, dry_run=dry_run) for key in keys]

    async def reconcile_children(self, owner: Key, desired: Iterable[Object], *, manager: str) -> list[Result]:
        """As in `Source`. Raises KubernetesError when the server does not answer."""
        return await self._objects.reconcile_children(owner, desired, manager=manager)


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0


def _no_one(_: BaseException) -> None:
    """Where nobody wants to know."""


def _nothing() -> None:
    """Where nothing follows from it."""
