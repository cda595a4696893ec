"""The columns of `isoline get` for each kind, read from plain JSON."""

from collections.abc import Callable
from typing import Any, NamedTuple

from isoline.cli.output import age

Item = dict[str, Any]


class Column(NamedTuple):
    title: str
    value: Callable[[Item], str]
    wide: bool = False


def dig(item: Any, *path: str) -> Any:
    """The value at a path of field names; None where there is none."""
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _at(*path: str, default: str = "") -> Callable[[Item], str]:
    def value(item: Item) -> str:
        found = dig(item, *path)
        return default if found is None else str(found)

    return value


def _count(*path: str) -> Callable[[Item], str]:
    return lambda item: str(len(dig(item, *path) or ()))


def _each(names: Callable[[Item], list[Any]]) -> Callable[[Item], str]:
    return lambda item: ",".join(str(name) for name in names(item) if name)


def _ready(item: Item) -> str:
    return f"{dig(item, 'status', 'readyReplicas') or 0}/{_wanted(item)}"


def _wanted(item: Item) -> int:
    if item["kind"] == "Deployment":
        wanted = dig(item, "spec", "replicas")
        return 1 if wanted is None else int(wanted)
    return int(dig(item, "status", "replicas") or 0)


def _ports(item: Item) -> str:
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in dig(item, "spec", "ports") or ())


def _endpoints(item: Item) -> str:
    found = [address for endpoint in item.get("endpoints", ()) for address in endpoint.get("addresses", ())[:1]]
    return ",".join(found) or "<none>"


def _labels(*path: str) -> Callable[[Item], str]:
    return lambda item: ",".join(f"{name}={value}" for name, value in (dig(item, *path) or {}).items()) or "<all>"


def _images(item: Item) -> list[Any]:
    return [each.get("image") for each in dig(item, "spec", "template", "spec", "containers") or ()]


def _accepted(field: str) -> Callable[[Item], str]:
    def value(item: Item) -> str:
        conditions = dig(item, "status", "conditions") or ()
        return next((str(each[field]) for each in conditions if each["type"] == "Accepted"), "Unknown")

    return value


def _target(reference: Item) -> str:
    route = reference.get("sectionName")
    return f"{reference['kind']}/{reference['name']}" + (f" {route}" if route else "")


COLUMNS: dict[str, tuple[Column, ...]] = {
    "App": (
        Column("Phase", _at("status", "phase", default="Pending")),
        Column("Ready", _ready),
        Column("Address", _at("status", "address")),
        Column("Profile", _at("status", "profile"), wide=True),
        Column("Engine", _at("status", "engine"), wide=True),
        Column("Version", _at("status", "version"), wide=True),
    ),
    "HTTPProxy": (
        Column("FQDN", _at("spec", "virtualhost", "fqdn")),
        Column("TLS Secret", _at("spec", "virtualhost", "tls", "secretName")),
        Column("Status", _at("status", "currentStatus", default="NotReconciled")),
        Column("Status Description", _at("status", "description", default="Waiting for controller")),
    ),
    "Deployment": (
        Column("Ready", _ready),
        Column("Up-to-date", _at("status", "updatedReplicas", default="0")),
        Column("Available", _at("status", "availableReplicas", default="0")),
        Column("Images", _each(_images), wide=True),
    ),
    "Service": (Column("Ports", _ports), Column("Selector", _labels("spec", "selector"), wide=True)),
    "EndpointSlice": (
        Column("Ports", _each(lambda item: [port.get("port") for port in item.get("ports", ())])),
        Column("Endpoints", _endpoints),
    ),
    "Secret": (Column("Type", _at("type", default="Opaque")), Column("Data", _count("data"))),
    "ConfigMap": (Column("Data", _count("data")),),
    "PersistentVolumeClaim": (
        Column("Status", _at("status", "phase", default="Pending")),
        Column("Capacity", _at("spec", "resources", "requests", "storage")),
    ),
    "PodDisruptionBudget": (
        Column("Max-unavailable", _at("spec", "maxUnavailable")),
        Column("Allowed", _at("status", "disruptionsAllowed", default="0")),
    ),
    "Certificate": (
        Column("Secret", _at("spec", "secretName")),
        Column("Hosts", _each(lambda item: dig(item, "spec", "dnsNames") or [])),
    ),
    "ServiceMonitor": (Column("Selector", _labels("spec", "selector", "matchLabels")),),
    "NetworkPolicy": (Column("Pod-selector", _labels("spec", "podSelector", "matchLabels")),),
    "Ingress": (
        Column("Class", _at("spec", "ingressClassName", default="<none>")),
        Column("Hosts", _each(lambda item: [rule.get("host", "*") for rule in dig(item, "spec", "rules") or ()])),
    ),
    "TrafficPolicy": (
        Column("Accepted", _accepted("status")),
        Column("Reason", _accepted("reason")),
        Column("Targets", _each(lambda item: [_target(each) for each in dig(item, "spec", "targetRefs") or ()])),
    ),
    "GatewayConfig": (Column("Addresses", _each(lambda item: dig(item, "status", "addresses") or [])),),
}

AGE = Column("Age", lambda item: age(dig(item, "metadata", "creationTimestamp")))


def columns_of(kind: str, *, namespace: bool, wide: bool) -> list[Column]:
    """The columns of a table of one kind, with the namespace before the name if asked for."""
    first = [Column("Namespace", _at("metadata", "namespace"))] if namespace else []
    own = [column for column in COLUMNS.get(kind, ()) if wide or not column.wide]
    return [*first, Column("Name", _at("metadata", "name")), *own, AGE]


def overview_row(resource: str, item: Item) -> list[str]:
    """A row of the table that shows the main things of all kinds: name, phase, ready, address, age."""
    kind = item["kind"]
    phase = next((column.value(item) for column in COLUMNS.get(kind, ()) if column.title in ("Phase", "Status")), "")
    ready = _ready(item) if kind in ("App", "Deployment") else ""
    address = {"App": _at("status", "address"), "HTTPProxy": _at("spec", "virtualhost", "fqdn"), "Service": _ports}
    shown = address[kind](item) if kind in address else ""
    name = f"{resource}/{dig(item, 'metadata', 'name')}"
    return [name, phase, ready, shown, AGE.value(item)]
