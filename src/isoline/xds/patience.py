"""How long a resource waits for what it needs: make before break, but nothing waits for ever."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name, Resource
from isoline.xds.subscriptions import Subscription
from isoline.xds.warming import Warming

NEEDS_PATIENCE = 5.0
"""Seconds that a resource waits for what it needs. After that it goes without: one cluster that cannot be warmed must
not keep a site's other changes away."""

FIRST_PATIENCE = 1.0
"""The same for what Envoy has nothing of yet: there is nothing to keep, and an Envoy that starts opens no listener
before it has every route."""

Late = Callable[[Name, Sequence[Name]], None]
"""Hears of what was sent without what it needs, and of what that is."""

_log = structlog.get_logger(__name__)


class Patience:
    """Of one stream, whose subscriptions and knowledge of what is warm these are. `clock` counts seconds."""

    def __init__(
        self,
        cache: Cache,
        subscriptions: Mapping[str, Subscription],
        warming: Warming,
        *,
        clock: Callable[[], float],
        on_late: Late,
    ) -> None:
        self._cache = cache
        self._subscriptions = subscriptions
        self._warming = warming
        self._clock = clock
        self._on_late = on_late

    def waits(self, subscription: Subscription, name: str, resource: Resource, before: Resource | None) -> bool:
        """Whether what is needed is not there yet; not for longer than can be had patience with.

        `before` is the version that Envoy has or is being sent, if any.
        """
        lacking = [need for need in resource.needs if self._is_lacking(need, before)]
        if not lacking:
            return False
        if before is None and subscription.type_url in types.AT_ONCE:
            return False
        now = self._clock()
        patience = FIRST_PATIENCE if before is None else NEEDS_PATIENCE
        if now < subscription.waiting.setdefault(name, now + patience):
            return True
        named = [need.name for need in lacking]
        _log.warning("sent before what it needs was ready", type=subscription.type_url, name=name, needs=named)
        self._on_late(resource.name, lacking)
        return False

    def _is_lacking(self, need: Name, before: Resource | None) -> bool:
        """Whether a resource has to wait for this one. What its version `before` lives with is good enough."""
        if (before is not None and need in before.needs) or self._cache.get(need) is None:
            return False
        subscription = self._subscriptions.get(need.type_url)
        held = None if subscription is None else subscription.held.get(need.name)
        if subscription is not None and need.type_url == types.ROUTES and subscription.is_asked_anew(need.name):
            # Envoy has let go of them in between, with the last scope that named them.
            return True
        if held is None:
            return not self._warming.is_ready(need, self._clock())
        return before is not None and held.empty
