"""What must hold of an object beyond the types of its fields."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from isoline.objects.app import App
from isoline.objects.containers import Container, Probe
from isoline.objects.errors import Finding, PathStep
from isoline.objects.formats import DNS_LABEL, DNS_SUBDOMAIN, HEADER_NAME
from isoline.objects.gateway_config import GatewayConfig
from isoline.objects.gateway_tracing import Tracing
from isoline.objects.httpproxy_policies import HeadersPolicy
from isoline.objects.meta import Object
from isoline.objects.registry import Kind
from isoline.objects.workloads import Deployment

_FORBIDDEN_IN_VALUE = re.compile(r"[\r\n\0]")
_LONGEST_VALUE = 16384


def check_names(kind: Kind, metadata: Any) -> Iterator[Finding]:
    """Yield what is wrong with the name and namespace in an object's plain metadata (Kubernetes' DNS-1123 rules)."""
    if not isinstance(metadata, dict):
        return
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is None or name == "":
        hint = "generateName is for the Kubernetes API alone; give a name" if metadata.get("generateName") else ""
        yield Finding(("metadata", "name"), "required field is missing", hint)
    elif isinstance(name, str):
        yield from _check_name(kind, name)
    if namespace and not kind.namespaced:
        yield Finding(("metadata", "namespace"), f"{kind.name} belongs to no namespace", "remove it")
    elif isinstance(namespace, str) and namespace and (len(namespace) > 63 or not DNS_LABEL.fullmatch(namespace)):
        yield Finding(("metadata", "namespace"), f'"{namespace}" is no namespace name', _rule(namespace, label=True))


def check_object(item: Object) -> Iterator[Finding]:
    """Yield what is wrong between the fields of an object, for the kinds that have such rules."""
    rule = _RULES.get(type(item))
    if rule is not None:
        yield from rule(item)


def _check_name(kind: Kind, name: str) -> Iterator[Finding]:
    pattern, longest = (DNS_LABEL, 63) if kind.label_name else (DNS_SUBDOMAIN, 253)
    if len(name) > longest:
        yield Finding(("metadata", "name"), f"the name has {len(name)} characters, at most {longest} are allowed")
    elif not pattern.fullmatch(name):
        yield Finding(("metadata", "name"), f'"{name}" is no name', _rule(name, label=kind.label_name))


def _rule(name: str, *, label: bool) -> str:
    allowed = 'a-z, 0-9 and "-"' if label else 'a-z, 0-9, "-" and "."'
    likely = re.sub(r"[^a-z0-9-]+" if label else r"[^a-z0-9.-]+", "-", name.lower()).strip("-.")
    guess = f'; did you mean "{likely}"?' if DNS_SUBDOMAIN.fullmatch(likely) else ""
    return f"use {allowed}, and begin and end with a letter or digit{guess}"


def _app(app: App) -> Iterator[Finding]:
    spec = app.spec
    if spec.profile is None and spec.run is None:
        yield Finding(("spec",), "needs a profile or run", "name a catalog entry, or say what to start")
    if spec.tls is not None:
        given = [bool(spec.tls.self_signed), bool(spec.tls.secret_name), spec.tls.issuer is not None]
        if sum(given) > 1:
            yield Finding(("spec", "tls"), "more than one of selfSigned, secretName and issuer is set", "keep one")
    if spec.scale is not None:
        if spec.scale.most < spec.scale.min:
            yield Finding(("spec", "scale", "max"), f"found {spec.scale.max}, less than min ({spec.scale.min})")
        if spec.scale.idle_after is not None and spec.scale.min > 0:
            yield Finding(("spec", "scale", "idleAfter"), "an app with a min above 0 never sleeps", "set min to 0")
    names = [storage.name for storage in spec.storage]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Finding(("spec", "storage", index, "name"), f'another volume is named "{name}"')
    probes = spec.run.probes if spec.run is not None else None
    if probes is not None:
        for name in ("startup", "readiness", "liveness"):
            yield from _probe(getattr(probes, name), ("spec", "run", "probes", name))


def _gateway_config(config: GatewayConfig) -> Iterator[Finding]:
    if config.metadata.name != "default":
        found = config.metadata.name
        yield Finding(("metadata", "name"), f'found "{found}", only the GatewayConfig named "default" is read')
    if config.spec.tls.maximum_version < config.spec.tls.minimum_version:
        yield Finding(("spec", "tls", "maximumVersion"), "is lower than minimumVersion")
    http, https = config.spec.listeners.http, config.spec.listeners.https
    if http.port is not None and http.port == https.port and http.address == https.address:
        yield Finding(("spec", "listeners", "https", "port"), f"{http.port} is the port of the http listener already")
    if config.spec.tracing is not None:
        yield from _tracing(config.spec.tracing)
    policy = config.spec.policy
    for name, headers in (
        ("requestHeadersPolicy", policy.request_headers_policy),
        ("responseHeadersPolicy", policy.response_headers_policy),
    ):
        if headers is not None:
            yield from _headers(headers, ("spec", "policy", name))
    names = [log.name for log in config.spec.access_logs]
    for index, log in enumerate(config.spec.access_logs):
        place: tuple[PathStep, ...] = ("spec", "accessLogs", index)
        if bool(log.path) == (log.otlp is not None):
            yield Finding(place, "exactly one of path and otlp is needed")
        if log.name in names[:index]:
            yield Finding((*place, "name"), f'another log is named "{log.name}"')


def _headers(policy: HeadersPolicy, path: tuple[PathStep, ...]) -> Iterator[Finding]:
    names = [entry.name.lower() for entry in policy.set]
    for index, entry in enumerate(policy.set):
        place = (*path, "set", index)
        if not HEADER_NAME.fullmatch(entry.name):
            yield Finding((*place, "name"), f'"{entry.name}" is no header name')
        elif names[index] in names[:index]:
            yield Finding((*place, "name"), f'"{entry.name}" is set already')
        elif names[index] == "host" and path[-1] == "responseHeadersPolicy":
            yield Finding((*place, "name"), "Host can be set on requests only")
        elif names[index] == "host" and (not entry.value or "%" in entry.value):
            yield Finding((*place, "value"), "Host can be set to a fixed name only")
        if _FORBIDDEN_IN_VALUE.search(entry.value) or len(entry.value.encode()) > _LONGEST_VALUE:
            text = f"a header's value holds no line break and no NUL, and at most {_LONGEST_VALUE} bytes"
            yield Finding((*place, "value"), text)
    for index, name in enumerate(policy.remove):
        if not HEADER_NAME.fullmatch(name):
            yield Finding((*path, "remove", index), f'"{name}" is no header name')
        elif name.lower() == "host":
            yield Finding((*path, "remove", index), "Host cannot be removed")


def _tracing(tracing: Tracing) -> Iterator[Finding]:
    path = ("spec", "tracing")
    names = [tag.tag_name for tag in tracing.custom_tags]
    for index, tag in enumerate(tracing.custom_tags):
        if bool(tag.literal) == bool(tag.request_header_name):
            text = "exactly one of literal and requestHeaderName is needed"
            yield Finding((*path, "customTags", index), text)
        elif tag.request_header_name and not HEADER_NAME.fullmatch(tag.request_header_name):
            text = f'"{tag.request_header_name}" is no header name'
            yield Finding((*path, "customTags", index, "requestHeaderName"), text)
        if tag.tag_name in names[:index]:
            yield Finding((*path, "customTags", index, "tagName"), f'another tag is named "{tag.tag_name}"')


def _deployment(deployment: Deployment) -> Iterator[Finding]:
    selector, template = deployment.spec.selector, deployment.spec.template
    path: tuple[PathStep, ...] = ("spec", "template")
    for name, value in selector.match_labels.items():
        if template.metadata.labels.get(name) != value:
            message = f'the selector wants the label {name}: "{value}", which the template does not have'
            yield Finding((*path, "metadata", "labels"), message, "give both the same labels")
    if not template.spec.containers:
        yield Finding((*path, "spec", "containers"), "needs at least one container")
    volumes = {volume.name for volume in template.spec.volumes}
    for index, container in enumerate(template.spec.containers):
        yield from _container(container, volumes, (*path, "spec", "containers", index))
    for index, container in enumerate(template.spec.init_containers):
        yield from _container(container, volumes, (*path, "spec", "initContainers", index))


def _container(container: Container, volumes: set[str], path: tuple[PathStep, ...]) -> Iterator[Finding]:
    for index, mount in enumerate(container.volume_mounts):
        if mount.name not in volumes:
            known = ", ".join(sorted(volumes)) or "none"
            message = f'no volume is named "{mount.name}"'
            yield Finding((*path, "volumeMounts", index, "name"), message, f"volumes of this pod: {known}")
    yield from _probe(container.startup_probe, (*path, "startupProbe"))
    yield from _probe(container.readiness_probe, (*path, "readinessProbe"))
    yield from _probe(container.liveness_probe, (*path, "livenessProbe"))


def _probe(probe: Probe | None, path: tuple[PathStep, ...]) -> Iterator[Finding]:
    if probe is None:
        return
    actions = sum(action is not None for action in (probe.http_get, probe.tcp_socket, probe.exec, probe.grpc))
    if actions != 1:
        yield Finding(path, f"has {actions} actions", "give exactly one of httpGet, tcpSocket, exec and grpc")


_RULES: dict[type[Object], Callable[[Any], Iterator[Finding]]] = {
    App: _app,
    GatewayConfig: _gateway_config,
    Deployment: _deployment,
}
