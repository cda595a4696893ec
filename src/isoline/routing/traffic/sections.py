"""How a policy names one route of an object: by where it stands, or by its own path condition."""

from collections.abc import Iterator

from isoline.objects import HTTPProxy, Ingress, Object
from isoline.objects.httpproxy import Route
from isoline.objects.networking import HTTPIngressPath


def sections_of_route(position: int, route: Route) -> frozenset[str]:
    """Return the names of a route of an HTTPProxy. What its includes add to its path does not count."""
    path = next((each.exact or each.regex or each.prefix for each in route.conditions if _has_path(each)), None)
    return frozenset({f"routes[{position}]", path or "/"})


def sections_of_path(rule: int, position: int, path: HTTPIngressPath) -> frozenset[str]:
    """Return the names of a path of an Ingress."""
    return frozenset({f"rules[{rule}].http.paths[{position}]", path.path or "/"})


DEFAULT_BACKEND = frozenset({"defaultBackend"})


def sections_of(item: Object) -> Iterator[str]:
    """Yield every name of a route that an object has."""
    if isinstance(item, HTTPProxy):
        for position, route in enumerate(item.spec.routes):
            yield from sections_of_route(position, route)
    elif isinstance(item, Ingress):
        for at, rule in enumerate(item.spec.rules):
            for position, path in enumerate(rule.http.paths if rule.http is not None else ()):
                yield from sections_of_path(at, position, path)
        if item.spec.default_backend is not None:
            yield from DEFAULT_BACKEND


def _has_path(condition: object) -> bool:
    return any(getattr(condition, name) for name in ("prefix", "exact", "regex"))
