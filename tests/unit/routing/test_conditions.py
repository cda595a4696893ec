"""What requests a route matches."""

import pytest

from isoline.routing import ir
from isoline.routing.ir import PathKind, ValueKind
from unit.routing.support import compiled, errors, objects, proxy, root, service, site, status_of


def route_of(conditions: str) -> ir.Route:
    (route,) = site(
        root(f"routes: [{{conditions: {conditions}, services: [{{name: app, port: 80}}]}}]"), service()
    ).http
    return route


@pytest.mark.parametrize(
    ("conditions", "kind", "value"),
    [
        ("[]", PathKind.PREFIX, "/"),
        ("[{prefix: /}]", PathKind.PREFIX, "/"),
        ("[{prefix: /foo}]", PathKind.PREFIX, "/foo"),
        ("[{prefix: //foo///bar}]", PathKind.PREFIX, "/foo/bar"),
        ("[{exact: /foo}]", PathKind.EXACT, "/foo"),
        ("[{exact: /foo}, {header: {name: x, present: true}}]", PathKind.EXACT, "/foo"),
        ("[{header: {name: x, present: true}}]", PathKind.PREFIX, "/"),
        ("[{regex: '/v[0-9]+/.*'}]", PathKind.REGEX, "/v[0-9]+/.*"),
    ],
)
def test_path(conditions: str, kind: PathKind, value: str) -> None:
    assert route_of(conditions).match.path == ir.PathMatch(kind=kind, value=value)


@pytest.mark.parametrize(
    ("header", "match"),
    [
        ("present: true", ir.HeaderMatch(name="x-a", kind=ValueKind.PRESENT)),
        ("notpresent: true", ir.HeaderMatch(name="x-a", kind=ValueKind.PRESENT, invert=True)),
        ("contains: b", ir.HeaderMatch(name="x-a", kind=ValueKind.CONTAINS, value="b")),
        (
            "contains: b, ignoreCase: true",
            ir.HeaderMatch(name="x-a", kind=ValueKind.CONTAINS, value="b", ignore_case=True),
        ),
        ("notcontains: b", ir.HeaderMatch(name="x-a", kind=ValueKind.CONTAINS, value="b", invert=True)),
        ("exact: b", ir.HeaderMatch(name="x-a", kind=ValueKind.EXACT, value="b")),
        (
            "notexact: b, treatMissingAsEmpty: true",
            ir.HeaderMatch(name="x-a", kind=ValueKind.EXACT, value="b", invert=True, missing_as_empty=True),
        ),
        ("regex: '^b+$'", ir.HeaderMatch(name="x-a", kind=ValueKind.REGEX, value="^b+$")),
    ],
)
def test_header(header: str, match: ir.HeaderMatch) -> None:
    assert route_of(f"[{{header: {{name: X-A, {header}}}}}]").match.headers == (match,)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "names no kind of match"),
        ("present: true, exact: b", "only present counts, exact does not"),
        ("regex: b, ignoreCase: true", "header.ignoreCase: does not count with regex"),
        ("exact: b, treatMissingAsEmpty: true", "header.treatMissingAsEmpty: does not count with exact"),
    ],
)
def test_a_header_condition_that_does_not_mean_what_it_says_is_told(header: str, told: str) -> None:
    item = root(f"routes: [{{conditions: [{{header: {{name: x, {header}}}}}], services: [{{name: app, port: 80}}]}}]")
    status = status_of(item, service())
    assert status.current_status == "valid"
    (warning,) = status.warnings
    assert (warning.type, warning.reason) == ("RouteError", "IgnoredField")
    assert told in warning.message
    assert warning.message.startswith("spec.routes[0].conditions[0].header")


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("exact: b", ir.QueryMatch(name="a", kind=ValueKind.EXACT, value="b")),
        ("prefix: b, ignoreCase: true", ir.QueryMatch(name="a", kind=ValueKind.PREFIX, value="b", ignore_case=True)),
        ("suffix: b", ir.QueryMatch(name="a", kind=ValueKind.SUFFIX, value="b")),
        ("regex: b+", ir.QueryMatch(name="a", kind=ValueKind.REGEX, value="b+")),
        ("contains: b", ir.QueryMatch(name="a", kind=ValueKind.CONTAINS, value="b")),
        ("present: true", ir.QueryMatch(name="a", kind=ValueKind.PRESENT)),
    ],
)
def test_query(query: str, match: ir.QueryMatch) -> None:
    assert route_of(f"[{{queryParameter: {{name: a, {query}}}}}]").match.query == (match,)


PATH, HEADER, QUERY = (f"{name}ConditionsNotValid" for name in ("PathMatch", "HeaderMatch", "QueryParameterMatch"))


@pytest.mark.parametrize(
    ("conditions", "reason", "field"),
    [
        ("[{prefix: foo}]", PATH, "conditions[0].prefix"),
        ("[{exact: foo}]", PATH, "conditions[0].exact"),
        ("[{regex: foo}]", PATH, "conditions[0].regex"),
        ("[{regex: '/(['}]", PATH, "conditions[0].regex"),
        ("[{regex: '/(a{1000}){1000}'}]", PATH, "conditions[0].regex"),
        ("[{prefix: /a}, {exact: /b}]", PATH, "conditions"),
        ("[{prefix: /a}, {prefix: /b}]", PATH, "conditions"),
        ("[{header: {name: 'a b', present: true}}]", HEADER, "conditions[0].header"),
        ("[{header: {name: a, regex: '['}}]", HEADER, "conditions[0].header.regex"),
        ("[{header: {name: a, exact: x}}, {header: {name: A, exact: z}}]", HEADER, "conditions[1].header"),
        ("[{header: {name: a, present: true}}, {header: {name: a, notpresent: true}}]", HEADER, "conditions[1].header"),
        ("[{header: {name: a, exact: x}}, {header: {name: a, notexact: x}}]", HEADER, "conditions[1].header"),
        ("[{header: {name: a, notcontains: x}}, {header: {name: a, contains: x}}]", HEADER, "conditions[1].header"),
        ("[{queryParameter: {name: a}}]", QUERY, "conditions[0].queryParameter"),
        ("[{queryParameter: {name: a, exact: x, prefix: z}}]", QUERY, "conditions[0].queryParameter"),
        (f"[{{queryParameter: {{name: {'a' * 1025}, present: true}}}}]", QUERY, "conditions[0].queryParameter.name"),
        ("[{queryParameter: {name: a, regex: '('}}]", QUERY, "conditions[0].queryParameter.regex"),
        ("[{queryParameter: {name: a, exact: x}}, {queryParameter: {name: A, exact: z}}]", QUERY, "conditions[1]"),
    ],
)
def test_impossible_conditions_take_out_their_route_alone(conditions: str, reason: str, field: str) -> None:
    item = root(
        f"""
        routes:
        - {{conditions: {conditions}, services: [{{name: app, port: 80}}]}}
        - {{conditions: [{{prefix: /good}}], services: [{{name: app, port: 80}}]}}
        """
    )
    result = compiled(item, service())
    status = result.statuses[item.key]
    assert status.current_status == "invalid"
    assert errors(status) == [("RouteError", reason)]
    assert status.errors[0].message.startswith(f"spec.routes[0].{field}")
    assert result.site is not None
    assert [route.match.path.value for route in result.site.http] == ["/good"]


def test_order_of_routes() -> None:
    lines = [
        "{prefix: /}",
        "{prefix: /long/prefix}",
        "{regex: '/a.*'}",
        "{regex: '/abc.*'}",
        "{exact: /a}",
        "{exact: /ab}",
        "{prefix: /same}",
        "{prefix: /same}, {queryParameter: {name: q, present: true}}",
        "{prefix: /same}, {header: {name: h, present: true}}",
        "{prefix: /same}, {header: {name: h, present: true}}, {header: {name: i, present: true}}",
        "{prefix: /same}, {header: {name: j, present: true}}",
    ]
    routes = "\n".join(f"- {{conditions: [{line}], services: [{{name: app, port: 80}}]}}" for line in lines)
    tried = [route.name.rpartition("/")[2] for route in site(root(f"routes:\n{routes}"), service()).http]
    wanted = [5, 4, 3, 2, 1, 9, 8, 10, 7, 6, 0]
    assert tried == [f"routes[{position}]" for position in wanted]


def test_of_equal_conditions_the_first_counts_and_the_second_is_told() -> None:
    item = root(
        """
        routes:
        - conditions: [{prefix: /a}, {header: {name: X, exact: "1"}}, {header: {name: z, present: true}}]
          directResponsePolicy: {statusCode: 200, body: first}
        - conditions: [{header: {name: z, present: true}}, {prefix: //a}, {header: {name: x, exact: "1"}}]
          directResponsePolicy: {statusCode: 200, body: second}
        """
    )
    result = compiled(item)
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=200, body="first")]
    status = result.statuses[item.key]
    assert status.current_status == "valid"
    assert [warning.reason for warning in status.warnings] == ["IgnoredField"]
    assert "routes[1]" in status.warnings[0].message
    assert "routes[0]" in status.warnings[0].message


def test_a_regex_stays_below_the_prefix_of_its_include() -> None:
    items = objects(
        """
        apiVersion: projectcontour.io/v1
        kind: HTTPProxy
        metadata: {name: child}
        spec:
          routes:
          - conditions: [{regex: /x|/y}]
            directResponsePolicy: {statusCode: 200}
        """
    )
    parent = root("includes: [{name: child, conditions: [{prefix: /v1.0/}]}]")
    (route,) = site(parent, *items).http
    assert route.match.path == ir.PathMatch(kind=PathKind.REGEX, value=r"\/v1\.0(?:/x|/y)")


def test_conditions_clash_across_an_include_where_the_route_is() -> None:
    child = proxy(
        "routes: [{conditions: [{header: {name: a, exact: x}}], directResponsePolicy: {statusCode: 200}}]", "child"
    )
    parent = root("includes: [{name: child, conditions: [{prefix: /c}, {header: {name: A, exact: z}}]}]")
    statuses = compiled(parent, child).statuses
    assert statuses[parent.key].current_status == "valid"
    assert errors(statuses[child.key]) == [("RouteError", HEADER)]
