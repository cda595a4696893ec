"""What applying objects would change: the objects, what Apps make of them, and the routes that come out of it."""

import difflib
from collections.abc import Sequence

from isoline.apps import expand, faults, profile_of
from isoline.cluster.store import Store
from isoline.console.changes import changes_of
from isoline.console.context import Console
from isoline.console.plain import comparable
from isoline.console.routes import rows_of
from isoline.console.wire import Difference, ObjectDifference, Reference, RouteDifference
from isoline.objects import App, Key, Object
from isoline.objects.encoding import to_yaml
from isoline.routing.admission import review
from isoline.routing.compiler import compile_site
from isoline.routing.ir import Site
from isoline.routing.view import View

_EXPANDED = frozenset(
    {"Deployment", "Service", "PersistentVolumeClaim", "NetworkPolicy", "HTTPProxy", "TrafficPolicy"}
    | {"PodDisruptionBudget", "Certificate", "ServiceMonitor"}
)
"""What an App stands for."""


async def difference(console: Console, objects: Sequence[Object]) -> Difference:
    """Compares what is with what would be. Nothing is changed by it."""
    store = console.source.store
    results = await console.source.apply(objects, dry_run=True)
    refused = {result.key: result.note for result in results if result.action == "refused"}
    put = {item.key: item for item in objects if item.key not in refused}
    gone: set[Key] = set()
    for app in [item for item in put.values() if isinstance(item, App)]:
        children = await _children_of(app, console)
        gone |= _known_children(store, app) - children.keys()
        put = children | put
    told = [ObjectDifference(key=Reference(*key), action="refused", note=note) for key, note in sorted(refused.items())]
    told += [_object_difference(key, store.get(key), item) for key, item in put.items()]
    told += [_object_difference(key, store.get(key), None) for key in sorted(gone)]
    changes = changes_of(store, put, gone)
    foresight = console.foresee(changes)
    routes: list[RouteDifference] = []
    for host, after in sorted(foresight.sites.items()):
        routes += _route_difference(host, compile_site(host, View(store, console.settings())).site, after)
    found = review(foresight.previews, put)
    return Difference(
        objects=told,
        routes=routes,
        problems=[str(each) for each in (*found.refused, *found.awaited)],
        harmed=[str(each) for each in found.harmed],
    )


async def _children_of(app: App, console: Console) -> dict[Key, Object]:
    if faults(app, console.catalog, console.target):
        return {}
    current = console.source.store.get(app.key)
    if current is not None:
        # What an App owns names it by this.
        app = app.with_metadata(uid=current.metadata.uid)
    profile = profile_of(app, console.catalog)
    children = expand(app, profile, console.target, console.offered())
    if console.rehearse is not None:
        children = [await console.rehearse(child) for child in children]
    return {child.key: child for child in children}


def _known_children(store: Store, app: App) -> set[Key]:
    current = store.get(app.key)
    if current is None:
        return set()
    return {
        item.key
        for kind in store.kinds()
        for item in store.of_kind(kind, app.metadata.namespace)
        if any(owner.controller and owner.uid == current.metadata.uid for owner in item.metadata.owner_references)
        # What other controllers made for it, such as certificates, is not the App's to take away.
        and kind in _EXPANDED
    }


def _object_difference(key: Key, old: Object | None, new: Object | None) -> ObjectDifference:
    before = _lines(old)
    after = _lines(new)
    if old is None:
        return ObjectDifference(key=Reference(*key), action="added", lines=[f"+{line}" for line in after])
    if new is None:
        return ObjectDifference(key=Reference(*key), action="removed", lines=[f"-{line}" for line in before])
    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return ObjectDifference(key=Reference(*key), action="changed" if lines else "unchanged", lines=lines)


def _lines(item: Object | None) -> list[str]:
    return [] if item is None else to_yaml(comparable(item)).splitlines()


def _route_difference(host: str, before: Site | None, after: Site | None) -> list[RouteDifference]:
    if before == after:
        return []
    old, new = [str(row) for row in rows_of(before)], [str(row) for row in rows_of(after)]
    lines = [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
    if before is None:
        return [RouteDifference(host=host, action="added", lines=lines)]
    if after is None:
        return [RouteDifference(host=host, action="removed", lines=lines)]
    return [RouteDifference(host=host, action="changed", lines=lines)]
