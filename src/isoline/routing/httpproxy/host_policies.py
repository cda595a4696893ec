"""The policies of a whole virtual host, which its routes may replace."""

from typing import NamedTuple

from isoline.objects.httpproxy import VirtualHost
from isoline.routing import ir
from isoline.routing.httpproxy import cors, ip_filters
from isoline.routing.httpproxy.scope import Fault, Scope


class HostPolicies(NamedTuple):
    """Named as the fields of `ir.Site`."""

    addresses: ir.AddressFilter | None = None
    cors: ir.Cors | None = None


NONE = HostPolicies()


def compile_host_policies(root: VirtualHost, scope: Scope) -> HostPolicies | None:
    """Return what holds for the whole host. None, with every fault reported, when it cannot be served like that."""
    before = len(scope.report.errors)
    addresses: ir.AddressFilter | None = None
    shared: ir.Cors | None = None
    try:
        addresses = ip_filters.compile_addresses_of_host(root, scope)
    except Fault as fault:
        scope.report.errors[fault.finding] = None
    try:
        shared = cors.compile_cors(root.cors_policy, scope)
    except Fault as fault:
        scope.report.errors[fault.finding] = None
    if len(scope.report.errors) > before:
        return None
    return HostPolicies(addresses, shared)
