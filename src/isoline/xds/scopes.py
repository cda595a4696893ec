"""Scopes that turn to other routes, without a moment in which the site has none.

Envoy asks for routes when some scope names them, and turns a scope before they are there: its requests get 404 until
then. So another scope, whose key no request has, names them first, and the one that turns waits.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from envoy.config.route.v3 import scoped_route_pb2

from isoline.xds import names, types
from isoline.xds.messages import as_resource
from isoline.xds.resources import Name, Resource


class Turning(NamedTuple):
    """The scopes of a site, as far as their next turn depends on them."""

    routes: Mapping[Name, str]
    """The name of the routes of each."""
    ahead: frozenset[str]
    """The routes that are named ahead."""


NO_SCOPES = Turning({}, frozenset())


def scope(name: str, routes: str) -> Resource:
    """The scope whose key is its name."""
    message = scoped_route_pb2.ScopedRouteConfiguration(name=name, route_configuration_name=routes)
    message.key.fragments.add(string_key=name)
    return as_resource(types.SCOPE, name, message)


def turned(rendered: Iterable[Resource], before: Turning) -> tuple[list[Resource], Turning]:
    """Return the resources of a site such that no scope which it had before turns too early, and what to pass on.

    What is named ahead stays so as long as the site uses it.
    """
    resources = list(rendered)
    routes = {each.name: _routes_of(each) for each in resources if each.name.type_url == types.SCOPE}
    turning = {name for scope, name in routes.items() if before.routes.get(scope, name) != name}
    ahead = frozenset(turning | (before.ahead & set(routes.values())))
    if ahead:
        resources = [
            each._replace(needs=_needs(name)) if (name := routes.get(each.name)) in ahead else each
            for each in resources
        ]
        resources += [scope(names.ahead(name), name) for name in sorted(ahead)]
    return resources, Turning(routes, ahead)


def _needs(routes: str) -> tuple[Name, ...]:
    """The scope, too: that there are routes counts only while something names them."""
    return Name(types.SCOPE, names.ahead(routes)), Name(types.ROUTES, routes)


def _routes_of(resource: Resource) -> str:
    name: str = scoped_route_pb2.ScopedRouteConfiguration.FromString(resource.body).route_configuration_name
    return name
