"""services[].mirror: copies of requests for another service."""

import pytest

from isoline.routing import ir
from unit.routing.support import compiled, errors, root, service, site, status_of

A, B = service("a"), service("b")


def served(mirror: str) -> ir.Site:
    return site(root(f"routes: [{{services: [{{name: a, port: 80}}, {{name: b, port: 80, {mirror}}}]}}]"), A, B)


@pytest.mark.parametrize(
    ("weight", "percent"), [("", 100), (", weight: 0", 100), (", weight: 25", 25), (", weight: 100", 100)]
)
def test_its_weight_is_a_percentage_and_no_share(weight: str, percent: int) -> None:
    found = served(f"mirror: true{weight}")
    action = found.http[0].action
    assert isinstance(action, ir.Forward)
    assert [(share.cluster.split("/")[1], share.weight) for share in action.shares] == [("a", 1)]
    assert action.mirror is not None
    assert (action.mirror.cluster.split("/")[1], action.mirror.percent) == ("b", percent)
    assert [cluster.name.split("/")[1] for cluster in found.clusters] == ["a", "b"]


def test_endpoints_of_a_mirror_are_compiled() -> None:
    services = "[{name: a, port: 80}, {name: b, port: 80, mirror: true}]"
    assert compiled(root(f"routes: [{{services: {services}}}]"), A, B).endpoints == ("default/a/80", "default/b/80")


def test_one_mirror_a_route() -> None:
    services = "[{name: a, port: 80}, {name: a, port: 80, mirror: true}, {name: b, port: 80, mirror: true}]"
    status = status_of(root(f"routes: [{{services: {services}}}]"), A, B)
    assert errors(status) == [("ServiceError", "OnlyOneMirror")]
    assert status.errors[0].message.startswith("spec.routes[0].services[2].mirror: ")


def test_a_missing_mirror_is_told_and_the_service_serves() -> None:
    item = root("routes: [{services: [{name: a, port: 80}, {name: gone, port: 80, mirror: true}]}]")
    result = compiled(item, A)
    assert errors(result.statuses[item.key]) == [("ServiceError", "ServiceUnresolvedReference")]
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    assert action.mirror is None


def test_nothing_but_a_mirror_is_unavailable() -> None:
    found = site(root("routes: [{services: [{name: a, port: 80, mirror: true}]}]"), A)
    assert [route.action for route in found.http] == [ir.Respond(status=503)]
    assert found.clusters == ()


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("weight: 101", "weight"),
        ("requestHeadersPolicy: {remove: [x-a]}", "requestHeadersPolicy"),
        ("responseHeadersPolicy: {remove: [x-a]}", "responseHeadersPolicy"),
    ],
)
def test_what_a_mirror_cannot_do_is_told(field: str, name: str) -> None:
    services = f"[{{name: a, port: 80}}, {{name: b, port: 80, mirror: true, {field}}}]"
    status = status_of(root(f"routes: [{{services: {services}}}]"), A, B)
    assert status.current_status == "valid"
    assert [warning.message.split(": ")[0] for warning in status.warnings] == [f"spec.routes[0].services[1].{name}"]
