"""Certificates that are served on although their Secret has gone, or holds none any more.

A host keeps its certificate until the object that ends TLS for it is written anew, or the certificate ends: a Secret
that is deleted by mistake takes nothing down, and who changes what is served is told what is missing.
"""

from collections.abc import Callable, Iterable

from isoline.cluster.store import Store
from isoline.objects import HTTPProxy, Ingress, Key
from isoline.routing.indexes import HOSTS, tls_of_ingress

Writing = tuple[Key, str, int]
"""One version of what somebody wrote: its object, that object's identity, and the generation of its spec."""


class Keeping:
    """What was good last. `clock` tells the time, in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._served: dict[str, tuple[frozenset[Writing], tuple[str, ...]]] = {}
        self._relying: dict[str, tuple[str, ...]] = {}

    @property
    def count(self) -> int:
        """How many certificates are served without a Secret."""
        return len({name for names in self._relying.values() for name in names})

    def good(self, certificate: str, ends: float) -> None:
        """A certificate is served from its Secret."""
        self._ends[certificate] = ends

    def gone(self, certificate: str) -> None:
        """Nobody uses a certificate any more."""
        self._ends.pop(certificate, None)

    def kept(self, host: str, store: Store) -> frozenset[str]:
        """Return the certificates that a host may go on with, whatever has become of their Secrets."""
        served = self._served.get(host)
        if served is None:
            return frozenset()
        writings, certificates = served
        if not writings <= _writings(host, store):
            return frozenset()
        now = self._clock()
        return frozenset(name for name in certificates if self._ends.get(name, 0.0) > now)

    def compiled(self, host: str, certificates: tuple[str, ...], relied: Iterable[str], store: Store) -> None:
        """A host was compiled, and is served with these certificates, some of which have no Secret to rely on."""
        self._relying.pop(host, None)
        if not certificates:
            self._served.pop(host, None)
            return
        self._served[host] = (_writings(host, store), certificates)
        if without := tuple(name for name in relied if name in certificates):
            self._relying[host] = without

    def ended(self) -> set[str]:
        """Return the hosts that rely on a certificate which has ended."""
        now = self._clock()
        return {
            host for host, names in self._relying.items() if any(self._ends.get(name, 0.0) <= now for name in names)
        }


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
