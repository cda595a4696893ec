"""Services that a policy itself names."""

from isoline.objects import Key, Service
from isoline.routing import clusters, ir, service_annotations
from isoline.routing.endpoints import endpoints_name
from isoline.routing.traffic.place import Place


def cluster_of(name: str, port: int, place: Place) -> str:
    """Return the name of the cluster for a port of a Service in the policy's namespace, and add it to the place.

    Raises Fault where there is no such Service or port.
    """
    service = place.view.get(Key("Service", place.namespace, name))
    if not isinstance(service, Service):
        raise place.at("name").missing("ServiceNotFound", f'Service "{place.namespace}/{name}" not found')
    if service.spec.type == "ExternalName":
        raise place.at("name").missing("ServiceNotFound", f'Service "{place.namespace}/{name}" is an ExternalName')
    found = next((each for each in service.spec.ports if each.port == port and each.protocol == "TCP"), None)
    if found is None:
        text = f'Service "{place.namespace}/{name}" has no TCP port {port}'
        raise place.at("port").missing("ServiceNotFound", text)
    annotations = service.metadata.annotations
    cluster = clusters.named(
        ir.Cluster(
            name="",
            endpoints=endpoints_name(place.namespace, name, found),
            protocol=service_annotations.upstream_protocol(annotations, found),
            limits=service_annotations.limits(annotations),
        ),
        f"{place.namespace}/{name}/{port}",
    )
    place.clusters[cluster.name] = cluster
    return cluster.name
