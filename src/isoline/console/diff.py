"""What applying objects would change: the objects, what Apps make of them, and the routes that come out of it."""

import difflib
from collections.abc import Sequence

from isoline.apps import Catalog, Target, expand, faults, profile_of
from isoline.cluster.store import Change, Store
from isoline.console.changes import changes_of
from isoline.console.context import Console
from isoline.console.plain import comparable
from isoline.console.routes import rows_of
from isoline.console.wire import Difference, ObjectDifference, Reference, RouteDifference
from isoline.objects import App, Key, Object
from isoline.objects.encoding import to_yaml
from isoline.routing.admission import review
from isoline.routing.compiler import Compiled, compile_site
from isoline.routing.overlay import Overlay
from isoline.routing.view import View


async def difference(console: Console, objects: Sequence[Object]) -> Difference:
    """Compares what is with what would be. Nothing is changed by it."""
    store = console.source.store
    results = await console.source.apply(objects, dry_run=True)
    refused = {result.key: result.note for result in results if result.action == "refused"}
    put = {item.key: item for item in objects if item.key not in refused}
    gone: set[Key] = set()
    for app in [item for item in put.values() if isinstance(item, App)]:
        children = _children_of(app, console.catalog)
        gone |= _known_children(store, app) - children.keys()
        put = children | put
    told = [ObjectDifference(key=Reference(*key), action="refused", note=note) for key, note in sorted(refused.items())]
    told += [_object_difference(key, store.get(key), item) for key, item in put.items()]
    told += [_object_difference(key, store.get(key), None) for key in sorted(gone)]
    changes = changes_of(store, put, gone)
    overlay = Overlay(store, changes)
    routes: list[RouteDifference] = []
    for host in sorted(_hosts(console, overlay, changes)):
        before = compile_site(host, View(store, console.settings()))
        after = compile_site(host, View(overlay, console.settings()))
        routes += _route_difference(host, before, after)
    found = review(console.preview(changes), put)
    return Difference(
        objects=told,
        routes=routes,
        problems=[str(each) for each in (*found.refused, *found.awaited)],
        harmed=[str(each) for each in found.harmed],
    )


def _children_of(app: App, catalog: Catalog) -> dict[Key, Object]:
    if faults(app, catalog, Target.MACHINE):
        return {}
    return {child.key: child for child in expand(app, profile_of(app, catalog), Target.MACHINE)}


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
        and kind in {"Deployment", "Service", "PersistentVolumeClaim", "NetworkPolicy", "HTTPProxy", "TrafficPolicy"}
    }


def _hosts(console: Console, overlay: Overlay, changes: Sequence[Change]) -> set[str]:
    return {*console.touched_hosts(changes), *overlay.hosts()}


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


def _route_difference(host: str, before: Compiled, after: Compiled) -> list[RouteDifference]:
    if before.site == after.site:
        return []
    old, new = [str(row) for row in rows_of(before.site)], [str(row) for row in rows_of(after.site)]
    lines = [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
    if before.site is None:
        return [RouteDifference(host=host, action="added", lines=lines)]
    if after.site is None:
        return [RouteDifference(host=host, action="removed", lines=lines)]
    return [RouteDifference(host=host, action="changed", lines=lines)]
