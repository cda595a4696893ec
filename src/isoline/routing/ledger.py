"""Statuses of objects that several hosts have something to say about."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from isoline.objects import Key
from isoline.routing.statuses import ProxyStatus, merge


class Preview(NamedTuple):
    """What is said of an object, and what would be; None: nothing."""

    before: ProxyStatus | None
    after: ProxyStatus | None
    missing: frozenset[str] = frozenset()
    """Kinds of which something was looked for, and not found, for what would be said."""


class StatusLedger:
    """What each host said of each object, and the sum of it that was last told."""

    def __init__(self) -> None:
        self._by_host: dict[str, tuple[Key, ...]] = {}
        self._said: dict[Key, dict[str, ProxyStatus]] = {}
        self._told: dict[Key, ProxyStatus] = {}

    def replace(self, host: str, statuses: Mapping[Key, ProxyStatus]) -> set[Key]:
        """Set all that a host says; nothing when empty. Returns the objects whose sum may have changed."""
        before = self._by_host.pop(host, ())
        if statuses:
            self._by_host[host] = tuple(statuses)
        for key in before:
            if key not in statuses:
                said = self._said[key]
                del said[host]
                if not said:
                    del self._said[key]
        for key, status in statuses.items():
            self._said.setdefault(key, {})[host] = status
        return {*before, *statuses}

    def changed(self, keys: Iterable[Key], renewed: Collection[Key] = frozenset()) -> dict[Key, ProxyStatus | None]:
        """Return those of the objects whose sum differs from what was last returned; None: nothing is said any more.

        Of `renewed` objects, whose spec is another one, the sum is returned whether it differs or not: a status says
        which generation it is of.
        """
        changes: dict[Key, ProxyStatus | None] = {}
        for key in sorted(keys):
            status = self._sum(key)
            if status == self._told.get(key) and (status is None or key not in renewed):
                continue
            changes[key] = status
            if status is None:
                del self._told[key]
            else:
                self._told[key] = status
        return changes

    def told(self) -> dict[Key, ProxyStatus]:
        """Return the sums that were last told."""
        return dict(self._told)

    def preview(self, statuses: Mapping[str, Mapping[Key, ProxyStatus]]) -> dict[Key, Preview]:
        """Return, by object, what would be said if these hosts said this. Nothing is changed by asking."""
        keys = {key for host in statuses for key in self._by_host.get(host, ())}
        keys |= {key for said in statuses.values() for key in said}
        previews: dict[Key, Preview] = {}
        for key in sorted(keys):
            said = {host: status for host, status in self._said.get(key, {}).items() if host not in statuses}
            said |= {host: found[key] for host, found in statuses.items() if key in found}
            previews[key] = Preview(self._sum(key), _sum(said))
        return previews

    def _sum(self, key: Key) -> ProxyStatus | None:
        return _sum(self._said.get(key, {}))


def _sum(said: Mapping[str, ProxyStatus]) -> ProxyStatus | None:
    if not said:
        return None
    if len(said) == 1:
        return next(iter(said.values()))
    # A pseudo-host only knows that the object has no host of its own; a real one knows better.
    hosts = sorted(host for host in said if not host.startswith("!"))
    return merge(said[host] for host in hosts)
