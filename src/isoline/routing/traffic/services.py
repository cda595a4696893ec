"""Services that a policy itself names."""

from isoline.objects import Key, Service
from isoline.routing import clusters, external_names, ir, service_annotations
from isoline.routing.endpoints import endpoints_name
from isoline.routing.httpproxy.upstream_tls import ENDS_TLS
from isoline.routing.traffic.place import Place


def cluster_of(name: str, port: int, place: Place) -> str:
    """Return the name of the cluster for a port of a Service in the policy's namespace, and add it to the place.

    Raises Fault where there is no such Service or port.
    """
    service = place.view.get(Key("Service", place.namespace, name))
    if not isinstance(service, Service):
        raise place.at("name").missing("ServiceNotFound", f'Service "{place.namespace}/{name}" not found')
    external = external_names.is_external(service)
    if external and (problem := external_names.problem_of(service, place.view)) is not None:
        raise place.at("name").missing("ServiceNotFound", problem.text)
    found = next((each for each in service.spec.ports if each.port == port and each.protocol == "TCP"), None)
    if found is None:
        text = f'Service "{place.namespace}/{name}" has no TCP port {port}'
        raise place.at("port").missing("ServiceNotFound", text)
    annotations = service.metadata.annotations
    protocol = service_annotations.upstream_protocol(annotations, found)
    dns = external_names.dns_of(service, found, None, place.view) if external else None
    cluster = clusters.named(
        ir.Cluster(
            name="",
            endpoints="" if dns is not None else endpoints_name(place.namespace, name, found),
            dns=dns,
            protocol=protocol,
            sni=dns.hostname if dns is not None and protocol in ENDS_TLS else "",
            limits=service_annotations.limits(annotations),
        ),
        f"{place.namespace}/{name}/{port}",
    )
    place.clusters[cluster.name] = cluster
    return cluster.name
