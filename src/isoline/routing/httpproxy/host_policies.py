"""The policies of a whole virtual host, which its routes may replace."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from isoline.objects.httpproxy import VirtualHost
from isoline.routing import ir
from isoline.routing.httpproxy import cors, global_limits, ip_filters, local_limits
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.settings import Settings

T = TypeVar("T")


class HostPolicies(NamedTuple):
    """Named as the fields of `ir.Site`."""

    addresses: ir.AddressFilter | None = None
    cors: ir.Cors | None = None
    local_limit: ir.LocalLimit | None = None
    global_limit: ir.GlobalLimit | None = None


NONE = HostPolicies()


def compile_host_policies(root: VirtualHost, settings: Settings, scope: Scope) -> HostPolicies | None:
    """Return what holds for the whole host. None, with every fault reported, when it cannot be served like that."""
    before = len(scope.report.errors)
    limits = root.rate_limit_policy
    policies = HostPolicies(
        addresses=_told(lambda: ip_filters.compile_addresses_of_host(root, scope), scope),
        cors=_told(lambda: cors.compile_cors(root.cors_policy, scope), scope),
        local_limit=_told(lambda: local_limits.compile_local_limit(limits, "VirtualHostError", scope), scope),
        global_limit=_told(
            lambda: global_limits.compile_global_limit(limits, "VirtualHostError", settings, scope), scope
        ),
    )
    if len(scope.report.errors) > before:
        return None
    if policies.global_limit is None and (limits is None or limits.global_ is None):
        policies = policies._replace(global_limit=global_limits.default_limit(settings, scope))
    return policies


def _told(compile_policy: Callable[[], T | None], scope: Scope) -> T | None:
    """What a policy compiles to; its fault is reported."""
    try:
        return compile_policy()
    except Fault as fault:
        scope.report.errors[fault.finding] = None
        return None
