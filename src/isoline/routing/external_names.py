"""Services of type ExternalName: a name of DNS in place of endpoints, where the GatewayConfig allows them.

They are a way round every rule about who may reach what, so a name that means this machine, or its neighbours, is no
target: what listens there trusts whoever can connect, Envoy's own administration first of all.
"""

import ipaddress
import re
from typing import NamedTuple

from isoline.objects.core import Service, ServicePort
from isoline.routing import ir
from isoline.routing.view import View

_LABEL = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_MAXIMUM = 253
_THIS_MACHINE = frozenset({"localhost.localdomain", "ip6-localhost", "ip6-loopback", "local.projectcontour.io"})
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"([0-9]+|0x[0-9a-f]*)")


class Problem(NamedTuple):
    """Why an ExternalName leads nowhere."""

    text: str
    words: str = ""
    """Contour's sentence, where it has one."""


def is_external(service: Service) -> bool:
    return service.spec.type == "ExternalName"


def problem_of(service: Service, view: View) -> Problem | None:
    """Return why a Service of type ExternalName cannot be used; None if it can."""
    name = f"{service.metadata.namespace}/{service.metadata.name}"
    if not view.settings.external_names:
        return Problem(
            f'Service "{name}" is an ExternalName service; enableExternalNameService of the GatewayConfig allows them',
            f"{name} is an ExternalName service, these are not currently enabled. "
            "See the config.enableExternalNameService config file setting",
        )
    target = service.spec.external_name
    reason = _refused(target.lower())
    if reason is None:
        return None
    words = f"{name} is an ExternalName service that points to localhost, this is not allowed"
    return Problem(f'Service "{name}" has the externalName "{target}", {reason}', words if reason in _NEAR else "")


def dns_of(service: Service, port: ServicePort, health_port: ServicePort | None, view: View) -> ir.Dns:
    """Return where a Service of type ExternalName leads; `problem_of` has found nothing."""
    return ir.Dns(
        hostname=service.spec.external_name.lower(),
        port=port.port,
        health_port=None if health_port is None or health_port == port else health_port.port,
        family=view.settings.dns_family,
    )


_LOOPBACK = "which is this machine itself; that is not allowed"
_LINK_LOCAL = "an address of this machine's own link, where clouds keep credentials; that is not allowed"
_NEITHER = "which is neither a name nor an address in its usual form"
_NEAR = frozenset({_LOOPBACK, _LINK_LOCAL})


def _refused(name: str) -> str | None:
    bare = name.rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost") or bare in _THIS_MACHINE:
        return _LOOPBACK
    address = _address(bare)
    if address is not None:
        if address.is_loopback or address.is_unspecified:
            return _LOOPBACK
        if address.is_link_local:
            return _LINK_LOCAL
        return None if name == str(address) else _NEITHER
    if bare != name:
        return "which ends in a dot; write it without"
    if len(name) > _MAXIMUM or not _NAME.fullmatch(name):
        return "which is no name of DNS"
    if _LOOKS_LIKE_AN_ADDRESS.fullmatch(name.rpartition(".")[2]):
        # Resolvers take 127.1, 2130706433 and 0x7f.1 for addresses, and nobody else does.
        return _NEITHER
    return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
