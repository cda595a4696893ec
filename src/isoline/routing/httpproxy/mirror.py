"""services[].mirror: a copy of each request for another service, whose answers nobody waits for."""

from isoline.objects.httpproxy import Service
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope

_ALL = 100


def compile_mirror(reference: Service, cluster: str, scope: Scope) -> ir.Mirror:
    """Return what a service that mirrors gets: of its weight, a percentage; 0 is everything (Contour's rule)."""
    if reference.weight > _ALL:
        scope.at("weight").warn("ServiceError", f"the weight of a mirror is a percentage; {_ALL} is used")
    for field, used in (
        ("requestHeadersPolicy", reference.request_headers_policy),
        ("responseHeadersPolicy", reference.response_headers_policy),
    ):
        if used is not None:
            scope.at(field).warn("ServiceError", "has no effect on a mirror")
    return ir.Mirror(cluster=cluster, percent=min(reference.weight or _ALL, _ALL))
