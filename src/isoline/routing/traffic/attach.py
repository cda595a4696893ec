"""What the policies of a route change about it and about its clusters."""

from collections.abc import Iterable

import msgspec

from isoline.routing import clusters as naming
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Fault
from isoline.routing.traffic.effective import Settings
from isoline.routing.traffic.fields import CLUSTERS, FILTERS, FORWARDING, Field
from isoline.routing.traffic.place import place_of
from isoline.routing.view import View

UNAVAILABLE = ir.Respond(status=503)


def with_policies(route: ir.Route, settings: Settings, view: View, clusters: dict[str, ir.Cluster]) -> ir.Route:
    """Return the route as its policies want it. Clusters that they need are added to `clusters`.

    A setting that cannot be followed is left out (its policy's status says why), unless it was to keep somebody away:
    then the route answers 503.
    """
    if not settings or isinstance(route.action, ir.HttpsRedirect):
        return route
    words: dict[str, object] = {}
    action = route.action
    try:
        for field in FILTERS:
            if (word := _word(field, settings, view, clusters)) is not None:
                words[field.name] = word
        if isinstance(action, ir.Forward):
            for field, apply in FORWARDING:
                if (word := _word(field, settings, view, clusters)) is not None:
                    action = apply(action, word)
    except Fault:
        return msgspec.structs.replace(route, action=UNAVAILABLE)
    if words.pop("any_credential", False):
        words["alternatives"] = _alternatives(settings)
    traffic = ir.Traffic(**words) if words else None  # type: ignore[arg-type]
    return msgspec.structs.replace(route, action=action, traffic=traffic)


def _alternatives(settings: Settings) -> tuple[str, ...]:
    """The ways in of the policy that says that one is enough. Those of others are demanded besides."""
    policy = settings["any_credential"].policy
    return tuple(name for name in ir.WAYS_IN if name in settings and settings[name].policy is policy)


def cluster_with_policies(cluster: ir.Cluster, settings: Settings, view: View) -> ir.Cluster:
    """Return the cluster as the policies want it, with the name that it has then."""
    if not settings:
        return cluster
    changed = cluster
    for field, apply in CLUSTERS:
        if (word := _word(field, settings, view, {})) is not None:
            changed = apply(changed, word)
    return cluster if changed is cluster else naming.named(changed, cluster.name.rpartition("/")[0])


def _word(field: Field, settings: Settings, view: View, clusters: dict[str, ir.Cluster]) -> object | None:
    setting = settings.get(field.name)
    if setting is None:
        return None
    try:
        word: object = field.compile(setting.value, place_of(setting, view, clusters))
    except Fault:
        if field.guards:
            raise
        return None
    return word


def shared(site: ir.Site) -> ir.Site:
    """Return the site with what most of its routes ask for said once, of the whole site.

    So a limit of the object is one limit, not one for each of its routes.
    """
    routes = (*site.http, *site.https)
    asked: dict[ir.Traffic, int] = {}
    for route in routes:
        if route.traffic is not None:
            asked[route.traffic] = asked.get(route.traffic, 0) + 1
    if not asked:
        return site
    common = max(asked, key=asked.__getitem__)
    return msgspec.structs.replace(
        site, traffic=common, http=_without(site.http, common), https=_without(site.https, common)
    )


def _without(routes: Iterable[ir.Route], common: ir.Traffic) -> tuple[ir.Route, ...]:
    return tuple(_but_for(route, common) for route in routes)


def _but_for(route: ir.Route, common: ir.Traffic) -> ir.Route:
    if isinstance(route.action, ir.HttpsRedirect):
        return route
    own = None if route.traffic == common else route.traffic or ir.Traffic()
    return route if own == route.traffic else msgspec.structs.replace(route, traffic=own)
