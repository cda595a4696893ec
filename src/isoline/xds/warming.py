"""Which clusters an Envoy has ready, before it says so.

Envoy holds back its answers about clusters until all of them are warm, those of every tenant: one whose health check
hangs would keep everybody's routes away. It answers about endpoints at once, though, and in order: an answer to
endpoints that were sent after a cluster says that Envoy has that cluster, and what fills it. What is left is the
cluster's own first health check, whose longest time is known.
"""

from collections.abc import Iterable
from typing import NamedTuple

from isoline.xds.resources import Name, Resource


class _Sent(NamedTuple):
    turn: int
    resource: Resource


class Warming:
    """What was sent and not answered, and what is known of it nevertheless. Turns count responses, in order."""

    def __init__(self) -> None:
        self._sent: dict[Name, _Sent] = {}
        self._awaiting: dict[Name, set[Name]] = {}
        self._ready: dict[Name, float] = {}

    def sent(self, resource: Resource, turn: int) -> None:
        """Something that waits for what it brings is on its way."""
        self.answered(resource.name)
        self._sent[resource.name] = _Sent(turn, resource)
        for brought in resource.brings:
            self._awaiting.setdefault(brought, set()).add(resource.name)

    def answered(self, name: Name) -> None:
        """Envoy has said itself what became of it, or it is on its way no more."""
        before = self._sent.pop(name, None)
        self._ready.pop(name, None)
        for brought in before.resource.brings if before is not None else ():
            waiting = self._awaiting.get(brought)
            if waiting is not None:
                waiting.discard(name)
                if not waiting:
                    del self._awaiting[brought]

    def filled(self, brought: Iterable[Name], turn: int, now: float) -> None:
        """Envoy has taken these, which were sent at that turn."""
        for each in brought:
            for name in self._awaiting.get(each, ()):
                sent = self._sent[name]
                if sent.turn < turn:
                    self._ready.setdefault(name, now + sent.resource.settles)

    def is_ready(self, name: Name, now: float) -> bool:
        """Whether what has not been answered about is ready all the same."""
        ready = self._ready.get(name)
        return ready is not None and ready <= now

    def next(self, since: float) -> float | None:
        """The first time after `since` at which something is ready; None: nothing that is known of."""
        return min((ready for ready in self._ready.values() if ready > since), default=None)
