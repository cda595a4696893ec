"""includes: delegation of parts of a host, within and across namespaces."""

import pytest

from isoline.objects import HTTPProxy
from isoline.routing import ir
from isoline.routing.httpproxy.includes import MAXIMUM_INCLUDES
from isoline.routing.ir import PathKind
from unit.routing.support import HOST, compiled, errors, paths, proxy, root, secret, service, site, status_of

ANSWER = "routes: [{directResponsePolicy: {statusCode: 200}}]"


def answering(name: str, *prefixes: str, namespace: str = "default", more: str = "") -> HTTPProxy:
    lines = "".join(
        f"- {{conditions: [{{prefix: {prefix}}}], directResponsePolicy: {{statusCode: 200}}}}\n" for prefix in prefixes
    )
    return proxy(f"routes:\n{lines}{more}" if prefixes else more, name, namespace)


def test_conditions_concatenate_down_the_chain() -> None:
    parent = root("includes: [{name: b, conditions: [{prefix: /b/}, {header: {name: x, present: true}}]}]")
    middle = answering("b", "/own", more="includes: [{name: c, namespace: team, conditions: [{prefix: /c}]}]")
    leaf = proxy(
        """
        routes:
        - conditions: [{exact: /leaf}, {header: {name: z, exact: "1"}}, {queryParameter: {name: q, present: true}}]
          services: [{name: app, port: 80}]
        - services: [{name: app, port: 80}]
        """,
        "c",
        "team",
    )
    served = site(parent, middle, leaf, service("app", "team"))
    exact, own, bare = served.http
    assert exact.match.path == ir.PathMatch(kind=PathKind.EXACT, value="/b/c/leaf")
    assert [header.name for header in exact.match.headers] == ["x", "z"]
    assert len(exact.match.query) == 1
    assert (own.match.path.value, bare.match.path.value) == ("/b/own", "/b/c")
    assert own.match.headers == bare.match.headers
    assert [cluster.name.split("/")[0] for cluster in served.clusters] == ["team"]
    assert bare.name == "team/c/routes[1]"


def test_an_include_with_a_slash_and_a_child_with_a_slash() -> None:
    assert paths(site(root("includes: [{name: b, conditions: [{prefix: /root}]}]"), answering("b", "/")).http) == [
        "/root/"
    ]


@pytest.mark.parametrize(
    ("conditions", "kind", "reason"),
    [
        ("[{exact: /a}]", "IncludeError", "PathMatchConditionsNotValid"),
        ("[{regex: /a}]", "IncludeError", "PathMatchConditionsNotValid"),
        ("[{prefix: a}]", "IncludeError", "PathMatchConditionsNotValid"),
        ("[{prefix: /a}, {prefix: /b}]", "IncludeError", "PathMatchConditionsNotValid"),
        ("[{header: {name: x, regex: '('}}]", "RouteError", "HeaderMatchConditionsNotValid"),
        ("[{queryParameter: {name: x}}]", "RouteError", "QueryParameterMatchConditionsNotValid"),
    ],
)
def test_bad_conditions_of_an_include(conditions: str, kind: str, reason: str) -> None:
    parent = root(f"{ANSWER}\nincludes: [{{name: b, conditions: {conditions}}}]")
    result = compiled(parent, answering("b", "/x"))
    assert errors(result.statuses[parent.key]) == [(kind, reason)]
    assert result.statuses[parent.key].errors[0].message.startswith("spec.includes[0].conditions")
    assert result.site is not None
    # Where it can be known what the child was to take, the parent's wider route does not answer in its place.
    closed = {"exact": ["/a"], "regex": ["/a"]}.get(conditions[2:7], [])
    assert {route.match.path.value: route.action for route in result.site.http}.items() >= {
        (path, ir.Respond(status=502)) for path in closed
    }
    assert paths(result.site.http) == [*closed, "/"]


def test_a_bad_route_of_a_child_is_closed_so_that_its_parent_does_not_answer_for_it() -> None:
    parent = root(f"{ANSWER}\nincludes: [{{name: b, conditions: [{{prefix: /b}}]}}]")
    child = proxy(
        """
        routes:
        - {conditions: [{prefix: /fine}], directResponsePolicy: {statusCode: 200}}
        - {conditions: [{prefix: /none}]}
        - {conditions: [{prefix: /late}], services: [{name: a, port: 80}], timeoutPolicy: {response: soon}}
        """,
        "b",
    )
    result = compiled(parent, child, service("a"))
    assert result.site is not None
    answers = {route.match.path.value: route.action for route in result.site.http}
    closed = ir.Respond(status=503)
    fine = ir.Respond(status=200)
    assert answers == {"/b/fine": fine, "/b/none": closed, "/b/late": closed, "/": fine}
    assert [reason for _, reason in errors(result.statuses[child.key])] == [
        "RouteActionCountNotValid",
        "TimeoutPolicyNotValid",
    ]


@pytest.mark.parametrize(
    ("first", "second", "duplicate"),
    [
        ("[{prefix: /a}]", "[{prefix: /a}]", True),
        ("[{prefix: /a}]", "[{prefix: //a}]", True),
        ("[{prefix: /a}]", "[{prefix: /a/}]", False),
        ("[{prefix: /a}]", "[{prefix: /a}, {header: {name: x, present: true}}]", False),
        ("[{header: {name: x, present: true}}]", "[{header: {name: X, present: true}}]", True),
        ("[]", "[]", False),
        ("[{prefix: /}]", "[]", False),
    ],
)
def test_includes_with_the_same_conditions(first: str, second: str, duplicate: bool) -> None:
    parent = root(f"includes: [{{name: b, conditions: {first}}}, {{name: c, conditions: {second}}}]")
    result = compiled(parent, answering("b", "/b"), answering("c", "/c"))
    assert errors(result.statuses[parent.key]) == [("IncludeError", "DuplicateMatchConditions")] * duplicate
    assert result.site is not None
    # What the second was to take beyond the first goes to nobody else.
    assert [route.action for route in result.site.http].count(ir.Respond(status=502)) == duplicate
    assert len(result.site.http) == 2


def test_a_missing_child_is_a_502_in_its_place_and_missing_ones_add_up() -> None:
    parent = proxy(
        f"""
        virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}
        {ANSWER}
        includes:
        - {{name: gone, conditions: [{{prefix: /a}}]}}
        - {{name: gone, namespace: away, conditions: [{{prefix: /b}}]}}
        """
    )
    result = compiled(parent, secret())
    missing = ("IncludeError", "IncludeNotFound")
    assert errors(result.statuses[parent.key]) == [missing, missing]
    assert result.site is not None
    for routes in (result.site.http, result.site.https):
        answers = {route.match.path.value: route.action for route in routes}
        assert answers["/a"] == answers["/b"] == ir.Respond(status=502)


def test_a_root_is_no_child_not_even_its_own() -> None:
    parent = root("includes: [{name: other, conditions: [{prefix: /a}]}, {name: voice, conditions: [{prefix: /b}]}]")
    other = root(ANSWER, "other", host="other.example.com")
    result = compiled(parent, other)
    assert errors(result.statuses[parent.key]) == [("IncludeError", "RootIncludesRoot")] * 2
    assert other.key not in result.statuses
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=502)] * 2


def test_a_child_of_another_class_is_not_there() -> None:
    child = proxy(f"ingressClassName: other\n{ANSWER}", "b")
    parent = root(f"{ANSWER}\nincludes: [{{name: b, conditions: [{{prefix: /b}}]}}]")
    result = compiled(parent, child)
    assert errors(result.statuses[parent.key]) == [("IncludeError", "IncludeNotFound")]
    assert child.key not in result.statuses


def test_a_cycle_is_told_and_the_rest_serves() -> None:
    parent = root("includes: [{name: b, conditions: [{prefix: /b}]}]")
    first = answering("b", "/own", more="includes: [{name: c, conditions: [{prefix: /c}]}]")
    second = answering("c", "/own", more="includes: [{name: b, conditions: [{prefix: /again}]}]")
    result = compiled(parent, first, second)
    assert {key.name: errors(status) for key, status in result.statuses.items()} == {
        "voice": [],
        "b": [("IncludeError", "IncludeCreatesCycle")],
        "c": [],
    }
    assert "default/voice -> default/b -> default/c -> default/b" in result.statuses[first.key].errors[0].message
    assert result.site is not None
    assert paths(result.site.http) == ["/b/c/again", "/b/c/own", "/b/own"]
    assert result.site.http[0].action == ir.Respond(status=502)


def test_a_parent_stays_valid_when_its_child_is_bad() -> None:
    parent = root("includes: [{name: b, conditions: [{prefix: /b}]}]")
    child = proxy("routes: [{}, {conditions: [{prefix: /x}], directResponsePolicy: {statusCode: 200}}]", "b")
    result = compiled(parent, child)
    assert errors(result.statuses[parent.key]) == []
    assert errors(result.statuses[child.key]) == [("RouteError", "RouteActionCountNotValid")]
    assert result.site is not None
    assert [(route.match.path.value, route.action) for route in result.site.http] == [
        ("/b/x", ir.Respond(status=200)),
        ("/b", ir.Respond(status=503)),
    ]


def test_a_bad_route_of_a_parent_orphans_nobody() -> None:
    parent = root("routes: [{}]\nincludes: [{name: b}]")
    child = answering("b", "/x")
    assert errors(compiled(parent, child).statuses[child.key]) == []


def test_a_parents_route_beats_an_equal_one_that_it_included() -> None:
    parent = root("routes: [{directResponsePolicy: {statusCode: 201}}]\nincludes: [{name: b}]")
    child = proxy("routes: [{directResponsePolicy: {statusCode: 202}}]", "b")
    result = compiled(parent, child)
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=201)]
    assert result.statuses[parent.key].warnings == ()
    assert len(result.statuses[child.key].warnings) == 1


def test_a_child_that_is_included_twice_serves_twice_under_names_of_their_own() -> None:
    parent = root("includes: [{name: b, conditions: [{prefix: /1}]}, {name: b, conditions: [{prefix: /2}]}]")
    routes = site(parent, answering("b", "/x")).http
    assert paths(routes) == ["/1/x", "/2/x"]
    assert [route.name for route in routes] == ["default/b/routes[0]", "default/b/routes[0]#2"]


def test_a_tree_that_doubles_at_each_level_ends_in_an_error_and_not_in_a_standstill() -> None:
    levels = [
        answering(f"l{level}", more=f"includes: [{{name: l{level + 1}}}, {{name: l{level + 1}}}]")
        for level in range(30)
    ]
    parent = root("includes: [{name: l0}]")
    result = compiled(parent, *levels, answering("l30", "/x"))
    reasons = {error for status in result.statuses.values() for error in errors(status)}
    assert reasons == {("IncludeError", "TooManyIncludes")}
    assert result.site is None or len(result.site.http) <= MAXIMUM_INCLUDES


def test_a_chain_that_is_too_deep_is_cut() -> None:
    levels = [answering(f"l{level}", more=f"includes: [{{name: l{level + 1}}}]") for level in range(100)]
    result = compiled(root("includes: [{name: l0}]"), *levels, answering("l100", "/x"))
    assert [errors(status) for status in result.statuses.values() if status.errors] == [
        [("IncludeError", "TooManyIncludes")]
    ]


def test_status_of_a_root_with_includes_only() -> None:
    assert status_of(root("includes: [{name: b}]"), answering("b", "/x")).current_status == "valid"
