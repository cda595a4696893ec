"""Certificates that are served on although their Secret has gone, or holds none any more.

A host keeps its certificate until the object that ends TLS for it is written anew, or the certificate ends: a Secret
that is deleted by mistake takes nothing down, and who changes what is served is told what is missing.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from isoline.cluster.store import Store
from isoline.objects import HTTPProxy, Ingress, Key
from isoline.routing import ir
from isoline.routing.indexes import HOSTS, tls_of_ingress

Writing = tuple[Key, str, int]
"""One version of what somebody wrote: its object, that object's identity, and the generation of its spec."""


class Served(NamedTuple):
    """How a host was served last."""

    writings: frozenset[Writing]
    """What said so."""
    certificates: tuple[str, ...]


class Memory(NamedTuple):
    """What an earlier run served."""

    certificates: Mapping[str, ir.Certificate]
    hosts: Mapping[str, Served]


class Keeping:
    """What was good last. `clock` tells the time, in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []
        self._served: dict[str, Served] = {}
        self._relying: dict[str, tuple[str, ...]] = {}
        self._earlier: dict[str, ir.Certificate] = {}

    def remember(self, memory: Memory) -> None:
        """Go on from what an earlier run served."""
        self._served = {**memory.hosts, **self._served}
        self._earlier = dict(memory.certificates)
        for name, certificate in memory.certificates.items():
            self.good(name, certificate.ends)

    def forget(self, hosts: Iterable[str]) -> set[str]:
        """Let go of what an earlier run served and nobody but `hosts` is served with now. Returns the hosts that went.

        To be called once everything has been compiled.
        """
        gone = self._served.keys() - set(hosts)
        for host in gone:
            del self._served[host]
        used = {name for served in self._served.values() for name in served.certificates}
        for name in self._earlier.keys() - used:
            self.gone(name)
        self._earlier.clear()
        return gone

    def earlier(self, certificate: str) -> ir.Certificate | None:
        """Return a certificate as an earlier run served it."""
        return self._earlier.get(certificate)

    def relied(self) -> dict[str, float]:
        """Return the certificates that are served without a Secret, and when they end, as epoch seconds."""
        names = {name for names in self._relying.values() for name in names}
        return {name: self._ends[name] for name in sorted(names & self._ends.keys())}

    def good(self, certificate: str, ends: float) -> None:
        """A certificate is served from its Secret."""
        if self._ends.get(certificate) != ends:
            self._ends[certificate] = ends
            if ends > self._clock():
                heapq.heappush(self._due, (ends, certificate))

    def gone(self, certificate: str) -> None:
        """Nobody uses a certificate any more."""
        self._ends.pop(certificate, None)

    def kept(self, host: str, store: Store) -> dict[str, float]:
        """Return the certificates that a host may go on with, whatever has become of their Secrets, and their ends."""
        served = self._served.get(host)
        if served is None or not served.writings <= _writings(host, store):
            return {}
        now = self._clock()
        return {name: self._ends[name] for name in served.certificates if self._ends.get(name, 0.0) > now}

    def compiled(self, host: str, certificates: tuple[str, ...], relied: Iterable[str], store: Store) -> bool:
        """A host was compiled, and is served with these certificates, some of which have no Secret to rely on.

        Returns whether that is news.
        """
        self._relying.pop(host, None)
        if not certificates:
            return self._served.pop(host, None) is not None
        before, after = self._served.get(host), Served(_writings(host, store), certificates)
        self._served[host] = after
        if without := tuple(name for name in relied if name in certificates):
            self._relying[host] = without
        return before != after

    def served(self, host: str) -> Served | None:
        """Return how a host is served; None: without a certificate."""
        return self._served.get(host)

    def seconds_until_due(self) -> float | None:
        """Return the time until the next certificate ends, 0 if one has ended since `ended` was asked; None: never."""
        while self._due and self._ends.get(self._due[0][1]) != self._due[0][0]:
            heapq.heappop(self._due)
        return max(0.0, self._due[0][0] - self._clock()) if self._due else None

    def ended(self) -> set[str]:
        """Return the certificates that have ended since this was asked last."""
        found: set[str] = set()
        while self.seconds_until_due() == 0.0:
            found.add(heapq.heappop(self._due)[1])
        return found


def _writings(host: str, store: Store) -> frozenset[Writing]:
    """What says now how a host ends TLS."""
    found: set[Writing] = set()
    for key in store.find(HOSTS, host):
        item = store.get(key)
        match item:
            case HTTPProxy():
                ends_tls = item.spec.virtualhost is not None and item.spec.virtualhost.tls is not None
            case Ingress():
                ends_tls = tls_of_ingress(item, host) is not None
            case _:
                continue
        if ends_tls:
            found.add((key, item.metadata.uid, item.metadata.generation))
    return frozenset(found)
