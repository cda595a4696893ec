"""Writes what compiling found: into the statuses of HTTPProxies and ExtensionServices, into events for Ingresses. In
the background, and only where it changed. Where it is known at which addresses traffic arrives, both are told."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec
import structlog

from isoline.cluster.source import Source
from isoline.controllers import conditions as conditioned
from isoline.controllers.clock import Clock, timestamp
from isoline.objects.core import LoadBalancerStatus
from isoline.objects.extension import ExtensionService, ExtensionServiceStatus
from isoline.objects.httpproxy import DetailedCondition, HTTPProxy, HTTPProxyStatus
from isoline.objects.meta import Key
from isoline.objects.networking import Ingress, IngressStatus
from isoline.objects.traffic_policy import TrafficPolicy, TrafficPolicyStatus
from isoline.routing.statuses import Finding, ProxyStatus

AT_ONCE = 200
"""Statuses written before others get their turn."""

_log = structlog.get_logger(__name__)


class StatusWriter:
    """Takes statuses at any rate; of several for one object the newest is written.

    `addresses` says where traffic arrives; None: nobody knows, and what a status says of it stays.
    """

    def __init__(
        self, source: Source, clock: Clock, *, addresses: Callable[[], LoadBalancerStatus | None] = lambda: None
    ) -> None:
        self._source = source
        self._clock = clock
        self._addresses = addresses
        self._waiting: dict[Key, ProxyStatus | None] = {}
        self._some = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def put(self, statuses: Mapping[Key, ProxyStatus | None]) -> None:
        """Have these written soon; None clears what was written of an object that is no longer ours to judge."""
        for key, status in statuses.items():
            self._waiting.pop(key, None)
            self._waiting[key] = status
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
                # The newest first: somebody looks at what has just changed, and not at the thousands of a start.
                for _ in range(min(AT_ONCE, len(self._waiting))):
                    self._write_one(*self._waiting.popitem())
                await asyncio.sleep(0)

    def _write_one(self, key: Key, found: ProxyStatus | None) -> None:
        item = self._source.store.get(key)
        try:
            if isinstance(item, Ingress):
                self._write_ingress(item, found)
            elif isinstance(item, HTTPProxy):
                addresses = self._addresses()
                self._source.set_status(key, proxy_status(item, found, now=self._clock.now(), addresses=addresses))
            elif isinstance(item, ExtensionService):
                self._source.set_status(key, extension_status(item, found, now=self._clock.now()))
            elif isinstance(item, TrafficPolicy):
                self._source.set_status(key, policy_status(item, found, now=self._clock.now()))
        except Exception:
            _log.exception("status not written", key=str(key))

    def _write_ingress(self, ingress: Ingress, found: ProxyStatus | None) -> None:
        # An Ingress has no conditions.
        for finding in (*found.errors, *found.warnings) if found is not None else ():
            self._source.events.warning(ingress.key, finding.reason, finding.message)
        addresses = self._addresses()
        if addresses is not None:
            self._source.set_status(ingress.key, ingress_status(addresses if found is not None else None))


def ingress_status(addresses: LoadBalancerStatus | None) -> IngressStatus:
    """Return the status of an Ingress; None clears it. Its schema has no room for how an address is reached."""
    if addresses is None:
        return IngressStatus()
    places = tuple(msgspec.structs.replace(each, ip_mode=None) for each in addresses.ingress)
    return IngressStatus(load_balancer=LoadBalancerStatus(ingress=places))


def proxy_status(
    proxy: HTTPProxy, found: ProxyStatus | None, *, now: float, addresses: LoadBalancerStatus | None = None
) -> HTTPProxyStatus:
    """Return the status of an HTTPProxy; the condition keeps its time unless it turned.

    `addresses` None leaves those that the status has.
    """
    if found is None:
        return HTTPProxyStatus()
    before = next((each for each in proxy.status.conditions if each.type == "Valid"), None)
    fresh = found.condition()
    return HTTPProxyStatus(
        current_status=found.current_status,
        description=found.description,
        load_balancer=proxy.status.load_balancer if addresses is None else addresses,
        conditions=(_dated(fresh, before, generation=proxy.metadata.generation, now=now),),
    )


def extension_status(extension: ExtensionService, found: ProxyStatus | None, *, now: float) -> ExtensionServiceStatus:
    """Return the status of an ExtensionService, dated in the same way."""
    if found is None:
        return ExtensionServiceStatus()
    before = next((each for each in extension.status.conditions if each.type == "Valid"), None)
    fresh = found.condition("ExtensionService")
    return ExtensionServiceStatus(
        conditions=(_dated(fresh, before, generation=extension.metadata.generation, now=now),)
    )


def policy_status(policy: TrafficPolicy, found: ProxyStatus | None, *, now: float) -> TrafficPolicyStatus:
    """Return the status of a TrafficPolicy: Accepted and ResolvedRefs always, Conflicted and Overridden where true."""
    if found is None:
        return TrafficPolicyStatus()
    generation = policy.metadata.generation
    return TrafficPolicyStatus(
        conditions=conditioned.conditions(_of_policy(found), policy.status.conditions, now=now, generation=generation),
        observed_generation=generation,
    )


def _of_policy(found: ProxyStatus) -> Iterator[conditioned.Finding]:
    said: dict[str, list[Finding]] = {}
    for finding in (*found.errors, *found.warnings):
        said.setdefault(finding.type, []).append(finding)
    for name, fine in (("Accepted", "Accepted"), ("ResolvedRefs", "ResolvedRefs")):
        faults = said.pop(name, [])
        reason = faults[0].reason if faults else fine
        yield conditioned.Finding(name, not faults, reason, _sentences(faults))
    for name, findings in said.items():
        yield conditioned.Finding(name, True, findings[0].reason, _sentences(findings))


def _sentences(findings: Iterable[Finding]) -> str:
    return "; ".join(finding.message for finding in findings)


def _dated(
    fresh: DetailedCondition, before: DetailedCondition | None, *, generation: int, now: float
) -> DetailedCondition:
    turned = before is None or before.status != fresh.status
    time = timestamp(now) if turned or before is None else before.last_transition_time
    return msgspec.structs.replace(fresh, last_transition_time=time, observed_generation=generation)
