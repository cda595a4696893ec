"""The indexes that routing looks into. Give them to the store."""

import re
from collections.abc import Iterator

from isoline.cluster.store import Index
from isoline.objects import EndpointSlice, HTTPProxy, Ingress, Key, Object, TLSCertificateDelegation, TrafficPolicy
from isoline.objects.extension import ExtensionService
from isoline.objects.httpproxy import TLS
from isoline.objects.networking import IngressRule
from isoline.routing import ir

HOSTS = "hosts"
"""HTTPProxies and Ingresses by the hosts that they claim, in lower case. What claims none (a child; a root with no or
an impossible fqdn) is alone under a pseudo-host with a `!`, so that somebody writes its
status."""

WILDCARD_TLS = "wildcard-tls"
"""What ends TLS for a wildcard host, by that host and by `<host> <tls>` (see `wildcard_tls`)."""

SLICES = "slices"
"""EndpointSlices by `<namespace>/<service>`."""

DELEGATIONS = "delegations"
"""TLSCertificateDelegations by the `<namespace>/<secret>` that they lend."""

TRAFFIC_POLICIES = "traffic-policies"
"""TrafficPolicies by the objects that they name, as keys are printed."""

SERVICE_NAME_LABEL = "kubernetes.io/service-name"

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")


def normal_host(fqdn: str) -> str | None:
    """Return the host in lower case, or None when it is no host: empty, a bare `*`, with a port, too long."""
    host = fqdn.lower()
    return host if len(host) <= 253 and _HOST.fullmatch(host) else None


def host_of(proxy: HTTPProxy) -> str:
    """Return the host that an HTTPProxy claims, or the pseudo-host that stands for an HTTPProxy without."""
    root = proxy.spec.virtualhost
    host = None if root is None else normal_host(root.fqdn)
    return f"!{proxy.metadata.namespace}/{proxy.metadata.name}" if host is None else host


def host_of_rule(rule: IngressRule) -> str | None:
    """Return the host that a rule is for, None when what it says is no host."""
    return ir.CATCH_ALL if rule.host in {"", "*"} else normal_host(rule.host)


def hosts_of_ingress(ingress: Ingress) -> list[str]:
    """Return the hosts that an Ingress claims, sorted, or the pseudo-host that stands for an Ingress without.

    A rule without a host, and a default backend, are for the catch-all.
    """
    hosts = {host for rule in ingress.spec.rules if (host := host_of_rule(rule)) is not None}
    if ingress.spec.default_backend is not None:
        hosts.add(ir.CATCH_ALL)
    return sorted(hosts) or [f"!ingress {ingress.metadata.namespace}/{ingress.metadata.name}"]


POLICY = "!policy "


def targets_of(policy: TrafficPolicy) -> list[Key]:
    """Return the objects that a policy names, each once; whether they are there is not asked."""
    namespace = policy.metadata.namespace
    return list(dict.fromkeys(Key(each.kind, namespace, each.name) for each in policy.spec.target_refs))


def hosts_of_policy(policy: TrafficPolicy) -> list[str]:
    """Return the pseudo-host under which a policy's status is found, and the hosts that it gives to others."""
    hosts = {host for written in policy.spec.hosts if (host := normal_host(written)) is not None}
    if policy.spec.catch_all:
        hosts.add(ir.CATCH_ALL)
    return [f"{POLICY}{policy.metadata.namespace}/{policy.metadata.name}", *sorted(hosts)]


EXTENSION = "!extension "


def hosts_of_extension(extension: ExtensionService) -> list[str]:
    """Return the pseudo-host under which an ExtensionService's status is found."""
    return [f"{EXTENSION}{extension.metadata.namespace}/{extension.metadata.name}"]


def hosts_of(item: Object) -> list[str]:
    """Return the hosts, or the pseudo-host, of anything that can claim one."""
    match item:
        case TrafficPolicy():
            return hosts_of_policy(item)
        case HTTPProxy():
            return [host_of(item)]
        case Ingress():
            return hosts_of_ingress(item)
        case ExtensionService():
            return hosts_of_extension(item)
    return []


def tls_of_ingress(ingress: Ingress, host: str) -> TLS | None:
    """Return how an Ingress ends TLS for a host, as an HTTPProxy would write it. Its first entry with the host counts.

    The annotation `tls-cert-namespace` says where Secrets are, unless they say it themselves (Contour's rule).
    """
    for entry in ingress.spec.tls:
        if any(each.lower() == host for each in entry.hosts):
            notes = ingress.metadata.annotations
            owner, secret = notes.get("projectcontour.io/tls-cert-namespace"), entry.secret_name
            return TLS(
                secret_name=f"{owner}/{secret}" if owner and secret and "/" not in secret else secret,
                minimum_protocol_version=notes.get("projectcontour.io/tls-minimum-protocol-version", ""),
                maximum_protocol_version=notes.get("projectcontour.io/tls-maximum-protocol-version", ""),
            )
    return None


def wildcard_tls(host: str, certificate: str, minimum: str, maximum: str) -> str:
    """Return the index value of a wildcard host with these TLS parameters (as written in the object)."""
    return f"{host} {certificate} {minimum} {maximum}"


def _hosts(proxy: HTTPProxy) -> Iterator[str]:
    yield host_of(proxy)


def _wildcard_tls(proxy: HTTPProxy) -> Iterator[str]:
    root = proxy.spec.virtualhost
    if root is None or root.tls is None or not root.fqdn.startswith("*."):
        return
    plain = root.tls.client_validation is None and proxy.spec.tcpproxy is None
    yield from _wildcard_claims(host_of(proxy), root.tls, proxy.metadata.namespace, plain=plain)


def _wildcard_tls_of_ingress(ingress: Ingress) -> Iterator[str]:
    if not ingress.spec.tls:
        return
    for host in hosts_of_ingress(ingress):
        tls = tls_of_ingress(ingress, host) if host.startswith("*.") else None
        if tls is not None:
            yield from _wildcard_claims(host, tls, ingress.metadata.namespace, plain=True)


def _wildcard_claims(host: str, tls: TLS, namespace: str, *, plain: bool) -> Iterator[str]:
    """With `plain`, an exact host with the same parameters may share the wildcard's filter chain."""
    certificate = tls.secret_name if "/" in tls.secret_name else f"{namespace}/{tls.secret_name}"
    yield host
    if plain:
        yield wildcard_tls(host, certificate, tls.minimum_protocol_version, tls.maximum_protocol_version)


def _slices(item: EndpointSlice) -> Iterator[str]:
    service = item.metadata.labels.get(SERVICE_NAME_LABEL)
    if service:
        yield f"{item.metadata.namespace}/{service}"


def _delegations(item: TLSCertificateDelegation) -> Iterator[str]:
    for delegation in item.spec.delegations:
        yield f"{item.metadata.namespace}/{delegation.secret_name}"


def _traffic_policies(policy: TrafficPolicy) -> Iterator[str]:
    for target in targets_of(policy):
        yield str(target)


INDEXES = (
    Index(HOSTS, "HTTPProxy", _hosts),
    Index(HOSTS, "Ingress", hosts_of_ingress),
    Index(HOSTS, "ExtensionService", hosts_of_extension),
    Index(HOSTS, "TrafficPolicy", hosts_of_policy),
    Index(TRAFFIC_POLICIES, "TrafficPolicy", _traffic_policies),
    Index(WILDCARD_TLS, "HTTPProxy", _wildcard_tls),
    Index(WILDCARD_TLS, "Ingress", _wildcard_tls_of_ingress),
    Index(SLICES, "EndpointSlice", _slices),
    Index(DELEGATIONS, "TLSCertificateDelegation", _delegations),
)
