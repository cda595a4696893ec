"""Whatever happens in whatever order: in the end Envoy has what the cache has, and no route ever lost its cluster."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name, Resource, resource
from isoline.xds.streams import REMOVAL_GRACE, Request, Response, Stream

NUMBERS = st.integers(0, 3)
BAD = b"bad"


@dataclass
class Envoy:
    """Takes responses in order and whole, or, if one resource in them is bad, not at all."""

    has: dict[str, dict[str, Resource]] = field(default_factory=lambda: {types.CLUSTER: {}, types.ROUTES: {}})
    inbox: deque[Response] = field(default_factory=deque)

    def take(self) -> Request:
        response = self.inbox.popleft()
        if any(BAD in each.body for _, each in response.resources):
            return Request(response.type_url, nonce=response.nonce, error="something is bad")
        of_type = self.has[response.type_url]
        needed = {need for route in self.has[types.ROUTES].values() for need in route.needs}
        assert not needed & {Name(response.type_url, name) for name in response.removed}
        of_type.update(response.resources)
        for name in response.removed:
            of_type.pop(name, None)
        return Request(response.type_url, nonce=response.nonce)


class Converges(RuleBasedStateMachine):
    """Routes `r0…3`, each needing up to two of the clusters `c0…3`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.cache = Cache()
        self.envoy = Envoy()
        self.rejected: list[tuple[Name, str]] = []
        self.connect({})

    def connect(self, versions: dict[str, dict[str, str]]) -> None:
        self.stream = Stream(
            self.cache,
            clock=lambda: self.now,
            on_rejected=lambda *each: self.rejected.append(each),
            on_late=lambda *_: None,
        )
        self.cache.on_change(self.stream.changed)
        self.envoy.inbox.clear()
        self.stream.receive(Request(types.CLUSTER, initial_versions=versions.get(types.CLUSTER, {})))
        routes = [f"r{number}" for number in range(4)]
        self.stream.receive(Request(types.ROUTES, routes, initial_versions=versions.get(types.ROUTES, {})))

    @rule(route=NUMBERS, needs=st.sets(NUMBERS, max_size=2), body=st.sampled_from([b"1", b"2", b"3", BAD]))
    def put_routes(self, route: int, needs: set[int], body: bytes) -> None:
        """With the clusters that they need, as a gateway does."""
        wanted = tuple(Name(types.CLUSTER, f"c{number}") for number in sorted(needs))
        clusters = [resource(*name, b"cluster") for name in wanted]
        text = body + b"".join(name.name.encode() for name in wanted)
        self.cache.update([*clusters, resource(types.ROUTES, f"r{route}", text, wanted)])
        self.collect()

    @rule(route=NUMBERS)
    def remove_routes(self, route: int) -> None:
        self.cache.update(remove=[Name(types.ROUTES, f"r{route}")])
        self.collect()

    def collect(self) -> None:
        """Removes the clusters that no routes need any more."""
        routes = [self.cache.get(Name(types.ROUTES, name)) for name in self.cache.names(types.ROUTES)]
        needed = {need for each in routes if each is not None for need in each.needs}
        refused = {Name(types.ROUTES, name) for name in self.cache.names(types.ROUTES)} & self.cache.rejections.keys()
        if not refused:
            clusters = {Name(types.CLUSTER, name) for name in self.cache.names(types.CLUSTER)}
            self.cache.update(remove=clusters - needed)

    @rule()
    def send(self) -> None:
        response = self.stream.next_response()
        if response is not None:
            self.envoy.inbox.append(response)

    @precondition(lambda self: self.envoy.inbox)
    @rule()
    def answer(self) -> None:
        self.stream.receive(self.envoy.take())

    @rule()
    def reconnect(self) -> None:
        versions = {
            type_url: {name: each.version for name, each in of_type.items()}
            for type_url, of_type in self.envoy.has.items()
        }
        self.connect(versions)

    @precondition(lambda self: not any(each.waiting for each in self.stream.subscriptions.values()))
    @rule()
    def pass_time(self) -> None:
        """While nothing waits, or it would be sent without what it needs."""
        self.now += REMOVAL_GRACE

    @invariant()
    def no_route_lost_its_cluster(self) -> None:
        # Nobody waits long enough here for anything to be sent without what it needs.
        for route in self.envoy.has[types.ROUTES].values():
            for need in route.needs:
                if self.cache.get(need) is not None:
                    assert need.name in self.envoy.has[types.CLUSTER]

    def teardown(self) -> None:
        for _ in range(200):
            self.send()
            if self.envoy.inbox:
                self.answer()
            elif self.stream.deadline() is None:
                break
            else:
                self.now += REMOVAL_GRACE
        assert not self.envoy.inbox
        self.has_what_the_cache_has()

    def has_what_the_cache_has(self) -> None:
        for name in self.cache.names(types.ROUTES):
            wanted = self.cache.get(Name(types.ROUTES, name))
            if Name(types.ROUTES, name) not in self.cache.rejections:
                assert self.envoy.has[types.ROUTES].get(name) == wanted
        assert self.envoy.has[types.ROUTES].keys() <= set(self.cache.names(types.ROUTES))
        needed = {need.name for each in self.envoy.has[types.ROUTES].values() for need in each.needs}
        kept = needed | set(self.cache.names(types.CLUSTER))
        # Where Envoy kept routes of a version that is forgotten here, nothing can be known to be useless.
        if all(self.stream.subscriptions[types.ROUTES].held[name].body for name in self.envoy.has[types.ROUTES]):
            assert self.envoy.has[types.CLUSTER].keys() == kept
        assert kept <= self.envoy.has[types.CLUSTER].keys()


TestConverges = Converges.TestCase
TestConverges.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
