"""Everything that is known of one object, in the order in which a person asks for it."""

from collections.abc import Iterable, Iterator

from isoline.cluster.store import Store
from isoline.console.certificates import certificate_of, now
from isoline.console.context import Console
from isoline.console.endpoints import Service, endpoints_section, service_of
from isoline.console.routes import rows_of
from isoline.console.summaries import summary_rows
from isoline.console.wire import Description, Reference, Section
from isoline.envoy.admin import AdminError
from isoline.objects import Deployment, HTTPProxy, Key, Object, Secret
from isoline.objects import Service as ServiceObject
from isoline.objects.httpproxy import DetailedCondition
from isoline.routing import ir
from isoline.routing.compiler import compile_site
from isoline.routing.indexes import host_of
from isoline.routing.view import View


async def describe(console: Console, key: Key) -> Description | None:
    """Sections of an object; None when there is none of that key."""
    store = console.source.store
    item = store.get(key)
    if item is None:
        return None
    children = _children(store, item)
    proxies = [each for each in (item, *children) if isinstance(each, HTTPProxy) and each.spec.virtualhost is not None]
    compiled = {host: compile_site(host, View(store, console.settings())).site for host in map(host_of, proxies)}
    sites = {host: site for host, site in compiled.items() if site is not None}
    sections = [
        Section(title="", rows=_head(item)),
        Section(title=item.kind, rows=summary_rows(item)),
        _conditions(item),
        _findings([item, *(each for each in proxies if each is not item)]),
        _routes(sites),
        await _endpoints(console, item, children, sites.values()),
        _certificates(store, item, sites),
        _owned(children),
        _events(console, [key, *(child.key for child in children)]),
    ]
    kept = [section for section in sections if section.rows or section.note]
    return Description(key=Reference(*key), sections=kept)


def _head(item: Object) -> list[list[str]]:
    metadata = item.metadata
    rows = [["Name", metadata.name]]
    if metadata.namespace:
        rows.append(["Namespace", metadata.namespace])
    rows.append(["Created", metadata.creation_timestamp or ""])
    rows.append(["Generation", str(metadata.generation)])
    rows += [
        ["Label" if at == 0 else "", f"{name}={value}"] for at, (name, value) in enumerate(metadata.labels.items())
    ]
    for at, (name, value) in enumerate(metadata.annotations.items()):
        rows.append(["Annotation" if at == 0 else "", f"{name}={value}"])
    rows += [["Owner", f"{owner.kind} {owner.name}"] for owner in metadata.owner_references]
    return rows


def _children(store: Store, item: Object) -> list[Object]:
    uid = item.metadata.uid
    return [
        child
        for kind in store.kinds()
        for child in store.of_kind(kind, item.metadata.namespace or None)
        if any(owner.uid == uid for owner in child.metadata.owner_references)
    ]


def _conditions(item: Object) -> Section:
    conditions = getattr(getattr(item, "status", None), "conditions", ())
    rows = [
        [each.type, each.status, each.reason, each.message, getattr(each, "last_transition_time", None) or ""]
        for each in conditions
    ]
    return Section(title="Conditions", columns=["Type", "Status", "Reason", "Message", "Since"], rows=rows)


def _findings(items: Iterable[Object]) -> Section:
    rows: list[list[str]] = []
    for item in items:
        for condition in getattr(getattr(item, "status", None), "conditions", ()):
            if not isinstance(condition, DetailedCondition):
                continue
            for word, found in (("error", condition.errors), ("warning", condition.warnings)):
                rows += [[str(item.key), word, each.type, each.reason, each.message] for each in found]
    return Section(title="Errors and warnings", columns=["Object", "Severity", "Type", "Reason", "Message"], rows=rows)


def _routes(sites: dict[str, ir.Site]) -> Section:
    rows = [[host, *row] for host, site in sites.items() for row in rows_of(site)]
    return Section(title="Routes", columns=["Host", "Scheme", "Match", "Goes to", "With"], rows=rows)


async def _endpoints(console: Console, item: Object, children: list[Object], sites: Iterable[ir.Site]) -> Section:
    store = console.source.store
    services = [service_of(cluster.endpoints) for site in sites for cluster in site.clusters if cluster.dns is None]
    if not services:
        services = [Service(each.namespace, each.name) for each in _services(store, item, children)]
    if not services:
        return Section(title="Endpoints")
    try:
        clusters = await console.traffic.clusters()
    except AdminError as error:
        return endpoints_section(store, services, None, complaint=f"Envoy cannot be asked: {error}")
    return endpoints_section(store, services, clusters)


def _services(store: Store, item: Object, children: list[Object]) -> Iterator[Key]:
    """The Services that are this object, belong to it, or select its replicas."""
    yield from (each.key for each in (item, *children) if isinstance(each, ServiceObject))
    if isinstance(item, Deployment):
        labels = item.spec.template.metadata.labels.items()
        for service in store.of_kind("Service", item.metadata.namespace):
            if isinstance(service, ServiceObject) and service.spec.selector and service.spec.selector.items() <= labels:
                yield service.key


def _certificates(store: Store, item: Object, sites: dict[str, ir.Site]) -> Section:
    names = {site.tls.certificate: host for host, site in sites.items() if site.tls is not None}
    rows: list[list[str]] = []
    secrets: list[tuple[str, Object | None]] = [
        (name, store.get(Key("Secret", *name.split("/", 1)))) for name in sorted(names)
    ]
    if isinstance(item, Secret):
        secrets.append((f"{item.metadata.namespace}/{item.metadata.name}", item))
    today = now()
    for name, secret in secrets:
        facts = certificate_of(secret) if isinstance(secret, Secret) else None
        if facts is not None:
            rows.append([name, ", ".join(facts.names), facts.issuer, facts.validity(today)])
    return Section(title="Certificates", columns=["Secret", "For", "Issued by", "Valid until"], rows=rows)


def _owned(children: list[Object]) -> Section:
    rows = [[child.kind, child.metadata.name] for child in children]
    return Section(title="Made for it", columns=["Kind", "Name"], rows=rows)


def _events(console: Console, keys: list[Key]) -> Section:
    found = sorted((event for key in keys for event in console.source.events.about(key)), key=lambda e: e.position)
    rows = [
        [
            f"{event.last_seen:.0f}",
            event.type,
            event.reason,
            str(event.about),
            event.message + (f" (x{event.count})" if event.count > 1 else ""),
        ]
        for event in found[-25:]
    ]
    return Section(title="Events", columns=["When", "Type", "Reason", "Object", "Message"], rows=rows)
