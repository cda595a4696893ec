"""The one flow, in one task and without a timer: store feed, scheduler, renderer, cache."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import structlog

from isoline.cluster.store import Change, PositionExpiredError, Store
from isoline.gateway.renderer import Batch, Renderer
from isoline.gateway.snapshot import Snapshot
from isoline.objects import Key
from isoline.routing.ledger import Preview
from isoline.routing.scheduler import Scheduler, Update
from isoline.routing.statuses import ErrorType, Finding, ProxyStatus
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name

Statuses = Mapping[Key, ProxyStatus | None]
_ERROR_TYPES: dict[str, ErrorType] = {
    types.ROUTES: "RouteError",
    types.SCOPE: "RouteError",
    types.CLUSTER: "ServiceError",
    types.ENDPOINTS: "ServiceError",
    types.SECRET: "TLSError",
}
_log = structlog.get_logger(__name__)


class Flow:
    """Keeps a cache true to a store.

    `on_statuses` is told what to write to objects, `on_refused` which objects an Envoy refused something of, and in
    which words; neither may wait. `snapshot`, when given, is kept up. `settle`, when given, is awaited before
    anything is served for the first time: by then the store is to hold what comes only when it is looked up.
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
    ) -> None:
        self._store = store
        self._cache = cache
        self._scheduler = scheduler
        self._on_statuses = on_statuses
        self._on_refused = on_refused
        self._snapshot = snapshot
        self._settle = settle
        self._renderer = Renderer()
        self._refused: dict[Name, Finding] = {}
        self.caught_up = asyncio.Event()
        """Set once everything that the store held at the start is in the cache."""

    def restore(self) -> bool:
        """Serves the kept snapshot at once, until `run` has compiled the present. Returns whether there was one."""
        resources = self._snapshot.load() if self._snapshot is not None else []
        if resources:
            self._cache.update(resources)
            self._cache.mark_ready()
        return bool(resources)

    async def run(self) -> None:
        """Compiles everything once, then what each change touches, until cancelled."""
        position = self._store.position
        left_over = self._cache.all_names()
        statuses: dict[Key, ProxyStatus | None] = {}
        await self._take(self._scheduler.start(), left_over, statuses)
        position = await self._take_settled(position, left_over, statuses)
        # What only a snapshot knew.
        self._put(Batch([], list(left_over)))
        self._cache.mark_ready()
        self.caught_up.set()
        # Traffic first; and thousands of statuses at once would push other changes out of the feed.
        self._on_statuses(statuses)
        while True:
            try:
                async for changes in self._store.follow(position):
                    await self._take(self._scheduler.steps(changes))
                    position = changes[-1].position
            except PositionExpiredError:
                _log.info("more changed at once than the feed holds: everything is compiled again")
                position = self._store.position
                await self._take(self._scheduler.start())

    def refused(self, name: Name, message: str) -> None:
        """An Envoy refused a resource: says so in the status of the objects that it came from, until it is mended."""
        hosts = sorted(self._hosts_of(name))
        _log.warning("envoy refused a resource", type=name.type_url, name=name.name, message=message, hosts=hosts)
        self._refused[name] = Finding(_ERROR_TYPES.get(name.type_url, "VirtualHostError"), "RejectedByEnvoy", message)
        statuses = self._tell_refusals(hosts)
        self._on_statuses(statuses)
        self._on_refused(list(statuses), message)

    def statuses(self) -> Statuses:
        """What has been said of each object, for somebody who was not there when it was."""
        return self._scheduler.statuses()

    def touched_hosts(self, changes: Sequence[Change]) -> set[str]:
        """The hosts that would be compiled again because of these changes."""
        return {unit.name for unit in self._scheduler.touched(changes) if unit.kind == "site"}

    def preview(self, changes: Sequence[Change]) -> dict[Key, Preview]:
        """What these changes would do to statuses."""
        return self._scheduler.preview(changes)

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
            if left_over is not None:
                left_over.difference_update(resource.name for resource in batch.put)
            self._put(batch)
            told = {**update.statuses, **self._reconsider_refusals(batch, update.sites)}
            if statuses is not None:
                statuses.update(told)
            elif told:
                self._on_statuses(told)
        if render_again:
            await self._take(self._scheduler.start(afresh=True))

    def _reconsider_refusals(self, batch: Batch, hosts: Iterable[str]) -> dict[Key, ProxyStatus | None]:
        """The statuses that differ now that resources came and went: a refusal ends with the version that was refused,
        and is the matter of whoever uses it, also of who came later."""
        if not self._refused:
            return {}
        concerned = set(hosts)
        for name in (*(resource.name for resource in batch.put), *batch.remove):
            if name in self._refused and name not in self._cache.rejections:
                del self._refused[name]
                concerned |= self._hosts_of(name)
        return self._tell_refusals(sorted(concerned))

    def _tell_refusals(self, hosts: Iterable[str]) -> dict[Key, ProxyStatus | None]:
        statuses: dict[Key, ProxyStatus | None] = {}
        for host in hosts:
            given = self._renderer.names_of(host)
            brought = (need for name in given if (found := self._cache.get(name)) for need in found.brings)
            refused = sorted({name for name in (*given, *brought) if name in self._refused})
            statuses.update(self._scheduler.refuse(host, tuple(self._refused[name] for name in refused)))
        return statuses

    def _hosts_of(self, name: Name) -> set[str]:
        """The hosts that have to do with a resource: their site gave it, or a cluster that it fills."""
        bringers = [name]
        if name.type_url == types.ENDPOINTS:
            clusters = (Name(types.CLUSTER, cluster) for cluster in self._cache.names(types.CLUSTER))
            bringers += [each for each in clusters if (found := self._cache.get(each)) and name in found.brings]
        return {host for each in bringers for host in self._renderer.hosts_of(each)}

    def _put(self, batch: Batch) -> None:
        if batch.put or batch.remove:
            self._cache.update(batch.put, batch.remove)
            if self._snapshot is not None:
                self._snapshot.keep(batch)
