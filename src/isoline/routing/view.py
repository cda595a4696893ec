"""What a compile sees of the world, and the record of what it looked at.

A miss is a read like any other: a Service that was looked for and not found is why the site compiles again when that
Service comes.
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from isoline.cluster.store import Store
from isoline.objects import Key, Object, TrafficPolicy
from isoline.routing.age import oldest_first
from isoline.routing.indexes import TRAFFIC_POLICIES
from isoline.routing.settings import GATEWAY_CONFIG, Settings


class IndexRead(NamedTuple):
    """A look into an index: what is found changes only when an object gains or loses this value."""

    name: str
    value: str


Read = Key | IndexRead

_NOTHING_KEPT: Mapping[str, float] = MappingProxyType({})


class View:
    """The store through which one unit is compiled. Use a new one for each compile."""

    __slots__ = ("_kept", "_settings", "_store", "clock", "reads", "relied")

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        kept: Mapping[str, float] = _NOTHING_KEPT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`kept` are the certificates that are served on without their Secret, and when they end, as epoch seconds."""
        self._store = store
        self._settings = settings
        self._kept = kept
        self.clock = clock
        """The time, in seconds since the epoch."""
        self.reads: set[Read] = set()
        self.relied: set[str] = set()
        """The certificates that are served without their Secret."""

    def kept_until(self, certificate: str) -> dt.datetime | None:
        """Return when a certificate ends that is still served although its Secret is no good any more, in UTC; None
        for one that is not."""
        end = self._kept.get(certificate)
        if end is None:
            return None
        self.relied.add(certificate)
        return dt.datetime.fromtimestamp(end, dt.UTC)

    @property
    def settings(self) -> Settings:
        self.reads.add(GATEWAY_CONFIG)
        return self._settings

    def get(self, key: Key) -> Object | None:
        self.reads.add(key)
        return self._store.get(key)

    def find(self, index: str, value: str) -> Sequence[Key]:
        """Return the keys of the objects with this value in this index, sorted. Not to be kept."""
        self.reads.add(IndexRead(index, value))
        return self._store.find(index, value)

    @property
    def has_policies(self) -> bool:
        """Whether there is any TrafficPolicy. No read: one that comes touches who looked at its targets."""
        return self._store.count("TrafficPolicy") > 0

    def policies(self, target: Key) -> Sequence[TrafficPolicy]:
        """Return the TrafficPolicies that name an object, the oldest first.

        It counts as a look at the object: a policy that comes, goes or changes touches who looked at its targets, so
        that a site without policies has no more to remember.
        """
        self.reads.add(target)
        found = [self._store.get(key) for key in self._store.find(TRAFFIC_POLICIES, str(target))]
        return oldest_first(policy for policy in found if isinstance(policy, TrafficPolicy))
