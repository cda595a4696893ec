"""includes: the routes of other HTTPProxies under more conditions, in this namespace and in others."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from isoline.objects import HTTPProxy, Key
from isoline.objects.httpproxy import Include, MatchCondition
from isoline.routing.classes import is_ours
from isoline.routing.httpproxy import conditions
from isoline.routing.httpproxy.routes import Place, add_bad_gateway, add_route
from isoline.routing.httpproxy.scope import Fault
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.traffic.effective import targets_of_object
from isoline.routing.traffic.sections import sections_of_route

MAXIMUM_INCLUDES = 2000
"""Of one host, each way to reach a child counted: two includes of the same child at each of 30 levels are a billion."""
MAXIMUM_DEPTH = 64


def add_routes(site: SiteDraft, root: HTTPProxy) -> None:
    """Add the routes of a root and of all that it includes to its host."""
    site.includes_left = MAXIMUM_INCLUDES
    _add(site, root, (), (root.key,))


def _add(site: SiteDraft, proxy: HTTPProxy, inherited: Sequence[MatchCondition], chain: tuple[Key, ...]) -> None:
    """Own routes come first, so that of equal conditions a parent's count and not those that it let in."""
    scope = site.scope_of(proxy)
    namespace = proxy.metadata.namespace
    name = f"{namespace}/{proxy.metadata.name}"
    policies = targets_of_object(proxy, reversed(chain[:-1]))
    for position, route in enumerate(proxy.spec.routes):
        field = f"routes[{position}]"
        place = Place(site, namespace, inherited, scope.at(field), f"{name}/{field}", included=len(chain) > 1)
        add_route(route, place._replace(policies=policies.with_section(sections_of_route(position, route))))
    seen: set[object] = set()
    for position, include in enumerate(proxy.spec.includes):
        field = f"includes[{position}]"
        place = Place(site, namespace, inherited, scope.at(field), f"{name}/{field}")
        try:
            _check_conditions(include.conditions, place, seen)
            child = _child(include, place)
            if child is not None:
                _descend(child, include, place, chain)
        except Fault as fault:
            scope.report.errors[fault.finding] = None


def _descend(child: HTTPProxy, include: Include, place: Place, chain: tuple[Key, ...]) -> None:
    if child.key in chain:
        path = " -> ".join(f"{key.namespace}/{key.name}" for key in (*chain, child.key))
        words = f"include creates an include cycle: {path}"
        text = f"include creates a cycle: {path}"
        place.site.scope_of(child).error("IncludeError", "IncludeCreatesCycle", text, words=words)
        _close(place, include.conditions)
        return
    if len(chain) > MAXIMUM_DEPTH or not place.site.includes_left:
        _close(place, include.conditions)
        text = f"at most {MAXIMUM_DEPTH} levels and {MAXIMUM_INCLUDES} includes are followed for one host"
        raise place.scope.fault("IncludeError", "TooManyIncludes", text)
    place.site.includes_left -= 1
    _add(place.site, child, (*place.inherited, *include.conditions), (*chain, child.key))


def _child(include: Include, place: Place) -> HTTPProxy | None:
    """The included HTTPProxy; without one, a 502 stands for it."""
    key = Key("HTTPProxy", include.namespace or place.namespace, include.name)
    child = place.site.view.get(key)
    name = f"{key.namespace}/{key.name}"
    if not isinstance(child, HTTPProxy) or not is_ours(
        child.metadata.annotations, child.spec.ingress_class_name, place.site.view.settings
    ):
        text = f"include {name} not found"
        place.scope.error("IncludeError", "IncludeNotFound", text, words=text)
    elif child.spec.virtualhost is not None:
        text = f"{name} has a virtualhost, and a root cannot be included"
        words = f"root httpproxy cannot include another root httpproxy ({name})"
        place.scope.error("IncludeError", "RootIncludesRoot", text, words=words)
    else:
        return child
    _close(place, include.conditions)
    return None


def _close(place: Place, own: Sequence[MatchCondition]) -> None:
    """Where an include leads nowhere, a 502 answers: a wider route, of another app, must not."""
    # Conditions that cannot be are reported by who checks them, and take no request.
    with suppress(Fault):
        add_bad_gateway(place, own)


def _as_prefix(condition: MatchCondition) -> MatchCondition:
    """What an exact path of an include may have been meant for: it and all below it."""
    if not condition.exact:
        return condition
    return msgspec.structs.replace(condition, exact=None, prefix=condition.exact)


def _check_conditions(own: Sequence[MatchCondition], place: Place, seen: set[object]) -> None:
    scope = place.scope
    for position, condition in enumerate(own):
        for name in ("exact", "regex"):
            if getattr(condition, name):
                _close(place, [_as_prefix(each) for each in own])
                text = "an include can have a prefix only"
                words = f"include: {name} conditions are not allowed in includes block"
                raise scope.at(f"conditions[{position}].{name}").fault(
                    "IncludeError", "PathMatchConditionsNotValid", text, words=words
                )
    conditions.check_path(own, scope, kind="IncludeError")
    headers = conditions.header_matches((), own, scope)
    query = conditions.query_matches((), own, scope)
    prefix = conditions.merged_prefix(own) or "/"
    identity = (prefix, frozenset(headers), frozenset(query))
    # Many trees include several children under a bare slash, and Contour lets them.
    if identity in seen and identity != ("/", frozenset(), frozenset()):
        _close(place, own)
        text = "an include before this one has the same conditions"
        words = "duplicate conditions defined on an include"
        raise scope.fault("IncludeError", "DuplicateMatchConditions", text, words=words)
    seen.add(identity)
