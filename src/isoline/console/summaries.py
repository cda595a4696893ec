"""The few lines that say what an object of each kind is and how it does."""

from collections.abc import Callable
from typing import Any

from isoline.objects import (
    App,
    ConfigMap,
    Deployment,
    GatewayConfig,
    HTTPProxy,
    Ingress,
    Object,
    PersistentVolumeClaim,
    Secret,
    Service,
    TrafficPolicy,
)
from isoline.objects.model import json_name
from isoline.objects.traffic_policy import SETTINGS
from isoline.routing.traffic.effective import is_set


def summary_rows(item: Object) -> list[list[str]]:
    """Names and values; empty for a kind that is all said by its conditions."""
    summarise = _SUMMARIES.get(type(item))
    return [] if summarise is None else [[name, value] for name, value in summarise(item) if value]


Rows = list[tuple[str, str]]


def _app(app: App) -> Rows:
    status = app.status
    return [
        ("Phase", status.phase),
        ("Address", status.address),
        ("Replicas", f"{status.ready_replicas} ready of {status.replicas}"),
        ("Profile", status.profile or app.spec.profile or ""),
        ("Engine", status.engine),
        ("Version", status.version),
    ]


def _proxy(proxy: HTTPProxy) -> Rows:
    root = proxy.spec.virtualhost
    return [
        ("Host", root.fqdn if root is not None else ""),
        ("Certificate", root.tls.secret_name if root is not None and root.tls is not None else ""),
        ("Status", proxy.status.current_status),
        ("Description", proxy.status.description),
    ]


def _deployment(deployment: Deployment) -> Rows:
    status = deployment.status
    return [
        ("Replicas", f"{status.ready_replicas} ready of {deployment.spec.replicas} wanted, {status.replicas} there"),
        ("Up to date", str(status.updated_replicas)),
        ("Strategy", deployment.spec.strategy.type),
        ("Images", ", ".join(container.image for container in deployment.spec.template.spec.containers)),
    ]


def _service(service: Service) -> Rows:
    ports = [f"{port.name or '-'} {port.port} → {port.target_port or port.port}" for port in service.spec.ports]
    return [
        ("Type", service.spec.type),
        ("Ports", ", ".join(ports)),
        ("Selector", ", ".join(f"{name}={value}" for name, value in service.spec.selector.items())),
    ]


def _secret(secret: Secret) -> Rows:
    sizes = [f"{name} ({len(value)} bytes)" for name, value in secret.data.items()]
    return [("Type", secret.type), ("Holds", ", ".join(sizes))]


def _config_map(config: ConfigMap) -> Rows:
    return [("Holds", ", ".join(f"{name} ({len(value.encode())} bytes)" for name, value in config.data.items()))]


def _claim(claim: PersistentVolumeClaim) -> Rows:
    resources = claim.spec.resources
    asked = resources.requests.get("storage") if resources is not None else None
    return [("Phase", claim.status.phase), ("Asks for", str(asked or ""))]


def _ingress(ingress: Ingress) -> Rows:
    return [
        ("Class", ingress.spec.ingress_class_name or ""),
        ("Hosts", ", ".join(rule.host or "*" for rule in ingress.spec.rules)),
    ]


def _gateway(config: GatewayConfig) -> Rows:
    return [("Addresses", ", ".join(config.status.addresses))]


def _policy(policy: TrafficPolicy) -> Rows:
    spec = policy.spec
    targets = (
        f"{each.kind} {each.name}" + (f" {each.section_name}" * bool(each.section_name)) for each in spec.target_refs
    )
    settings = (json_name(name) for name in SETTINGS if is_set(policy, name))
    return [("Targets", ", ".join(targets)), ("Settings", ", ".join(settings))]


_SUMMARIES: dict[type[Object], Callable[[Any], Rows]] = {
    App: _app,
    HTTPProxy: _proxy,
    Deployment: _deployment,
    Service: _service,
    Secret: _secret,
    ConfigMap: _config_map,
    PersistentVolumeClaim: _claim,
    Ingress: _ingress,
    GatewayConfig: _gateway,
    TrafficPolicy: _policy,
}
