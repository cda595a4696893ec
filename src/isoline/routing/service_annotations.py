"""Contour's annotations on a Service: the protocol of its ports and the limits of its connections."""

from collections.abc import Iterator, Mapping

from isoline.objects.core import ServicePort
from isoline.routing import ir

PREFIX = "projectcontour.io/"
_LIMITS = {
    "connections": "max-connections",
    "pending_requests": "max-pending-requests",
    "requests": "max-requests",
    "retries": "max-retries",
    "connections_per_endpoint": "per-host-max-connections",
}
_MAXIMUM = 2**32 - 1
_PROTOCOLS = ("h2", "h2c", "tls")
_APP_PROTOCOLS = {"kubernetes.io/h2c": ir.Upstream.H2C, "https": ir.Upstream.TLS}

NO_LIMITS = ir.Limits()


def upstream_protocol(annotations: Mapping[str, str], port: ServicePort) -> ir.Upstream:
    """Return the protocol of a Service's port: by its appProtocol alone if it has one, else by annotation."""
    if port.app_protocol is not None:
        return _APP_PROTOCOLS.get(port.app_protocol, ir.Upstream.HTTP1)
    if not annotations:
        return ir.Upstream.HTTP1
    by_port: dict[str, ir.Upstream] = {}
    for protocol in _PROTOCOLS:
        for entry in annotations.get(f"{PREFIX}upstream-protocol.{protocol}", "").split(","):
            by_port[entry.strip()] = ir.Upstream(protocol)
    by_number = by_port.get(str(port.port), ir.Upstream.HTTP1)
    return by_port.get(port.name, by_number) if port.name else by_number


def limits(annotations: Mapping[str, str]) -> ir.Limits:
    """Return the circuit breaker of a Service; 0 and what is no number set nothing."""
    if not annotations:
        return NO_LIMITS
    found = {field: _number(annotations.get(PREFIX + name, "")) for field, name in _LIMITS.items()}
    return ir.Limits(**found) if any(found.values()) else NO_LIMITS


def bad_limits(annotations: Mapping[str, str]) -> Iterator[str]:
    """Return the annotations of limits that hold no number."""
    for name in _LIMITS.values():
        value = annotations.get(PREFIX + name)
        if value is not None and _number(value) is None and value != "0":
            yield PREFIX + name


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if 0 < number <= _MAXIMUM else None
