"""The one flow, one change at a time and without waiting: store feed, scheduler, renderer, cache."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog

from isoline.cluster.store import Change, PositionExpiredError, Store
from isoline.gateway.kept_certificates import KeptCertificates
from isoline.gateway.remarks import Remarks
from isoline.gateway.renderer import Batch, Renderer
from isoline.gateway.snapshot import Snapshot
from isoline.objects import Key
from isoline.routing.foresight import Foresight
from isoline.routing.scheduler import Scheduler
from isoline.routing.statuses import ProxyStatus
from isoline.routing.update import Update
from isoline.xds.cache import Cache
from isoline.xds.resources import Name

Statuses = Mapping[Key, ProxyStatus | None]
LONGEST_WAIT = 3600.0
"""Seconds that are waited at a stretch for a certificate to end: clocks are set."""

_log = structlog.get_logger(__name__)


class Flow:
    """Keeps a cache true to a store.

    `on_statuses` is told what to write to objects, `on_refused` which objects an Envoy refused something of, and in
    which words; neither may wait. `snapshot`, when given, is kept up. `settle`, when given, is awaited before
    anything is served for the first time: by then the store is to hold what comes only when it is looked up.
    `on_gateway` is told what an Envoy refused that no object gave, and the empty text once it is mended.
    `certificates`, when given, remembers with which certificates hosts were served before, and is kept up.
    """

    def __init__(
        self,
        store: Store,
        cache: Cache,
        scheduler: Scheduler,
        *,
        on_statuses: Callable[[Statuses], None],
        on_refused: Callable[[Sequence[Key], str], None],
        snapshot: Snapshot | None = None,
        settle: Callable[[], Awaitable[None]] | None = None,
        certificates: KeptCertificates | None = None,
        on_gateway: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._cache = cache
        self._scheduler = scheduler
        self._on_statuses = on_statuses
        self._on_refused = on_refused
        self._snapshot = snapshot
        self._settle = settle
        self._certificates = certificates
        self._ends_changed = asyncio.Event()
        self._on_gateway = on_gateway
        self._told_of_gateway = ""
        self._renderer = Renderer()
        self._remarks = Remarks(cache, self._renderer, scheduler)
        self._one_at_a_time = asyncio.Lock()
        self.caught_up = asyncio.Event()
        """Set once everything that the store held at the start is in the cache."""

    def restore(self) -> bool:
        """Serves the kept snapshot at once to Envoys that hold nothing, until `run` has compiled the present. Returns
        whether there was one."""
        resources = self._snapshot.load() if self._snapshot is not None else []
        if resources:
            self._cache.update(resources)
            self._cache.mark_restored()
        return bool(resources)

    async def run(self) -> None:
        """Compiles everything once, then what each change touches, until cancelled."""
        if self._certificates is not None:
            self._scheduler.remember(self._certificates.load())
        position = self._store.position
        left_over = self._cache.all_names()
        statuses: dict[Key, ProxyStatus | None] = {}
        await self._take(self._scheduler.start(), left_over, statuses)
        position = await self._take_settled(position, left_over, statuses)
        if self._certificates is not None:
            self._certificates.keep(self._scheduler.forget())
        # What only a snapshot knew.
        self._put(Batch([], list(left_over)))
        self._cache.mark_ready()
        self.caught_up.set()
        # Traffic first; and thousands of statuses at once would push other changes out of the feed.
        self._on_statuses(statuses)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(position))
            group.create_task(self._end_certificates())

    async def _follow(self, position: int) -> None:
        while True:
            try:
                async for changes in self._store.follow(position):
                    async with self._one_at_a_time:
                        await self._take(self._scheduler.steps(changes))
                    position = changes[-1].position
            except PositionExpiredError:
                _log.info("more changed at once than the feed holds: everything is compiled again")
                position = self._store.position
                async with self._one_at_a_time:
                    await self._take(self._scheduler.start())

    async def _end_certificates(self) -> None:
        """No object changes when a certificate ends."""
        while True:
            left = self._scheduler.seconds_until_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT if left is None else min(left, LONGEST_WAIT)):
                    await self._ends_changed.wait()
            self._ends_changed.clear()
            async with self._one_at_a_time:
                await self._take(self._scheduler.end_certificates())

    @property
    def kept_certificates(self) -> dict[str, float]:
        """When the certificates end that are served although their Secret has gone, or holds none any more.

        By `<namespace>/<secret>`, in seconds since the epoch.
        """
        return self._scheduler.kept_certificates

    def refused(self, name: Name, message: str) -> None:
        """An Envoy refused a resource: says so in the status of the objects that it came from, until it is mended."""
        statuses, owners = self._remarks.refused(name, message)
        self._on_statuses(statuses)
        self._on_refused(owners, message)
        self._tell_of_gateway()

    def _tell_of_gateway(self) -> None:
        if (told := self._remarks.of_gateway) != self._told_of_gateway:
            self._told_of_gateway = told
            self._on_gateway(told)

    def late(self, name: Name, needs: Sequence[Name]) -> None:
        """Something was sent before what it needs was ready: a warning in the status of its owners, until it is."""
        if statuses := self._remarks.late(name, needs):
            self._on_statuses(statuses)

    def statuses(self) -> Statuses:
        """What has been said of each object, for somebody who was not there when it was."""
        return self._scheduler.statuses()

    def foresee(self, changes: Sequence[Change]) -> Foresight:
        """What these changes would do."""
        return self._scheduler.foresee(changes)

    async def _take_settled(self, position: int, left_over: set[Name], statuses: dict[Key, ProxyStatus | None]) -> int:
        """Compile what has come because it was looked up. Returns the position up to which all is compiled."""
        if self._settle is None:
            return position
        await self._settle()
        try:
            changes = self._store.changes(position)
        except PositionExpiredError:
            return position
        if changes:
            await self._take(self._scheduler.steps(changes), left_over, statuses)
        return changes[-1].position if changes else position

    async def _take(
        self,
        updates: Iterator[Update],
        left_over: set[Name] | None = None,
        statuses: dict[Key, ProxyStatus | None] | None = None,
    ) -> None:
        """Passes on one update after another, and lets others run in between.

        What is put is struck off `left_over`; statuses are collected in `statuses` where that is given.
        """
        render_again = False
        for at, update in enumerate(updates):
            if at:
                await asyncio.sleep(0)
            render_again = self._renderer.outdated_by(update.gateway) or render_again
            batch = self._renderer.render(update)
            if update.certificates:
                self._ends_changed.set()
            if self._certificates is not None:
                self._certificates.keep(update)
            if left_over is not None:
                left_over.difference_update(resource.name for resource in batch.put)
            self._put(batch)
            told = {**update.statuses, **self._remarks.reconsider(batch, update.sites)}
            self._tell_of_gateway()
            if statuses is not None:
                statuses.update(told)
            elif told:
                self._on_statuses(told)
        if render_again:
            await self._take(self._scheduler.start(afresh=True))

    def _put(self, batch: Batch) -> None:
        if batch.put or batch.remove:
            self._cache.update(batch.put, batch.remove)
            if self._snapshot is not None:
                self._snapshot.keep(batch)
