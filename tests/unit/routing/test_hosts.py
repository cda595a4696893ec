"""Who speaks for a host, and what a host is."""

import pytest

from isoline.objects import HTTPProxy
from isoline.routing.indexes import host_of
from isoline.routing.settings import Settings
from unit.routing.support import HOST, compiled, errors, proxy, root, site, status_of

ANSWER = "routes: [{directResponsePolicy: {statusCode: 200}}]"


def dated(name: str, created: str, namespace: str = "default", spec: str = ANSWER) -> HTTPProxy:
    return root(spec, name, namespace).with_metadata(creation_timestamp=created or None)


@pytest.mark.parametrize(
    ("fqdn", "host"),
    [
        ("voice.example.com", "voice.example.com"),
        ("Voice.EXAMPLE.com", "voice.example.com"),
        ("*.example.com", "*.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_hosts_are_lower_case(fqdn: str, host: str) -> None:
    item = root(ANSWER, host=fqdn)
    assert host_of(item) == host
    assert site(item, host=host).host == host


@pytest.mark.parametrize(
    ("fqdn", "reason"),
    [
        ("", "FQDNNotSpecified"),
        (" ", "FQDNNotSpecified"),
        ("*", "FQDNNotValid"),
        ("voice.*.com", "FQDNNotValid"),
        ("*.*.com", "FQDNNotValid"),
        ("voice.example.com:8443", "FQDNNotValid"),
        ("-voice.example.com", "FQDNNotValid"),
        (f"{'a.' * 127}com", "FQDNNotValid"),
    ],
)
def test_a_root_without_a_usable_host_still_has_a_status(fqdn: str, reason: str) -> None:
    item = root(ANSWER, host=fqdn)
    assert host_of(item) == "!default/voice"
    assert errors(status_of(item)) == [("VirtualHostError", reason)]
    assert compiled(item, host=host_of(item)).site is None


def test_the_oldest_keeps_a_host_and_the_others_are_told() -> None:
    first, second = dated("z", "2026-01-01T00:00:00Z"), dated("a", "2026-01-02T00:00:00Z")
    result = compiled(second, first)
    assert result.site is not None
    assert [route.name for route in result.site.http] == ["default/z/routes[0]"]
    assert errors(result.statuses[first.key]) == []
    assert errors(result.statuses[second.key]) == [("VirtualHostError", "DuplicateVhost")]
    assert "default/z" in result.statuses[second.key].errors[0].message


def test_names_decide_between_equals_and_what_has_no_age_is_last() -> None:
    same = [dated("b", "2026-01-01T00:00:00Z"), dated("a", "2026-01-01T00:00:00Z", "other"), dated("a", "")]
    result = compiled(*same)
    assert [item.metadata.name for item in same if not errors(result.statuses[item.key])] == ["b"]


def test_hosts_that_differ_in_case_are_one() -> None:
    items = [root(ANSWER, "a"), root(ANSWER, "b", host="VOICE.example.com")]
    assert errors(compiled(*items).statuses[items[1].key]) == [("VirtualHostError", "DuplicateVhost")]


def test_a_root_where_none_may_be_takes_no_host_away() -> None:
    settings = Settings(root_namespaces=frozenset({"roots"}))
    intruder, rightful = dated("a", "2026-01-01T00:00:00Z"), dated("b", "2026-01-02T00:00:00Z", "roots")
    result = compiled(intruder, rightful, settings=settings)
    assert errors(result.statuses[intruder.key]) == [("RootNamespaceError", "RootProxyNotAllowedInNamespace")]
    assert errors(result.statuses[rightful.key]) == []
    assert result.site is not None


CLASSES = [
    ("", "", "", True),
    ("", "", "contour", True),
    ("", "", "other", False),
    ("", "annotations: {projectcontour.io/ingress.class: other}", "", False),
    ("", "annotations: {kubernetes.io/ingress.class: contour}", "other", True),
    ("", "annotations: {projectcontour.io/ingress.class: contour, kubernetes.io/ingress.class: other}", "", True),
    ("", "annotations: {projectcontour.io/ingress.class: ''}", "other", False),
    ("mine", "", "", False),
    ("mine", "", "contour", False),
    ("mine", "", "mine", True),
    ("mine", "annotations: {kubernetes.io/ingress.class: mine}", "other", True),
]


@pytest.mark.parametrize(("configured", "metadata", "field", "ours"), CLASSES)
def test_classes(configured: str, metadata: str, field: str, ours: bool) -> None:
    item = proxy(f"ingressClassName: '{field}'\nvirtualhost: {{fqdn: {HOST}}}\n{ANSWER}", metadata=metadata)
    result = compiled(item, settings=Settings(ingress_class=configured))
    assert (result.site is not None) is ours
    assert (item.key in result.statuses) is ours


def test_an_object_of_another_class_takes_no_host_away() -> None:
    other = proxy(f"ingressClassName: other\nvirtualhost: {{fqdn: {HOST}}}\n{ANSWER}", "a")
    mine = root(ANSWER, "b")
    result = compiled(other, mine)
    assert result.statuses.keys() == {mine.key}
    assert result.site is not None


def test_a_root_with_nothing_to_do() -> None:
    assert errors(status_of(root(""))) == [("SpecError", "NothingDefined")]


def test_a_child_alone_is_orphaned() -> None:
    item = proxy(ANSWER)
    status = status_of(item)
    assert status.current_status == "orphaned"
    assert errors(status) == [("Orphaned", "Orphaned")]
    assert status.description == "this HTTPProxy is not part of a delegation chain from a root HTTPProxy"


def test_a_valid_status_in_contours_words() -> None:
    status = status_of(root(ANSWER))
    condition = status.condition()
    assert (status.current_status, status.description) == ("valid", "Valid HTTPProxy")
    assert (condition.type, condition.status, condition.reason) == ("Valid", "True", "Valid")
    assert condition.message == "Valid HTTPProxy"


def test_an_invalid_status_in_contours_words() -> None:
    status = status_of(root("routes: [{}]"))
    condition = status.condition()
    assert status.current_status == "invalid"
    assert (condition.status, condition.reason) == ("False", "ErrorPresent")
    assert condition.message == status.description == "At least one error present, see Errors for details"
    (error,) = condition.errors
    assert (error.type, error.status, error.reason) == ("RouteError", "True", "RouteActionCountNotValid")


def test_every_fault_of_every_route_is_told_at_once() -> None:
    item = root("routes: [{}, {conditions: [{prefix: x}], directResponsePolicy: {statusCode: 200}}, {services: []}]")
    assert [error.message.partition(":")[0] for error in status_of(item).errors] == [
        "spec.routes[0]",
        "spec.routes[1].conditions[0].prefix",
        "spec.routes[2]",
    ]


def test_a_host_whose_routes_are_all_bad_serves_nothing() -> None:
    assert compiled(root("routes: [{}]")).site is None
