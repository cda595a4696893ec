"""Prefix rewrites, and the two forms of a prefix."""

import pytest

from isoline.routing import ir
from unit.routing.support import compiled, errors, root, service, site, status_of


def rewritten(*routes: tuple[str, str]) -> dict[str, str | None]:
    """What each path in order is rewritten to, for routes of a prefix and the entries of `replacePrefix`."""
    lines = "".join(
        f"- {{conditions: [{{prefix: {prefix}}}], services: [{{name: app, port: 80}}], "
        f"pathRewritePolicy: {{replacePrefix: [{entries}]}}}}\n"
        for prefix, entries in routes
    )
    result: dict[str, str | None] = {}
    for route in site(root(f"routes:\n{lines}"), service()).http:
        assert isinstance(route.action, ir.Forward)
        result[route.match.path.value] = route.action.prefix_rewrite
    return result


@pytest.mark.parametrize(
    ("prefix", "replacement", "wanted"),
    [
        ("/foo", "/bar", {"/foo/": "/bar/", "/foo": "/bar"}),
        ("/foo/", "/bar", {"/foo/": "/bar/", "/foo": "/bar"}),
        ("/foo", "/bar/", {"/foo/": "/bar/", "/foo": "/bar"}),
        ("/foo", "/", {"/foo/": "/", "/foo": "/"}),
        ("/", "/inner", {"/": "/inner"}),
    ],
)
def test_both_forms_of_a_prefix(prefix: str, replacement: str, wanted: dict[str, str]) -> None:
    assert rewritten((prefix, f"{{replacement: {replacement}}}")) == wanted


def test_a_form_that_somebody_routes_is_theirs() -> None:
    wanted = {"/foo/": "/b", "/foo": "/a"}
    assert rewritten(("/foo", "{replacement: /a}"), ("/foo/", "{replacement: /b}")) == wanted
    assert rewritten(("/foo", "{replacement: /a}"), ("/foo/", "")) == {"/foo/": None, "/foo": "/a"}


def test_the_entry_for_the_prefix_wins() -> None:
    entries = "{replacement: /other}, {prefix: /foo, replacement: /mine}"
    assert rewritten(("/foo", entries))["/foo"] == "/mine"
    assert rewritten(("/fool", entries))["/fool"] == "/other"
    assert rewritten(("/fool", "{prefix: /foo, replacement: /mine}")) == {"/fool": None}


def test_routes_that_differ_in_headers_get_both_forms_each() -> None:
    item = root(
        """
        routes:
        - conditions: [{prefix: /foo}, {header: {name: x, present: true}}]
          services: [{name: app, port: 80}]
          pathRewritePolicy: {replacePrefix: [{replacement: /}]}
        - conditions: [{prefix: /foo}]
          services: [{name: app, port: 80}]
          pathRewritePolicy: {replacePrefix: [{replacement: /}]}
        """
    )
    routes = site(item, service()).http
    assert [(route.match.path.value, len(route.match.headers)) for route in routes] == [
        ("/foo/", 1),
        ("/foo/", 0),
        ("/foo", 1),
        ("/foo", 0),
    ]
    assert len({route.name for route in routes}) == len(routes)


@pytest.mark.parametrize(
    ("condition", "entries", "reason"),
    [
        ("exact: /a", "{replacement: /b}", "MustHavePrefix"),
        ("regex: /a", "{replacement: /b}", "MustHavePrefix"),
        ("prefix: /a", "{prefix: /a, replacement: /b}, {prefix: /a, replacement: /c}", "DuplicateReplacement"),
        ("prefix: /a", "{replacement: /b}, {replacement: /c}", "AmbiguousReplacement"),
        ("prefix: /a", '{replacement: "/b\\n"}', "InvalidReplacement"),
    ],
)
def test_bad_rewrites(condition: str, entries: str, reason: str) -> None:
    item = root(
        f"routes: [{{conditions: [{{{condition}}}], services: [{{name: app, port: 80}}], "
        f"pathRewritePolicy: {{replacePrefix: [{entries}]}}}}]"
    )
    assert errors(status_of(item, service())) == [("PrefixReplaceError", reason)]
    assert compiled(item, service()).site is None
