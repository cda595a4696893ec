"""Writes what compiling found: into the statuses of HTTPProxies, into events for Ingresses. In the background, and only
where it changed."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import structlog

from isoline.cluster.source import Source
from isoline.controllers.clock import Clock, timestamp
from isoline.objects.httpproxy import DetailedCondition, HTTPProxy, HTTPProxyStatus
from isoline.objects.meta import Key
from isoline.objects.networking import Ingress
from isoline.routing.statuses import ProxyStatus

AT_ONCE = 200
"""Statuses written before others get their turn."""

_log = structlog.get_logger(__name__)


class StatusWriter:
    """Takes statuses at any rate; of several for one object the newest is written."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._waiting: dict[Key, ProxyStatus | None] = {}
        self._some = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def put(self, statuses: Mapping[Key, ProxyStatus | None]) -> None:
        """Have these written soon; None clears what was written of an object that is no longer ours to judge."""
        self._waiting.update(statuses)
        self._some.set()

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write(), name="statuses")

    async def stop(self) -> None:
        """End; what is not written is found again by the next run's first compile."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                for key in list(self._waiting)[:AT_ONCE]:
                    self._write_one(key, self._waiting.pop(key))
                await asyncio.sleep(0)

    def _write_one(self, key: Key, found: ProxyStatus | None) -> None:
        proxy = self._source.store.get(key)
        if isinstance(proxy, Ingress) and found is not None:
            # An Ingress has no conditions.
            for finding in (*found.errors, *found.warnings):
                self._source.events.warning(key, finding.reason, finding.message)
        if not isinstance(proxy, HTTPProxy):
            return
        try:
            self._source.set_status(key, proxy_status(proxy, found, now=self._clock.now()))
        except Exception:
            _log.exception("status not written", key=str(key))


def proxy_status(proxy: HTTPProxy, found: ProxyStatus | None, *, now: float) -> HTTPProxyStatus:
    """Return the status of an HTTPProxy; the condition keeps its time unless it turned."""
    if found is None:
        return HTTPProxyStatus()
    before = next((each for each in proxy.status.conditions if each.type == "Valid"), None)
    fresh = found.condition()
    return HTTPProxyStatus(
        current_status=found.current_status,
        description=found.description,
        load_balancer=proxy.status.load_balancer,
        conditions=(_dated(fresh, before, generation=proxy.metadata.generation, now=now),),
    )


def _dated(
    fresh: DetailedCondition, before: DetailedCondition | None, *, generation: int, now: float
) -> DetailedCondition:
    turned = before is None or before.status != fresh.status
    time = timestamp(now) if turned or before is None else before.last_transition_time
    return msgspec.structs.replace(fresh, last_transition_time=time, observed_generation=generation)
