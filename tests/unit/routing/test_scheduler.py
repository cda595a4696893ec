"""What a change compiles again, and what it hands on."""

import msgspec
import pytest

from isoline.objects import HTTPProxy, Key, Object
from isoline.objects.core import ServicePort
from isoline.routing import compiler, ir, scheduler
from isoline.routing.dependencies import Unit
from isoline.routing.statuses import VALID, Finding, ProxyStatus
from isoline.routing.update import Update
from isoline.routing.view import View
from unit.routing.changing import A, B, World, scheduler_of, secure, slice_of, to
from unit.routing.support import errors, key_of, objects, proxy, root, secret, self_signed, service


def test_the_start_says_everything() -> None:
    begin = World(secure("a", A), secret(), service("a"), slice_of("a", "10.0.0.1")).begin
    assert begin.sites.keys() == {A}
    assert begin.endpoints == {
        "default/a/80": ir.Endpoints(name="default/a/80", endpoints=(ir.Endpoint(address="10.0.0.1", port=8000),))
    }
    assert begin.certificates.keys() == {"default/tls"}
    assert begin.statuses == {key_of("a"): VALID}
    assert begin.gateway is not None


def test_the_start_comes_in_chunks() -> None:
    world = World(*(to("a", f"h{number}.example.com").with_metadata(name=f"p{number}") for number in range(10)))
    chunks = [len(update.sites) for update in scheduler_of(world.store).start(chunk=4) if update.sites]
    assert chunks == [4, 4, 2]


def test_a_second_start_says_only_what_differs() -> None:
    world = World(to("a", A), to("b", B), service("a"), service("b"))
    world.store.apply([slice_of("a", "10.0.0.1")], [key_of("b")])
    again = Update()
    for update in world.scheduler.start():
        again.add(update)
    assert again.sites == {B: None}
    assert again.endpoints.keys() == {"default/a/80", "default/b/80"}
    assert again.endpoints["default/b/80"] is None
    assert again.statuses == {key_of("b"): None}
    assert again.gateway is None


def test_a_change_compiles_the_sites_that_read_it_and_no_other() -> None:
    world = World(to("a", A), to("b", B), service("a"), service("b"))
    update = world.put(service("a", "default", ServicePort(name="web", port=80)))
    assert world.recompiled() == {A}
    assert update.sites.keys() == {A}
    assert update.endpoints.keys() == {"default/a/80", "default/a/web"}
    assert update.endpoints["default/a/80"] is None
    assert update.statuses == {}


def test_what_nobody_reads_compiles_nothing() -> None:
    world = World(to("a", A), service("a"))
    assert not world.put(service("z"), secret("z"), slice_of("z", "10.0.0.1"))
    assert world.scheduler.recompiled == ()


def test_a_service_that_was_missed_is_found_when_it_comes() -> None:
    world = World(to("a", A))
    assert errors(_status(world.begin, "a")) == [("ServiceError", "ServiceUnresolvedReference")]
    update = world.put(service("a"))
    site = update.sites[A]
    assert site is not None
    assert isinstance(site.http[0].action, ir.Forward)
    assert update.statuses == {key_of("a"): VALID}
    assert update.endpoints == {"default/a/80": ir.Endpoints(name="default/a/80", endpoints=())}


@pytest.mark.parametrize(
    ("missing", "waiting"),
    [
        (secret(), secure("a", A)),
        (
            proxy("routes: [{directResponsePolicy: {statusCode: 200}}]", "child"),
            to("a", A, "includes: [{name: child}]"),
        ),
        (secure("w", "*.example.com", "second"), secure("a", A)),
    ],
)
def test_whatever_was_looked_for_in_vain_is_a_read(missing: Object, waiting: HTTPProxy) -> None:
    world = World(waiting, service("a"), secret("second"), *([] if missing.key == secret().key else [secret()]))
    world.put(missing)
    assert A in world.recompiled()
    world.delete(missing)
    assert A in world.recompiled()


def test_replicas_come_and_go_without_a_site_being_compiled() -> None:
    world = World(to("a", A), service("a"))
    update = world.put(slice_of("a", "10.0.0.1"))
    assert world.scheduler.recompiled == (Unit("endpoints", "default/a/80"),)
    assert update.sites == {}
    assert update.endpoints["default/a/80"] is not None


def test_a_renewed_certificate_is_handed_on_and_the_site_is_not() -> None:
    world = World(secure("a", A), service("a"), secret())
    update = world.put(secret(contents=self_signed()))
    assert world.recompiled() == {A}
    assert update.sites == {}
    assert update.certificates.keys() == {"default/tls"}


def test_endpoints_live_as_long_as_a_site_uses_them() -> None:
    world = World(to("a", A), root("routes: [{services: [{name: a, port: 80}]}]", "b", host=B), service("a"))
    assert world.delete(key_of("a")).endpoints == {}
    assert world.delete(key_of("b")).endpoints == {"default/a/80": None}
    assert not world.put(slice_of("a", "10.0.0.1"))


def test_a_host_that_moves() -> None:
    world = World(to("a", A), service("a"))
    update = world.put(to("a", B))
    assert update.sites.keys() == {A, B}
    assert update.sites[A] is None
    assert update.statuses == {}
    assert update.endpoints == {}


def test_the_younger_takes_over_when_the_older_goes() -> None:
    older = to("a", A).with_metadata(creation_timestamp="2026-01-01T00:00:00Z")
    younger = to("b", A).with_metadata(creation_timestamp="2026-01-02T00:00:00Z")
    world = World(older, younger, service("a"), service("b"))
    assert errors(_status(world.begin, "b")) == [("VirtualHostError", "DuplicateVhost")]
    update = world.delete(older)
    assert update.sites[A] is not None
    assert update.statuses == {key_of("a"): None, key_of("b"): VALID}


def test_status_changes_compile_nothing() -> None:
    item = to("a", A)
    world = World(item, service("a"))
    written = msgspec.structs.replace(item, status=msgspec.structs.replace(item.status, current_status="valid"))
    assert not world.put(written)
    assert world.scheduler.recompiled == ()


def test_a_change_that_means_the_same_is_not_handed_on() -> None:
    world = World(to("a", A), service("a"))
    assert not world.put(to("a", A).with_metadata(labels={"team": "voice"}))
    assert world.recompiled() == {A}


def test_a_new_generation_is_told_even_if_nothing_else_is_new_about_it() -> None:
    world = World(to("a", A).with_metadata(generation=1), service("a"))
    update = world.put(to("a", A).with_metadata(generation=2, labels={"team": "voice"}))
    assert list(update.statuses) == [to("a", A).key]
    assert not update.sites


def test_a_batch_compiles_each_site_once() -> None:
    world = World(to("a", A), to("b", B), service("a"), service("b"))
    port = ServicePort(name="web", port=80)
    world.put(service("a", "default", port), to("a", A, "includes: [{name: child}]"), service("b", "default", port))
    assert sorted(unit.name for unit in world.scheduler.recompiled if unit.kind == "site") == [A, B]


# --- statuses of what several hosts include


CHILD = "routes: [{conditions: [{prefix: /x}], services: [{name: app, port: 80}]}]"
BAD_UNDER_A = "includes: [{name: child, conditions: [{header: {name: h, exact: '1'}}]}]"


def test_a_child_is_orphaned_until_somebody_includes_it_and_again_after() -> None:
    world = World(proxy(CHILD, "child"), service())
    assert _status(world.begin, "child").current_status == "orphaned"
    parent = root("includes: [{name: child}]", "a", host=A)
    assert _status(world.put(parent), "child") == VALID
    assert _status(world.delete(parent), "child").current_status == "orphaned"


def test_a_child_of_two_hosts_hears_of_both_once_and_in_a_fixed_order() -> None:
    child = proxy(
        "routes: [{conditions: [{header: {name: h, exact: '2'}}], services: [{name: app, port: 80}]}, {}]", "child"
    )
    first = root(BAD_UNDER_A, "a", host=A)
    second = root("includes: [{name: child}]", "b", host=B)
    both = [("RouteError", "HeaderMatchConditionsNotValid"), ("RouteError", "RouteActionCountNotValid")]
    for order in ([first, second], [second, first]):
        world = World(child, service())
        for item in order:
            world.put(item)
        update = world.put(child.with_metadata(labels={"new": "label"}))
        assert update.statuses == {}
        fresh = World(child, service(), first, second)
        assert errors(_status(fresh.begin, "child")) == both
    assert errors(_status(World(child, service(), second).begin, "child")) == both[1:]


def test_a_root_that_fails_as_a_whole_orphans_its_children() -> None:
    child = proxy(CHILD, "child")
    parent = proxy(f"virtualhost: {{fqdn: {A}, tls: {{secretName: tls}}}}\nincludes: [{{name: child}}]", "a")
    world = World(parent, child, service())
    assert _status(world.begin, "child").current_status == "orphaned"
    assert _status(world.put(secret()), "child") == VALID


# --- settings


def config(spec: str) -> Object:
    (item,) = objects(
        f"apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {{name: default}}\nspec: {{{spec}}}\n"
    )
    return item


def test_settings_that_no_site_depends_on_compile_no_site() -> None:
    world = World(to("a", A), service("a"))
    update = world.put(config("timeouts: {connect: 7s}"))
    assert update.gateway is not None
    assert update.gateway.connect_timeout == 7.0
    assert update.sites == {}
    assert world.scheduler.recompiled == ()


def test_settings_that_sites_depend_on_compile_them() -> None:
    world = World(to("a", A), to("b", B), proxy(CHILD, "child"), service("a"), service("b"))
    update = world.put(config("ingressClassName: mine"))
    assert update.sites == {A: None, B: None}
    assert update.statuses == {key_of("a"): None, key_of("b"): None, key_of("child"): None}
    assert world.delete(Key("GatewayConfig", "", "default")).sites.keys() == {A, B}


# --- isolation


def test_a_fault_of_ours_harms_one_host_and_what_it_served_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(to("a", A), to("b", B), service("a"), service("b"))

    def broken(host: str, view: View) -> compiler.Compiled:
        if host == A:
            view.get(Key("Service", "default", "a"))
            raise ZeroDivisionError
        return compiler.compile_site(host, view)

    monkeypatch.setattr(scheduler, "compile_site", broken)
    port = ServicePort(name="web", port=80)
    update = world.put(service("a", "default", port), service("b", "default", port))
    assert update.sites.keys() == {B}
    assert errors(_status(update, "a")) == [("SpecError", "InternalError")]
    monkeypatch.undo()
    mended = world.put(service("a"))
    assert mended.statuses == {key_of("a"): VALID}
    assert mended.sites == {}


def _status(update: Update, name: str) -> ProxyStatus:
    status = update.statuses[key_of(name)]
    assert status is not None
    return status


# --- what those who serve it need to know


def test_what_a_change_would_touch_is_known_before_it_is_compiled() -> None:
    world = World(to("a", A), to("b", B), service("a"), service("b"))
    changes = world.store.apply([service("a", "default", ServicePort(name="web", port=80)), to("c", "c.example.com")])
    assert world.scheduler.touched(changes) == {
        Unit("site", A),
        Unit("site", "c.example.com"),
    }


def test_what_envoy_refused_of_a_site_is_said_until_that_is_taken_back() -> None:
    world = World(to("a", A), to("a", A).with_metadata(name="later", creation_timestamp=None), service("a"))
    refusal = Finding("RouteError", "RejectedByEnvoy", "too many bananas")
    told = world.scheduler.remark(A, ProxyStatus((refusal,)))
    assert told == {key_of("a"): ProxyStatus(errors=(refusal,))}
    assert world.put(to("a", A).with_metadata(labels={"team": "voice"})).statuses == {}
    # Another site, but who knows whether what was refused is another one too?
    assert world.put(service("a", "default", ServicePort(name="web", port=80))).statuses == {}
    assert world.scheduler.remark(A, ProxyStatus((refusal,))) == {}
    assert world.scheduler.remark(A, VALID) == {key_of("a"): VALID}


def test_a_start_afresh_says_every_site_again() -> None:
    world = World(to("a", A), to("b", B), service("a"))
    again = Update()
    for update in world.scheduler.start(afresh=True):
        again.add(update)
    assert again.sites == world.begin.sites
    assert again.endpoints == {}
    assert again.statuses == {}
