"""The delta protocol of one stream, without a network: requests in, responses out.

Make before break: a resource waits until what it needs is accepted, and goes when nothing that Envoy holds needs it.
A refused response is taken apart until the resource at fault stands alone.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from isoline.xds import nacks, types
from isoline.xds.cache import Cache
from isoline.xds.patience import Late, Patience
from isoline.xds.refusals import Refusals
from isoline.xds.resources import Name, Resource
from isoline.xds.subscriptions import ANYTHING, Subscription
from isoline.xds.warming import Warming

REMOVAL_GRACE = 8.0
"""Seconds after a reconnect in which nothing that others may need is removed: what Envoy holds is known by version
only, until it has what is current. Longer than anything waits for what it needs."""

_MAX_RESOURCES = 1000
_MAX_BYTES = 2 * 1024 * 1024


class Request(NamedTuple):
    """A `DeltaDiscoveryRequest`."""

    type_url: str
    subscribe: Sequence[str] = ()
    unsubscribe: Sequence[str] = ()
    initial_versions: Mapping[str, str] = {}
    nonce: str = ""
    error: str | None = None


class Response(NamedTuple):
    """A `DeltaDiscoveryResponse`. Resources go under the names that were asked for."""

    type_url: str
    nonce: str
    resources: tuple[tuple[str, Resource], ...] = ()
    removed: tuple[str, ...] = ()


class _Flight(NamedTuple):
    """A response that is not answered yet."""

    response: Response
    leaving: tuple[Resource, ...]
    """What Envoy holds until it has taken the removals."""


class Stream:
    """One Envoy. `clock` counts seconds; `on_rejected` hears of a refusal once, whichever Envoy was first."""

    def __init__(
        self, cache: Cache, *, clock: Callable[[], float], on_rejected: Callable[[Name, str], None], on_late: Late
    ) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self._cache = cache
        self._clock = clock
        self._flights: dict[str, _Flight] = {}
        self._needed: Counter[Name] = Counter()
        self._warming = Warming()
        self._patience = Patience(cache, self.subscriptions, self._warming, clock=clock, on_late=on_late)
        self._refusals = Refusals(cache, on_rejected=on_rejected)
        self._nonces = 0
        self._removals_from = 0.0
        self._look_again = False
        self._looked = 0.0

    # --- in ---

    def receive(self, request: Request) -> None:
        """Takes one request: an answer to a response, a change of what is wanted, or both."""
        subscription = self.subscriptions.get(request.type_url)
        flight = self._flights.pop(request.nonce, None) if request.nonce else None
        if flight is not None and subscription is not None:
            self._look_again = True
            self._removed(flight)
            if request.error is None:
                self._accepted(subscription, flight.response)
            else:
                self._refused(subscription, flight.response, request.error)
        if subscription is None:
            subscription = self.subscriptions[request.type_url] = Subscription(request.type_url)
            self._start(subscription, request)
            if request.type_url == types.LISTENER:
                self._send_what_settles()
        else:
            self._change(subscription, request)

    def changed(self, names: Collection[Name]) -> None:
        """The cache has something else under these names."""
        self._look_again = True
        for name in names:
            subscription = self.subscriptions.get(name.type_url)
            if subscription is not None:
                subscription.pending.update(dict.fromkeys(subscription.spellings(name.name)))

    def _start(self, subscription: Subscription, request: Request) -> None:
        if request.initial_versions:
            self._removals_from = self._clock() + REMOVAL_GRACE
        subscription.start(request.subscribe, request.initial_versions)
        for name in request.initial_versions:
            current = subscription.current(name, self._cache)
            if current is not None and current.version == request.initial_versions[name]:
                subscription.held[name] = current
            elif current is not None and (words := nacks.words_of(request.initial_versions[name], current.version)):
                self._refusals.tell(current, words, None)
            self._needed.update(subscription.held[name].needs)
        if subscription.wildcard:
            subscription.pending.update(dict.fromkeys(self._cache.names(subscription.type_url)))

    def _send_what_settles(self) -> None:
        """What was held back until listeners are asked for."""
        if (clusters := self.subscriptions.get(types.CLUSTER)) is not None and clusters.wildcard:
            clusters.pending.update(dict.fromkeys(self._cache.names(types.CLUSTER)))

    def _change(self, subscription: Subscription, request: Request) -> None:
        was_wildcard = subscription.wildcard
        subscription.subscribe(request.subscribe)
        if subscription.wildcard and not was_wildcard:
            subscription.pending.update(dict.fromkeys(self._cache.names(subscription.type_url)))
        for resource in subscription.unsubscribe(request.unsubscribe):
            self._needed.subtract(resource.needs)

    # --- out ---

    def next_response(self) -> Response | None:
        """What to send now, None if nothing. Call it until it is None; requests and changes may come between."""
        if again := self._refusals.next_part() or self._refusals.next_note():
            return self._fly(*again)
        self._look_at_waiting()
        for type_url in types.ORDER:
            subscription = self.subscriptions.get(type_url)
            if subscription is not None and (response := self._next_of(subscription)):
                return response
        for type_url in types.REMOVAL_ORDER:
            subscription = self.subscriptions.get(type_url)
            if subscription is not None and subscription.removals and (response := self._next_removal(subscription)):
                return response
        return None

    def deadline(self) -> float | None:
        """When `next_response` is to be asked again though nothing has happened, by the clock; None: not at all."""
        times = [next(iter(each.waiting.values())) for each in self.subscriptions.values() if each.waiting]
        now = self._clock()
        if times and (ready := self._warming.next(self._looked)) is not None:
            times.append(ready)
        if now < self._removals_from and any(each.removals for each in self.subscriptions.values()):
            times.append(self._removals_from)
        return min(times, default=None)

    def _next_of(self, subscription: Subscription) -> Response | None:
        batch: list[tuple[str, Resource]] = []
        absent: list[str] = []
        size = 0
        # The first answer to "everything" is whole: a listener opens once it has what that answer brings.
        whole = not subscription.greeted
        while subscription.pending and (whole or (len(batch) + len(absent) < _MAX_RESOURCES and size < _MAX_BYTES)):
            name, _ = subscription.pending.popitem()
            resource = self._due(subscription, name, absent)
            if resource is not None:
                batch.append((name, resource))
                size += len(resource.body)
        if batch or absent:
            subscription.greeted = True
        elif not subscription.greeted:
            # Envoy waits for a first answer to "everything", even if that is nothing.
            subscription.greeted = True
            return self._fly(subscription)
        if absent and batch:
            # A response that only removes is never at fault.
            subscription.pending.update(dict.fromkeys(absent))
            subscription.unanswered.update(absent)
        elif absent:
            return self._fly(subscription, removed=absent)
        return self._fly(subscription, batch) if batch else None

    def _due(self, subscription: Subscription, name: str, absent: list[str]) -> Resource | None:
        """What is to be sent under `name` now, if anything."""
        unanswered = name in subscription.unanswered
        resource = subscription.current(name, self._cache)
        before = subscription.sent.get(name) or subscription.held.get(name)
        if resource is None:
            subscription.waiting.pop(name, None)
            subscription.unanswered.discard(name)
            if before is None and unanswered:
                absent.append(name)
            elif before is not None and Name(subscription.type_url, name) not in self._cache.rejections:
                subscription.removals[name] = None
            return None
        subscription.removals.pop(name, None)
        if not unanswered and before is not None and before.version == resource.version:
            subscription.waiting.pop(name, None)
            return None
        if resource.settles and types.LISTENER not in self.subscriptions:
            # An Envoy that starts opens no listener before every cluster that it knows was checked, and asks for none.
            return None
        if self._patience.waits(subscription, name, resource, before):
            return None
        subscription.waiting.pop(name, None)
        subscription.unanswered.discard(name)
        return resource

    def _look_at_waiting(self) -> None:
        """Looks again at what waits, once something was accepted or has changed, or a time is over."""
        deadline = self.deadline()
        if not self._look_again and (deadline is None or self._clock() < deadline):
            return
        self._look_again = False
        self._looked = self._clock()
        for subscription in self.subscriptions.values():
            subscription.pending.update(dict.fromkeys(subscription.waiting))

    def _next_removal(self, subscription: Subscription) -> Response | None:
        last = subscription.type_url in types.NEEDED
        if last and (self._clock() < self._removals_from or self._needed[ANYTHING] > 0):
            return None
        free = [
            name
            for name in subscription.removals
            if not (last and self._needed[Name(subscription.type_url, name)] > 0) and name not in subscription.sent
        ]
        for name in free[:_MAX_RESOURCES]:
            del subscription.removals[name]
        return self._fly(subscription, removed=free[:_MAX_RESOURCES]) if free else None

    def _fly(
        self, subscription: Subscription, batch: Sequence[tuple[str, Resource]] = (), removed: Sequence[str] = ()
    ) -> Response:
        self._nonces += 1
        response = Response(subscription.type_url, str(self._nonces), tuple(batch), tuple(removed))
        # Gone from here on: what is put under such a name from now on is new to Envoy.
        leaving = tuple(each for name in removed if (each := subscription.held.pop(name, None)) is not None)
        self._flights[response.nonce] = _Flight(response, leaving)
        for name, resource in batch:
            subscription.sent[name] = resource
            self._needed.update(resource.needs)
            if resource.brings:
                self._warming.sent(resource, self._nonces)
                self._tell_again(resource.brings)
        return response

    def _tell_again(self, names: Iterable[Name]) -> None:
        for name in names:
            subscription = self.subscriptions.get(name.type_url)
            if subscription is not None and (name.name in subscription.held or name.name in subscription.sent):
                subscription.unanswered.add(name.name)
                subscription.pending[name.name] = None

    # --- answers ---

    def _accepted(self, subscription: Subscription, flight: Response) -> None:
        self._warming.filled((resource.name for _, resource in flight.resources), int(flight.nonce), self._clock())
        for name, resource in flight.resources:
            if subscription.sent.get(name) is resource:
                del subscription.sent[name]
                self._warming.answered(resource.name)
            if not subscription.wants(name):
                self._needed.subtract(resource.needs)
                continue
            if nacks.is_note(resource):
                continue
            before = subscription.held.get(name)
            if before is not None:
                self._needed.subtract(before.needs)
            subscription.held[name] = resource

    def _removed(self, flight: _Flight) -> None:
        for resource in flight.leaving:
            self._needed.subtract(resource.needs)

    def _refused(self, subscription: Subscription, flight: Response, message: str) -> None:
        for _, resource in flight.resources:
            self._needed.subtract(resource.needs)
        latest = [(name, each) for name, each in flight.resources if subscription.sent.get(name) is each]
        for name, resource in latest:
            del subscription.sent[name]
            self._warming.answered(resource.name)
        self._refusals.take(subscription, latest, message, alone=len(flight.resources) == 1)
