"""Which units must be compiled again, and what came out differently.

There are three kinds of units: a site (by host), endpoints, and a certificate. The store's changes name what they
touched; the units that read it are compiled again, nothing else. Endpoints and certificates live as long as a site uses
them. No timer: whoever follows the store's feed hands over what has come, as one batch.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import structlog

from isoline.cluster.store import Change, Store
from isoline.objects import GatewayConfig, Key, Object, TrafficPolicy
from isoline.routing import ir
from isoline.routing.compiler import compile_site, failed_site
from isoline.routing.dependencies import Dependencies, Unit
from isoline.routing.foresight import Foresight
from isoline.routing.indexes import HOSTS, hosts_of, targets_of
from isoline.routing.keeping import Keeping, Memory
from isoline.routing.leaves import Leaves, digest_of, leaves_of
from isoline.routing.ledger import StatusLedger
from isoline.routing.overlay import Overlay
from isoline.routing.settings import GATEWAY_CONFIG, Settings, foreseen
from isoline.routing.statuses import VALID, ProxyStatus
from isoline.routing.update import Update
from isoline.routing.view import IndexRead, Read, View

CHUNK = 256
"""Sites compiled at a stretch, some 20 ms of them, before the caller may look after others."""

_log = structlog.get_logger(__name__)


class _Uses(NamedTuple):
    """What is kept of a site once its IR has been handed on."""

    digest: bytes
    units: tuple[Unit, ...]


_NOTHING = _Uses(b"", ())
_OUTDATED = b"outdated"


class Scheduler:
    """Compiles a store's world once, then what changes."""

    def __init__(
        self,
        store: Store,
        *,
        settings_of: Callable[[GatewayConfig | None], Settings],
        gateway_of: Callable[[GatewayConfig | None], ir.Gateway],
        on_lookup: Callable[[Key, bool], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings_of = settings_of
        self._gateway_of = gateway_of
        self._settings = settings_of(self._config())
        self._gateway: ir.Gateway | None = None
        self._dependencies = Dependencies(on_lookup)
        self._ledger = StatusLedger()
        self._sites: dict[str, _Uses] = {}
        self._remarks: dict[str, ProxyStatus] = {}
        self._clock = clock
        self._keeping = Keeping(clock)
        self._leaves = Leaves(store, self._dependencies, self._keeping)
        self.recompiled: tuple[Unit, ...] = ()
        """The units that the last step compiled, for tests and for those who wonder."""

    def start(self, *, chunk: int = CHUNK, afresh: bool = False) -> Iterator[Update]:
        """Compile everything, again if need be: after a feed whose end was lost, too, only what differs comes out.

        With `afresh` every site comes out, for a caller that has to render them all again. Yields after each chunk of
        sites, so that the caller can let others run.
        """
        if afresh:
            self._sites = {host: uses._replace(digest=_OUTDATED) for host, uses in self._sites.items()}
        self._settings = self._settings_of(self._config())
        yield Update(gateway=self._changed_gateway())
        hosts = {
            Unit("site", host)
            for kind in ("HTTPProxy", "Ingress", "ExtensionService", "TrafficPolicy")
            for item in self._store.of_kind(kind)
            for host in hosts_of(item)
        }
        yield from self._steps(hosts | self._dependencies.units(), chunk)

    def apply(self, changes: Sequence[Change]) -> Update:
        """Compile what a batch of changes touches and return what came out differently."""
        result = Update()
        for update in self.steps(changes):
            result.add(update)
        return result

    def steps(self, changes: Sequence[Change], *, chunk: int = CHUNK) -> Iterator[Update]:
        """Do as `apply`, in steps of at most `chunk` sites. A change of settings may touch every site.

        The iterator must be run to its end before the next batch.
        """
        gateway = None
        if any(change.key == GATEWAY_CONFIG and not change.status_only for change in changes):
            gateway = self._changed_gateway()
            settings = self._settings_of(self._config())
            if settings == self._settings:
                changes = [change for change in changes if change.key != GATEWAY_CONFIG]
            self._settings = settings
        dirty = self.touched(changes)
        if gateway is not None:
            yield Update(gateway=gateway)
        renewed = {change.key for change in changes if _has_another_spec(change)}
        yield from self._steps(dirty, chunk, renewed)

    def touched(self, changes: Iterable[Change]) -> set[Unit]:
        """Return the units that have to be compiled again because of these changes."""
        reads: set[Read] = set()
        hosts: set[Unit] = set()
        for change in changes:
            if change.status_only:
                continue
            reads.add(change.key)
            for policy in (change.old, change.new):
                if isinstance(policy, TrafficPolicy):
                    # Who looked at a target asked for the policies that name it.
                    reads.update(targets_of(policy))
            for index, value in self._moved(change.old, change.new):
                reads.add(IndexRead(index, value))
                if index == HOSTS:
                    hosts.add(Unit("site", value))
        return hosts | self._dependencies.readers(reads)

    def foresee(self, changes: Sequence[Change]) -> Foresight:
        """Return what these changes would do. Nothing is changed."""
        overlay = Overlay(self._store, changes)
        config = overlay.get(GATEWAY_CONFIG)
        settings = foreseen(self._settings_of(config if isinstance(config, GatewayConfig) else None))
        statuses: dict[str, dict[Key, ProxyStatus]] = {}
        sites: dict[str, ir.Site | None] = {}
        missing: dict[Key, frozenset[str]] = {}
        for unit in self.touched(changes):
            if unit.kind == "site":
                compiled = compile_site(unit.name, self._view(unit.name, overlay, settings))
                sites[unit.name] = compiled.site
                statuses[unit.name] = self._with_remarks(unit.name, compiled.statuses)
                absent = {read.kind for read in compiled.reads if isinstance(read, Key) and overlay.get(read) is None}
                missing |= {key: missing.get(key, frozenset()) | absent for key in compiled.statuses}
        previews = self._ledger.preview(statuses).items()
        return Foresight(
            {key: preview._replace(missing=missing.get(key, frozenset())) for key, preview in previews}, sites
        )

    def statuses(self) -> dict[Key, ProxyStatus]:
        """Return what has been said of each object, for somebody who was not there when it was."""
        return self._ledger.told()

    def remark(self, host: str, remark: ProxyStatus) -> dict[Key, ProxyStatus | None]:
        """Set what the data plane says about a host; it stands in the statuses of its owners until it is set anew.

        Returns the statuses that changed.
        """
        if remark == self._remarks.get(host, VALID):
            return {}
        self._remarks[host] = remark
        if remark == VALID:
            del self._remarks[host]
        compiled = compile_site(host, self._view(host))
        return self._ledger.changed(self._ledger.replace(host, self._with_remarks(host, compiled.statuses)))

    def owners(self, host: str) -> list[Key]:
        """Return the objects that speak for a host."""
        statuses = compile_site(host, self._view(host)).statuses
        return sorted(key for key, status in statuses.items() if self._speaks_for(key, status, host))

    @property
    def kept_certificates(self) -> dict[str, float]:
        """The certificates that are served although their Secret has gone, or holds none any more, and when they end.

        By `<namespace>/<secret>`, in seconds since the epoch.
        """
        return self._keeping.relied()

    def remember(self, memory: Memory) -> None:
        """Go on from what an earlier run served; before anything is compiled."""
        self._keeping.remember(memory)

    def forget(self) -> Update:
        """Let go of what only an earlier run served, once everything has been compiled."""
        return Update(served=dict.fromkeys(self._keeping.forget(self._sites)))

    def seconds_until_due(self) -> float | None:
        """Return the time until a certificate ends; None: none does."""
        return self._keeping.seconds_until_due()

    def end_certificates(self) -> Iterator[Update]:
        """Compile what looked at the Secrets again whose certificates have ended."""
        secrets = (certificate.partition("/") for certificate in self._keeping.ended())
        yield from self._steps(self._dependencies.readers({Key("Secret", ns, name) for ns, _, name in secrets}), CHUNK)

    def _view(self, host: str, store: Store | None = None, settings: Settings | None = None) -> View:
        store = self._store if store is None else store
        return View(store, settings or self._settings, kept=self._keeping.kept(host, store), clock=self._clock)

    def _speaks_for(self, key: Key, status: ProxyStatus, host: str) -> bool:
        # Who lost the host to an older object gives nothing that the data plane could remark upon.
        lost = any(error.reason == "DuplicateVhost" for error in status.errors)
        return not lost and key in self._store.find(HOSTS, host)

    def _config(self) -> GatewayConfig | None:
        config = self._store.get(GATEWAY_CONFIG)
        return config if isinstance(config, GatewayConfig) else None

    def _changed_gateway(self) -> ir.Gateway | None:
        gateway = self._gateway_of(self._config())
        if gateway == self._gateway:
            return None
        self._gateway = gateway
        return gateway

    def _moved(self, old: Object | None, new: Object | None) -> set[tuple[str, str]]:
        """The index values that an object gained or lost. One that it kept finds the same keys as before."""
        before = set(self._store.values_of(old)) if old is not None else set()
        after = set(self._store.values_of(new)) if new is not None else set()
        return before ^ after

    def _steps(self, dirty: Iterable[Unit], chunk: int, renewed: Collection[Key] = frozenset()) -> Iterator[Update]:
        units = sorted(dirty)
        sites = [unit for unit in units if unit.kind == "site"]
        pending = [unit for unit in units if unit.kind != "site"]
        recompiled: list[Unit] = []
        for start in range(0, max(len(sites), 1), chunk):
            update = Update()
            touched: set[Key] = set()
            # In order, and each once: what a new site needs joins what is due anyway.
            due = dict.fromkeys(pending)
            pending = []
            for unit in sites[start : start + chunk]:
                recompiled.append(unit)
                due |= dict.fromkeys(self._site(unit, update, touched))
            for unit in due:
                recompiled.append(unit)
                self._leaves.compile(unit, self._settings, update)
            update.statuses = self._ledger.changed(touched, renewed)
            self.recompiled = tuple(recompiled)
            yield update

    def _site(self, unit: Unit, update: Update, touched: set[Key]) -> list[Unit]:
        """Compile a site. Returns the endpoints and certificates that it is the first to use or the last to leave."""
        host = unit.name
        view = self._view(host)
        try:
            compiled = compile_site(host, view)
        except Exception:
            # One object must not stop the compiling of all others, whatever is wrong with it or with us. What the host
            # served so far goes on.
            _log.exception("site cannot be compiled", host=host)
            compiled = failed_site(host, view)
            self._dependencies.replace(unit, compiled.reads)
            touched |= self._ledger.replace(host, compiled.statuses)
            return []
        if compiled.statuses or self._store.find(HOSTS, host):
            self._dependencies.replace(unit, compiled.reads)
        else:
            self._dependencies.drop(unit)
        if self._keeping.compiled(host, compiled.certificates, view.relied, self._store):
            update.served[host] = self._keeping.served(host)
        before = self._sites.get(host, _NOTHING)
        digest = b"" if compiled.site is None else digest_of(compiled.site)
        touched |= self._ledger.replace(host, self._with_remarks(host, compiled.statuses))
        if digest == before.digest:
            return []
        update.sites[host] = compiled.site
        units = leaves_of(compiled)
        if compiled.site is None:
            del self._sites[host]
        else:
            self._sites[host] = _Uses(digest, units)
        return self._leaves.count(units, before.units)

    def _with_remarks(self, host: str, statuses: dict[Key, ProxyStatus]) -> dict[Key, ProxyStatus]:
        remark = self._remarks.get(host)
        if remark is None:
            return statuses
        owned = {
            key: ProxyStatus((*status.errors, *remark.errors), (*status.warnings, *remark.warnings))
            for key, status in statuses.items()
            if self._speaks_for(key, status, host)
        }
        return {**statuses, **owned}


def _has_another_spec(change: Change) -> bool:
    """Whether an object counts another generation; one that came or went has no status to renew."""
    if change.old is None or change.new is None:
        return False
    return change.old.metadata.generation != change.new.metadata.generation
