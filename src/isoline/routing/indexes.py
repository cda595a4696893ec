"""The indexes that routing looks into. Give them to the store."""

import re
from collections.abc import Iterator

from isoline.cluster.store import Index
from isoline.objects import EndpointSlice, HTTPProxy, TLSCertificateDelegation

HOSTS = "hosts"
"""HTTPProxies by the host that they claim, in lower case. What claims none (a child; a root with no or an impossible
fqdn) is alone under `!<namespace>/<name>`, so that somebody writes its status."""

WILDCARD_TLS = "wildcard-tls"
"""HTTPProxies that end TLS for a wildcard host, by that host and by `<host> <tls>` (see `wildcard_tls`)."""

SLICES = "slices"
"""EndpointSlices by `<namespace>/<service>`."""

DELEGATIONS = "delegations"
"""TLSCertificateDelegations by the `<namespace>/<secret>` that they lend."""

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


def wildcard_tls(host: str, certificate: str, minimum: str, maximum: str) -> str:
    """Return the index value of a wildcard host with these TLS parameters (as written in the HTTPProxy)."""
    return f"{host} {certificate} {minimum} {maximum}"


def _hosts(proxy: HTTPProxy) -> Iterator[str]:
    yield host_of(proxy)


def _wildcard_tls(proxy: HTTPProxy) -> Iterator[str]:
    root = proxy.spec.virtualhost
    if root is None or root.tls is None or not root.fqdn.startswith("*."):
        return
    host = host_of(proxy)
    secret = root.tls.secret_name
    certificate = secret if "/" in secret else f"{proxy.metadata.namespace}/{secret}"
    yield host
    yield wildcard_tls(host, certificate, root.tls.minimum_protocol_version, root.tls.maximum_protocol_version)


def _slices(item: EndpointSlice) -> Iterator[str]:
    service = item.metadata.labels.get(SERVICE_NAME_LABEL)
    if service:
        yield f"{item.metadata.namespace}/{service}"


def _delegations(item: TLSCertificateDelegation) -> Iterator[str]:
    for delegation in item.spec.delegations:
        yield f"{item.metadata.namespace}/{delegation.secret_name}"


INDEXES = (
    Index(HOSTS, "HTTPProxy", _hosts),
    Index(WILDCARD_TLS, "HTTPProxy", _wildcard_tls),
    Index(SLICES, "EndpointSlice", _slices),
    Index(DELEGATIONS, "TLSCertificateDelegation", _delegations),
)
