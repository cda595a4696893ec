"""internalRedirectPolicy: what is read and what is refused."""

import pytest

from isoline.routing import ir
from unit.routing.support import compiled, errors, paths, root, service, site

ROUTE = "{conditions: [{prefix: /x}], services: [{name: app, port: 80}], internalRedirectPolicy: %}"
ALL = "{services: [{name: app, port: 80}]}"


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("{}", ir.FollowRedirects()),
        ("{maxInternalRedirects: 0}", ir.FollowRedirects(most=0)),
        ("{allowCrossSchemeRedirect: Never}", ir.FollowRedirects()),
        ("{allowCrossSchemeRedirect: SafeOnly}", ir.FollowRedirects(schemes="safe")),
        (
            """{maxInternalRedirects: 5, redirectResponseCodes: [301, 308], allowCrossSchemeRedirect: Always,
            denyRepeatedRouteRedirect: true}""",
            ir.FollowRedirects(most=5, status_codes=(301, 308), schemes="any", same_route_once=True),
        ),
    ],
)
def test_what_is_followed(policy: str, wanted: ir.FollowRedirects) -> None:
    routes = site(root(f"routes: [{ROUTE.replace('%', policy)}, {ALL}]"), service()).http
    found = [route.action.follow_redirects for route in routes if isinstance(route.action, ir.Forward)]
    assert found == [wanted, None]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{maxInternalRedirects: -1}", "maxInternalRedirects"),
        ("{redirectResponseCodes: [302, 304]}", "redirectResponseCodes[1]"),
        ("{allowCrossSchemeRedirect: Sometimes}", "allowCrossSchemeRedirect"),
    ],
)
def test_what_the_schema_refuses(policy: str, field: str) -> None:
    item = root(f"routes: [{ROUTE.replace('%', policy)}, {ALL}]")
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("RouteError", "InternalRedirectPolicyNotValid")]
    message = result.statuses[item.key].errors[0].message
    assert message.startswith(f"spec.routes[0].internalRedirectPolicy.{field}: ")
    assert result.site is not None
    assert paths(result.site.http) == ["/"]
