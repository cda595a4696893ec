"""What becomes of a refused response: it is taken apart and sent again until the resource at fault stands alone."""

from collections.abc import Callable, Sequence

import structlog

from isoline.xds import nacks, types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name, Resource
from isoline.xds.subscriptions import Subscription

Entries = list[tuple[str, Resource]]
"""Resources under the names that they were asked for by."""

_log = structlog.get_logger(__name__)


class Refusals:
    """Of one stream. `on_rejected` hears of a refusal once, whichever Envoy was first."""

    def __init__(self, cache: Cache, *, on_rejected: Callable[[Name, str], None]) -> None:
        self._cache = cache
        self._on_rejected = on_rejected
        self._parts: list[tuple[Subscription, Entries]] = []
        self._notes: list[tuple[Subscription, str, Resource]] = []

    def __bool__(self) -> bool:
        """Whether there may be something to send."""
        return bool(self._parts or self._notes)

    def take(
        self, subscription: Subscription, refused: Sequence[tuple[str, Resource]], message: str, *, alone: bool
    ) -> None:
        """Envoy refused these of one response, in these words. `alone`: there was nothing else in it."""
        if alone:
            for name, resource in refused:
                self._reject(subscription, name, resource, message)
            return
        for group in nacks.suspects_apart(refused, message):
            self._parts.append((subscription, group))

    def next_part(self) -> tuple[Subscription, Entries] | None:
        """A part of a refused response to be sent again, without what has changed or gone since."""
        while self._parts:
            subscription, entries = self._parts.pop()
            still = [
                (name, each)
                for name, each in entries
                if subscription.wants(name)
                and name not in subscription.sent
                and subscription.current(name, self._cache) == each
            ]
            if still:
                return subscription, still
        return None

    def next_note(self) -> tuple[Subscription, Entries] | None:
        """What Envoy is to remember of a refusal, so that another control plane finds it out, too."""
        while self._notes:
            subscription, name, note = self._notes.pop()
            rejection = self._cache.rejections.get(note.name)
            noted = rejection is not None and nacks.words_of(note.version, rejection.version) is not None
            if noted and subscription.wants(name) and name not in subscription.sent:
                return subscription, [(name, note)]
        return None

    def tell(self, resource: Resource, message: str, last_accepted: Resource | None) -> None:
        """Take a resource out for the last accepted one, and say so, if that is news."""
        if self._cache.reject(resource, message, last_accepted):
            name = resource.name
            _log.warning("resource refused", type=name.type_url, name=name.name, message=message)
            self._on_rejected(name, message)

    def _reject(self, subscription: Subscription, name: str, resource: Resource, message: str) -> None:
        if nacks.is_note(resource):
            return
        held = subscription.held.get(name)
        self.tell(resource, message, held if held is not None and held.body else None)
        # Envoy notes the version of what it refuses, and would claim to hold it when it comes back. It is told what
        # stands again, or that it was refused.
        if held is not None and held.body and subscription.current(name, self._cache) is not None:
            if held.version != resource.version:
                subscription.unanswered.add(name)
                subscription.pending[name] = None
        elif subscription.type_url == types.SECRET:
            self._notes.append((subscription, name, nacks.note(resource, message)))
