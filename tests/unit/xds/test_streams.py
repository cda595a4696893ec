"""The protocol of one stream: what is sent when, what never, and what happens to what is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.patience import FIRST_PATIENCE, NEEDS_PATIENCE
from isoline.xds.resources import Name, Resource, resource
from isoline.xds.streams import REMOVAL_GRACE, Request, Response, Stream

CLUSTER, ENDPOINTS, ROUTES, SCOPE = types.CLUSTER, types.ENDPOINTS, types.ROUTES, types.SCOPE
APP = Name(CLUSTER, "app")
APP_ENDPOINTS = Name(ENDPOINTS, "app")


@dataclass
class Envoy:
    """The other side, by hand."""

    cache: Cache
    now: float = 100.0
    rejected: list[tuple[Name, str]] = field(default_factory=list)
    late: list[tuple[Name, tuple[Name, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        """A stream of its own, as after a lost connection."""
        self.stream = Stream(
            self.cache,
            clock=lambda: self.now,
            on_rejected=lambda *each: self.rejected.append(each),
            on_late=lambda name, needs: self.late.append((name, tuple(needs))),
        )
        self.cache.on_change(self.stream.changed)

    def ask(self, type_url: str, *names: str, **versions: str) -> None:
        self.stream.receive(Request(type_url, subscribe=names, initial_versions=versions))

    def drop(self, type_url: str, *names: str) -> None:
        self.stream.receive(Request(type_url, unsubscribe=names))

    def sent(self) -> list[Response]:
        """All there is to send now."""
        responses = []
        while (response := self.stream.next_response()) is not None:
            responses.append(response)
        return responses

    def one(self) -> Response:
        (response,) = self.sent()
        return response

    def ack(self, *responses: Response) -> None:
        for response in responses:
            self.stream.receive(Request(response.type_url, nonce=response.nonce))

    def nack(self, response: Response, message: str = "bad") -> None:
        self.stream.receive(Request(response.type_url, nonce=response.nonce, error=message))

    def settle(self) -> list[str]:
        """Accepts everything until nothing is left. Returns the names, what went with a minus."""
        told: list[str] = []
        while responses := self.sent():
            for response in responses:
                told += names(response)
                told += [f"-{name}" for name in response.removed]
                self.ack(response)
        return told

    def held(self, type_url: str) -> set[str]:
        return set(self.stream.subscriptions[type_url].held)


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def envoy(cache: Cache) -> Envoy:
    return Envoy(cache)


def a(
    type_url: str,
    name: str,
    body: str = "1",
    needs: Iterable[Name] = (),
    brings: Iterable[Name] = (),
    *,
    settles: float = 0.0,
    empty: bool = False,
) -> Resource:
    return resource(type_url, name, body.encode(), tuple(needs), tuple(brings), settles=settles, empty=empty)


def names(response: Response) -> list[str]:
    return sorted(name for name, _ in response.resources)


def app_and_routes(cache: Cache, envoy: Envoy) -> None:
    """An Envoy that holds a cluster, its endpoints, and the routes that need both."""
    cache.update([a(CLUSTER, "app"), a(ENDPOINTS, "app"), a(ROUTES, "site", needs=[APP, APP_ENDPOINTS])])
    envoy.ask(CLUSTER)
    envoy.ask(ENDPOINTS, "app")
    envoy.ask(ROUTES, "site")
    assert envoy.settle() == ["app", "app", "site"]


class TestSubscriptions:
    def test_a_first_request_without_names_is_for_everything(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "one"), a(CLUSTER, "two"), a(ENDPOINTS, "one")])
        envoy.ask(CLUSTER)
        response = envoy.one()
        assert names(response) == ["one", "two"]
        envoy.ack(response)
        cache.update([a(CLUSTER, "three")])
        assert names(envoy.one()) == ["three"]

    def test_everything_may_be_nothing_and_is_said(self, envoy: Envoy) -> None:
        envoy.ask(CLUSTER)
        assert envoy.one().resources == ()
        assert envoy.sent() == []

    def test_a_type_that_is_asked_for_by_name_has_no_everything(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ENDPOINTS, "one")])
        envoy.ask(ENDPOINTS)
        assert envoy.sent() == []
        envoy.ask(ENDPOINTS, "*")
        assert names(envoy.one()) == ["one"]

    def test_only_what_is_asked_for_is_sent(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ENDPOINTS, "one"), a(ENDPOINTS, "two")])
        envoy.ask(ENDPOINTS, "one")
        envoy.ack(response := envoy.one())
        assert names(response) == ["one"]
        cache.update([a(ENDPOINTS, "two", "2")])
        assert envoy.sent() == []
        envoy.drop(ENDPOINTS, "one")
        cache.update([a(ENDPOINTS, "one", "2")])
        assert envoy.sent() == []
        assert envoy.held(ENDPOINTS) == set()

    def test_asked_for_again_is_answered_again(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ENDPOINTS, "one")])
        envoy.ask(ENDPOINTS, "one")
        envoy.settle()
        envoy.ask(ENDPOINTS, "one")
        assert names(envoy.one()) == ["one"]

    def test_what_is_absent_is_said_once_and_sent_when_it_comes(self, cache: Cache, envoy: Envoy) -> None:
        envoy.ask(ROUTES, "site", "other")
        response = envoy.one()
        assert sorted(response.removed) == ["other", "site"]
        envoy.ack(response)
        assert envoy.sent() == []
        cache.update([a(ROUTES, "site")])
        assert names(envoy.one()) == ["site"]

    def test_an_end_of_everything_keeps_what_was_asked_by_name(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "one"), a(CLUSTER, "two")])
        envoy.ask(CLUSTER)
        envoy.ask(CLUSTER, "one")
        envoy.settle()
        envoy.drop(CLUSTER, "*")
        assert envoy.held(CLUSTER) == {"one"}

    def test_an_unchanged_resource_is_not_sent(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "one")])
        envoy.ask(CLUSTER)
        envoy.settle()
        assert cache.update([a(CLUSTER, "one")]) == set()
        assert envoy.sent() == []

    def test_a_large_world_comes_in_pieces(self, cache: Cache, envoy: Envoy) -> None:
        cache.update(a(CLUSTER, f"c{number}") for number in range(2500))
        cache.update(a(ENDPOINTS, f"large{number}", "x" * 1024 * 1024) for number in range(5))
        envoy.ask(CLUSTER)
        assert [len(response.resources) for response in envoy.sent()] == [2500], "the first answer is whole"
        cache.update(a(CLUSTER, f"c{number}", "new") for number in range(2500))
        assert [len(response.resources) for response in envoy.sent()] == [1000, 1000, 500]
        envoy.ask(ENDPOINTS, "*")
        assert [len(response.resources) for response in envoy.sent()] == [2, 2, 1]


class TestSecrets:
    def test_letters_do_not_matter_and_the_answer_has_them_as_asked(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(types.SECRET, "a.example.com")])
        envoy.ask(types.SECRET, "A.example.com")
        assert names(envoy.one()) == ["A.example.com"]
        cache.update([a(types.SECRET, "a.example.com", "2")])
        assert names(envoy.one()) == ["A.example.com"]

    def test_spellings_of_one_name_are_limited(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(types.SECRET, "a" * 20)])
        spelt = ["a" * place + "A" + "a" * (19 - place) for place in range(20)]
        envoy.ask(types.SECRET, "a" * 20, *spelt)
        sent = envoy.sent()
        assert sum(len(response.resources) for response in sent) == 17
        assert sum(len(response.removed) for response in sent) == 4
        envoy.drop(types.SECRET, *spelt)
        envoy.ask(types.SECRET, spelt[-1])
        assert names(envoy.one()) == [spelt[-1]]

    def test_strangers_do_not_wait_for_others(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(types.SECRET, "known")])
        envoy.ask(types.SECRET, "known", *(f"x{number}" for number in range(10)))
        told = envoy.settle()
        assert sorted(told) == sorted(["known", *(f"-x{number}" for number in range(10))])


class TestMakeBeforeBreak:
    def test_routes_wait_for_their_cluster_and_its_endpoints(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        new = [Name(CLUSTER, "new"), Name(ENDPOINTS, "new")]
        cache.update([a(CLUSTER, "new"), a(ENDPOINTS, "new"), a(ROUTES, "site", "2", new)], [APP, APP_ENDPOINTS])
        warming = envoy.one()
        assert names(warming) == ["new"]
        envoy.ask(ENDPOINTS, "new")
        filling = envoy.one()
        assert (filling.type_url, names(filling)) == (ENDPOINTS, ["new"])
        envoy.ack(filling)
        assert envoy.sent() == []
        envoy.ack(warming)
        turning = envoy.one()
        assert (turning.type_url, names(turning)) == (ROUTES, ["site"])
        envoy.ack(turning)
        assert envoy.settle() == ["-app", "-app"]
        assert envoy.held(CLUSTER) == {"new"}

    def test_nothing_is_removed_that_is_needed_on_the_way(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(ROUTES, "site", "2")], [APP, APP_ENDPOINTS])
        turning = envoy.one()
        assert names(turning) == ["site"]
        # Refused: Envoy goes on with the routes that need the cluster.
        envoy.nack(turning)
        assert envoy.settle() == ["site"]
        assert envoy.held(CLUSTER) == {"app"}

    def test_waiting_has_an_end(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(CLUSTER, "stuck"), a(ROUTES, "site", "2", [Name(CLUSTER, "stuck")])])
        assert names(envoy.one()) == ["stuck"]
        assert envoy.stream.deadline() == envoy.now + NEEDS_PATIENCE
        envoy.now += NEEDS_PATIENCE
        assert names(envoy.one()) == ["site"]
        assert envoy.stream.deadline() is None
        assert envoy.late == [(Name(ROUTES, "site"), (Name(CLUSTER, "stuck"),))]

    def test_what_does_not_exist_is_not_waited_for(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site", needs=[Name(CLUSTER, "nowhere")])])
        envoy.ask(ROUTES, "site")
        assert names(envoy.one()) == ["site"]

    def test_what_points_is_removed_before_what_it_pointed_at(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(SCOPE, "site")])
        envoy.ask(SCOPE)
        envoy.settle()
        cache.update(remove=[APP, APP_ENDPOINTS, Name(ROUTES, "site"), Name(SCOPE, "site")])
        order = []
        while responses := envoy.sent():
            order += [response.type_url for response in responses]
            envoy.ack(*responses)
        assert order == [SCOPE, ROUTES, CLUSTER, ENDPOINTS]

    def test_endpoints_are_told_again_to_a_new_cluster(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(CLUSTER, "other", brings=[APP_ENDPOINTS])])
        assert [(response.type_url, names(response)) for response in envoy.sent()] == [
            (CLUSTER, ["other"]),
            (ENDPOINTS, ["app"]),
        ]

    def test_a_cluster_of_which_envoy_has_the_endpoints_is_ready_though_envoy_is_silent_about_it(
        self, cache: Cache, envoy: Envoy
    ) -> None:
        """As it is for all clusters while one of somebody else's waits for its first health check."""
        app_and_routes(cache, envoy)
        new = [Name(CLUSTER, "new"), Name(ENDPOINTS, "new")]
        cache.update([a(CLUSTER, "hangs"), a(CLUSTER, "new", brings=new[1:]), a(ENDPOINTS, "new")])
        cache.update([a(ROUTES, "site", "2", new)])
        unanswered = envoy.one()
        envoy.ask(ENDPOINTS, "new")
        envoy.ack(envoy.one())
        turning = envoy.one()
        assert (turning.type_url, names(turning)) == (ROUTES, ["site"])
        envoy.ack(turning)
        assert envoy.late == []
        # Nobody knows yet whether Envoy still waits for the old one, so that it stays as long as it is needed.
        envoy.ack(unanswered)
        assert envoy.held(CLUSTER) == {"app", "hangs", "new"}

    def test_endpoints_that_were_sent_before_the_cluster_say_nothing_of_it(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(ENDPOINTS, "app", "2")])
        earlier = envoy.one()
        cache.update([a(CLUSTER, "other", brings=[APP_ENDPOINTS]), a(ROUTES, "site", "2", [Name(CLUSTER, "other")])])
        _, again = envoy.sent()
        envoy.ack(earlier)
        assert envoy.sent() == []
        envoy.ack(again)
        assert names(envoy.one()) == ["site"]

    def test_a_first_health_check_is_waited_for_as_long_as_it_may_take(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        envoy.ask(types.LISTENER)
        envoy.settle()
        new = a(CLUSTER, "new", brings=[APP_ENDPOINTS], settles=2.0)
        cache.update([new, a(ROUTES, "site", "2", [new.name, APP_ENDPOINTS])])
        _, filling = envoy.sent()
        envoy.ack(filling)
        assert envoy.sent() == []
        assert envoy.stream.deadline() == envoy.now + 2.0
        envoy.now += 2.0
        assert names(envoy.one()) == ["site"]
        assert envoy.late == []

    def test_what_is_checked_comes_when_listeners_are_asked_for(self, cache: Cache, envoy: Envoy) -> None:
        """An Envoy that starts asks for listeners when all clusters that it knows were checked."""
        cache.update([a(CLUSTER, "checked", settles=2.0), a(CLUSTER, "plain")])
        envoy.ask(CLUSTER)
        assert envoy.settle() == ["plain"]
        envoy.ask(types.LISTENER)
        assert envoy.settle() == ["checked"]

    def test_an_extension_that_a_listener_waits_for_goes_at_once_and_a_change_of_it_waits(
        self, cache: Cache, envoy: Envoy
    ) -> None:
        """A new tunnel whose cluster is slow holds back nobody else on its listener."""
        app_and_routes(cache, envoy)
        stuck = [Name(CLUSTER, "stuck")]
        cache.update([a(CLUSTER, "stuck"), a(types.EXTENSION, "slow", needs=stuck)])
        cache.update([a(types.EXTENSION, "quick", needs=[APP])])
        envoy.ask(types.EXTENSION, "slow", "quick")
        cluster, extensions = envoy.sent()
        assert (names(cluster), names(extensions)) == (["stuck"], ["quick", "slow"])
        envoy.ack(extensions)
        cache.update([a(types.EXTENSION, "quick", "2", needs=stuck)])
        assert envoy.sent() == []
        envoy.ack(cluster)
        assert names(envoy.one()) == ["quick"]

    def test_routes_that_were_let_go_of_in_between_are_waited_for(self, cache: Cache, envoy: Envoy) -> None:
        ahead, own = Name(SCOPE, "ahead"), Name(ROUTES, "own")
        cache.update([a(SCOPE, "ahead"), a(ROUTES, "own")])
        envoy.ask(SCOPE)
        envoy.ask(ROUTES, "own")
        assert envoy.settle() == ["ahead", "own"]
        cache.update(remove=[ahead, own])
        removal = envoy.sent()
        cache.update([a(SCOPE, "ahead"), a(ROUTES, "own"), a(SCOPE, "site", needs=[ahead, own])])
        # Routes that Envoy asks for no more may go out, and are accepted; they do not count.
        scope, *routes = envoy.sent()
        assert names(scope) == ["ahead"]
        envoy.ack(*removal, *routes)
        envoy.ask(ROUTES, "own")
        envoy.ack(scope)
        (answer,) = envoy.sent()
        assert names(answer) == ["own"]
        envoy.ack(answer)
        assert names(envoy.one()) == ["site"]

    def test_an_extension_is_envoys_to_let_go_of(self, cache: Cache, envoy: Envoy) -> None:
        """Connections of a chain that drains go on with it, and with its cluster."""
        app_and_routes(cache, envoy)
        cache.update([a(types.EXTENSION, "tunnel", needs=[APP]), a(ROUTES, "site", "2")])
        envoy.ask(types.EXTENSION, "tunnel")
        assert envoy.settle() == ["tunnel", "site"]
        cache.update(remove=[Name(types.EXTENSION, "tunnel"), APP])
        assert envoy.settle() == []
        envoy.drop(types.EXTENSION, "tunnel")
        assert envoy.settle() == ["-app"]

    def test_what_envoy_has_nothing_of_waits_less(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "stuck"), a(ROUTES, "site", needs=[Name(CLUSTER, "stuck")])])
        envoy.ask(CLUSTER)
        envoy.ask(ROUTES, "site")
        assert names(envoy.one()) == ["stuck"]
        assert envoy.stream.deadline() == envoy.now + FIRST_PATIENCE
        envoy.now += FIRST_PATIENCE
        assert names(envoy.one()) == ["site"]

    def test_a_refused_cluster_is_not_ready_for_its_endpoints(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update([a(CLUSTER, "bad", brings=[APP_ENDPOINTS]), a(ROUTES, "site", "2", [Name(CLUSTER, "bad")])])
        refused, again = envoy.sent()
        envoy.nack(refused)
        envoy.ack(again)
        # It is not served any more, so there is nothing left to wait for.
        assert names(envoy.one()) == ["site"]

    def test_what_works_is_not_turned_to_a_service_that_has_no_endpoints_yet(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        new = [Name(CLUSTER, "new"), Name(ENDPOINTS, "new")]
        cache.update([a(CLUSTER, "new"), a(ENDPOINTS, "new", "", empty=True), a(ROUTES, "site", "2", new)])
        envoy.ask(ENDPOINTS, "new")
        assert envoy.settle() == ["new", "new"]
        cache.update([a(ENDPOINTS, "new")])
        assert envoy.settle() == ["new", "site"]
        assert envoy.late == []

    def test_a_service_without_endpoints_is_not_waited_for_for_ever(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        new = [Name(CLUSTER, "new"), Name(ENDPOINTS, "new")]
        cache.update([a(CLUSTER, "new"), a(ENDPOINTS, "new", "", empty=True), a(ROUTES, "site", "2", new)])
        envoy.ask(ENDPOINTS, "new")
        envoy.settle()
        envoy.now += NEEDS_PATIENCE
        assert envoy.settle() == ["site"]
        assert envoy.late == [(Name(ROUTES, "site"), (Name(ENDPOINTS, "new"),))]
        # From then on the routes live with it.
        cache.update([a(ROUTES, "site", "3", new)])
        assert envoy.settle() == ["site"]

    def test_a_new_site_does_not_wait_for_endpoints(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ENDPOINTS, "app", "", empty=True), a(CLUSTER, "app"), a(ROUTES, "site", needs=[APP])])
        envoy.ask(CLUSTER)
        envoy.ask(ENDPOINTS, "app")
        envoy.ask(ROUTES, "site")
        assert envoy.settle() == ["app", "app", "site"]

    def test_put_back_while_it_goes_is_sent(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "app")])
        envoy.ask(CLUSTER)
        envoy.settle()
        cache.update(remove=[APP])
        going = envoy.one()
        assert going.removed == ("app",)
        cache.update([a(CLUSTER, "app")])
        coming = envoy.one()
        assert names(coming) == ["app"]
        envoy.ack(going, coming)
        assert envoy.held(CLUSTER) == {"app"}

    def test_forgotten_routes_free_their_cluster(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        cache.update(remove=[APP])
        assert envoy.sent() == []
        envoy.drop(ROUTES, "site")
        assert envoy.one().removed == ("app",)


class TestReconnect:
    def test_what_envoy_kept_is_not_sent_again(self, cache: Cache, envoy: Envoy) -> None:
        app_and_routes(cache, envoy)
        envoy.connect()
        version = a(CLUSTER, "app").version
        envoy.ask(CLUSTER, app=version)
        envoy.ask(ENDPOINTS, "app", app=version)
        envoy.ask(ROUTES, "site", site=version)
        assert envoy.sent() == []
        cache.update([a(ROUTES, "site", "2", [APP])])
        assert names(envoy.one()) == ["site"]

    def test_what_changed_meanwhile_is_sent_and_what_went_is_removed(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(SCOPE, "kept"), a(SCOPE, "changed", "2"), a(SCOPE, "new")])
        version = a(SCOPE, "kept").version
        envoy.ask(SCOPE, kept=version, changed=version, gone=version)
        assert sorted(envoy.settle()) == ["-gone", "changed", "new"]

    def test_clusters_that_unknown_routes_may_need_stay_a_while(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "new"), a(ROUTES, "site", "2", [Name(CLUSTER, "new")])])
        envoy.ask(CLUSTER, old="some version")
        envoy.ask(ROUTES, "site", site="some version")
        assert envoy.settle() == ["new", "site"]
        assert envoy.stream.deadline() == envoy.now + REMOVAL_GRACE
        envoy.now += REMOVAL_GRACE
        assert envoy.settle() == ["-old"]

    def test_clusters_stay_as_long_as_envoy_keeps_routes_that_nobody_here_knows(
        self, cache: Cache, envoy: Envoy
    ) -> None:
        cache.update([a(ROUTES, "site", "bad")])
        envoy.ask(CLUSTER, old="some version")
        envoy.ask(ROUTES, "site", site="some version")
        for response in envoy.sent():
            envoy.nack(response) if response.resources else envoy.ack(response)
        envoy.now += REMOVAL_GRACE
        assert envoy.settle() == []
        cache.update([a(ROUTES, "site", "good")])
        assert envoy.settle() == ["site", "-old"]


class TestRefusals:
    def test_the_one_at_fault_is_found_and_the_others_arrive(self, cache: Cache, envoy: Envoy) -> None:
        cache.update(a(ROUTES, f"s{number}") for number in range(20))
        envoy.ask(ROUTES, *(f"s{number}" for number in range(20)))
        bad = {"s3", "s4", "s17"}
        answers = 0
        while responses := envoy.sent():
            for response in responses:
                answers += 1
                if bad & set(names(response)):
                    envoy.nack(response, "invalid regex")
                else:
                    envoy.ack(response)
        assert {name for name, _ in envoy.rejected} == {Name(ROUTES, name) for name in bad}
        assert len(envoy.rejected) == 3
        assert envoy.held(ROUTES) == {f"s{number}" for number in range(20)} - bad
        assert answers < 30

    def test_a_name_in_the_message_shortens_the_search(self, cache: Cache, envoy: Envoy) -> None:
        cache.update(a(CLUSTER, f"c{number}") for number in range(100))
        envoy.ask(CLUSTER)
        envoy.nack(envoy.one(), "Error adding/updating cluster(s) c7: bad timeout")
        alone, rest = sorted(envoy.sent(), key=lambda response: len(response.resources))
        assert names(alone) == ["c7"]
        assert len(rest.resources) == 99
        envoy.ack(rest)
        envoy.nack(alone, "c7: bad timeout")
        assert envoy.rejected == [(Name(CLUSTER, "c7"), "c7: bad timeout")]
        assert envoy.sent() == []

    def test_the_last_accepted_version_is_what_others_get(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site")])
        envoy.ask(ROUTES, "site")
        envoy.settle()
        cache.update([a(ROUTES, "site", "bad")])
        envoy.nack(envoy.one())
        assert cache.get(Name(ROUTES, "site")) == a(ROUTES, "site")
        other = Envoy(cache)
        other.ask(ROUTES, "site")
        response = other.one()
        assert response.resources == (("site", a(ROUTES, "site")),)
        other.ack(response)
        assert other.sent() == []

    def test_who_refused_is_told_once_what_stands_again(self, cache: Cache, envoy: Envoy) -> None:
        """Envoy notes the version that it refused, and would claim it to the next control plane."""
        cache.update([a(ROUTES, "site")])
        envoy.ask(ROUTES, "site")
        envoy.settle()
        cache.update([a(ROUTES, "site", "bad")])
        envoy.nack(envoy.one())
        again = envoy.one()
        assert again.resources == (("site", a(ROUTES, "site")),)
        envoy.nack(again)
        assert envoy.sent() == []

    def test_an_envoy_that_took_it_goes_back_with_the_others(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site")])
        tolerant = Envoy(cache)
        for each in (envoy, tolerant):
            each.ask(ROUTES, "site")
            each.settle()
        cache.update([a(ROUTES, "site", "bad")])
        assert tolerant.settle() == ["site"]
        envoy.nack(envoy.one())
        assert tolerant.one().resources == (("site", a(ROUTES, "site")),)
        assert len(envoy.rejected) + len(tolerant.rejected) == 1

    def test_a_new_version_has_its_chance(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site", "bad")])
        envoy.ask(ROUTES, "site")
        envoy.nack(envoy.one())
        assert envoy.settle() == []
        # The same again is not a new version.
        cache.update([a(ROUTES, "site", "bad")])
        assert envoy.settle() == []
        cache.update([a(ROUTES, "site", "good")])
        assert envoy.settle() == ["site"]
        assert cache.rejections == {}

    def test_refused_on_two_envoys_is_told_once(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site", "bad")])
        other = Envoy(cache, rejected=envoy.rejected)
        for each in (envoy, other):
            each.ask(ROUTES, "site")
        first, second = envoy.one(), other.one()
        envoy.nack(first)
        other.nack(second)
        assert len(envoy.rejected) == 1
        assert envoy.settle() == other.settle() == []

    def test_a_version_that_came_since_is_not_refused_with_the_old_one(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site", "bad")])
        envoy.ask(ROUTES, "site")
        refused = envoy.one()
        cache.update([a(ROUTES, "site", "good")])
        newer = envoy.one()
        envoy.nack(refused)
        envoy.ack(newer)
        assert envoy.rejected == []
        assert envoy.held(ROUTES) == {"site"}
        assert envoy.settle() == []

    def test_what_needs_a_refused_cluster_is_not_held_up(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(CLUSTER, "app"), a(ROUTES, "site", needs=[APP])])
        envoy.ask(CLUSTER)
        envoy.ask(ROUTES, "site")
        envoy.nack(envoy.one())
        assert names(envoy.one()) == ["site"]

    def test_after_a_restart_envoy_keeps_what_it_has_of_a_refused_one(self, cache: Cache, envoy: Envoy) -> None:
        cache.update([a(ROUTES, "site", "bad")])
        envoy.ask(ROUTES, "site", site="a version from before the restart")
        envoy.nack(envoy.one())
        assert envoy.settle() == []
        assert envoy.held(ROUTES) == {"site"}
