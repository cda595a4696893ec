"""Services that stand in for others."""

import msgspec

from isoline.objects.traffic_policy_load import FailoverService
from isoline.routing import ir
from isoline.routing.endpoints import failover_name
from isoline.routing.traffic.place import Place
from isoline.routing.traffic.services import cluster_of

_MOST = 8


def compile_failover(setting: tuple[FailoverService, ...], place: Place) -> tuple[str, ...]:
    """Return the endpoints that take over, the first first. Raises Fault where there is no such Service."""
    if len(setting) > _MOST:
        raise place.invalid(f"at most {_MOST} Services")
    names: dict[str, None] = {}
    for position, each in enumerate(setting):
        found: dict[str, ir.Cluster] = {}
        here = place._replace(clusters=found).item(position)
        cluster = found[cluster_of(each.name, each.port, here)]
        if cluster.dns is not None:
            raise here.at("name").invalid("a Service of type ExternalName cannot stand in for another")
        names[cluster.endpoints] = None
    return tuple(names)


def with_failover(cluster: ir.Cluster, others: tuple[str, ...]) -> ir.Cluster:
    """Return the cluster with endpoints that take over; one that is found by a name of DNS stays alone."""
    if cluster.dns is not None:
        return cluster
    further = [name for name in others if name != cluster.endpoints]
    return msgspec.structs.replace(cluster, endpoints=failover_name((cluster.endpoints, *further)))
