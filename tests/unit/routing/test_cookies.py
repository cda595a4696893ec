"""cookieRewritePolicies of routes and services: what is read, what wins, and what no cookie can have."""

import pytest

from isoline.routing import ir
from unit.routing.support import compiled, errors, paths, root, service, site

ALL = "{services: [{name: app, port: 80}]}"


def policies(*entries: str) -> str:
    return f"cookieRewritePolicies: [{', '.join(f'{{{entry}}}' for entry in entries)}]"


def action(route: ir.Route) -> ir.Forward:
    assert isinstance(route.action, ir.Forward)
    return route.action


def test_every_attribute_of_a_route() -> None:
    entry = "name: a, pathRewrite: {value: /new}, domainRewrite: {value: example.com}, secure: false, sameSite: Strict"
    (route,) = site(root(f"routes: [{{services: [{{name: app, port: 80}}], {policies(entry)}}}]"), service()).http
    assert route.cookies == (
        ir.CookieRewrite(name="a", path="/new", domain="example.com", secure=False, same_site="Strict"),
    )
    assert action(route).shares[0].cookies == ()


def test_of_two_for_one_cookie_the_services_counts() -> None:
    own = policies("name: a, secure: true", "name: c, sameSite: Lax")
    services = f"[{{name: app, port: 80, {own}}}, {{name: app, port: 80}}]"
    of_route = policies("name: a, pathRewrite: {value: /}", "name: b, secure: false")
    (route,) = site(root(f"routes: [{{services: {services}, {of_route}}}]"), service()).http
    assert [share.cookies for share in action(route).shares] == [
        (
            ir.CookieRewrite(name="a", secure=True),
            ir.CookieRewrite(name="b", secure=False),
            ir.CookieRewrite(name="c", same_site="Lax"),
        ),
        (),
    ]
    assert [each.name for each in route.cookies] == ["a", "b"]


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        (["name: a"], "[0]"),
        (["name: a, secure: true", "name: a, secure: false"], "[1]"),
        (["name: 'a b', secure: true"], "[0].name"),
        (["name: '', secure: true"], "[0].name"),
        (["name: a, pathRewrite: {value: '/;x'}"], "[0].pathRewrite.value"),
        (["name: a, pathRewrite: {value: ''}"], "[0].pathRewrite.value"),
        (['name: a, pathRewrite: {value: "/\\n"}'], "[0].pathRewrite.value"),
        (["name: a, domainRewrite: {value: 'x;y'}"], "[0].domainRewrite.value"),
        (["name: a, sameSite: strict"], "[0].sameSite"),
    ],
)
@pytest.mark.parametrize(
    ("place", "prefix"),
    [("services: [{name: app, port: 80}], %", ""), ("services: [{name: app, port: 80, %}]", ".services[0]")],
)
def test_faults_of_both_are_the_routes(entries: list[str], field: str, place: str, prefix: str) -> None:
    route = f"{{conditions: [{{prefix: /x}}], {place.replace('%', policies(*entries))}}}"
    item = root(f"routes: [{route}, {ALL}]")
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("RouteError", "CookieRewritePoliciesInvalid")]
    message = result.statuses[item.key].errors[0].message
    assert message.startswith(f"spec.routes[0]{prefix}.cookieRewritePolicies{field}: ")
    assert result.site is not None
    assert paths(result.site.http) == ["/"]
