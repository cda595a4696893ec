"""Which objects a Deployment's replicas read, and which Services select them; as indexes of the store."""

from collections.abc import Iterator, Mapping

from isoline.cluster.store import Index
from isoline.objects.core import Service
from isoline.objects.meta import Key
from isoline.objects.workloads import Container, Deployment, PodSpec

READERS = "deployments-by-reference"
SELECTED = "deployments-by-label"
SELECTING = "services-by-selector"


def readers(deployment: Deployment) -> Iterator[str]:
    """The ConfigMaps, Secrets and claims that a Deployment's replicas need."""
    namespace = deployment.metadata.namespace
    return (str(Key(kind, namespace, name)) for kind, name in _references(deployment.spec.template.spec))


def _references(pod: PodSpec) -> Iterator[tuple[str, str]]:
    for container in (*pod.containers, *pod.init_containers):
        yield from _environment(container)
    for volume in pod.volumes:
        if volume.config_map is not None:
            yield "ConfigMap", volume.config_map.name
        if volume.secret is not None:
            yield "Secret", volume.secret.secret_name
        if volume.persistent_volume_claim is not None:
            yield "PersistentVolumeClaim", volume.persistent_volume_claim.claim_name


def _environment(container: Container) -> Iterator[tuple[str, str]]:
    for source in container.env_from:
        if source.config_map_ref is not None:
            yield "ConfigMap", source.config_map_ref.name
        if source.secret_ref is not None:
            yield "Secret", source.secret_ref.name
    for variable in container.env:
        origin = variable.value_from
        if origin is not None and origin.config_map_key_ref is not None:
            yield "ConfigMap", origin.config_map_key_ref.name
        if origin is not None and origin.secret_key_ref is not None:
            yield "Secret", origin.secret_key_ref.name


def labelled(namespace: str, labels: Mapping[str, str]) -> Iterator[str]:
    """The index values under which something with these labels is found."""
    return (f"{namespace}|{name}={value}" for name, value in labels.items())


def selecting(service: Service) -> Iterator[str]:
    """The index value of a Service: its first label, which whatever it selects must have too."""
    selector = service.spec.selector
    if selector:
        first = min(selector)
        yield f"{service.metadata.namespace}|{first}={selector[first]}"


def _labels(deployment: Deployment) -> Iterator[str]:
    return labelled(deployment.metadata.namespace, deployment.spec.template.metadata.labels)


INDEXES = (
    Index(READERS, "Deployment", readers),
    Index(SELECTED, "Deployment", _labels),
    Index(SELECTING, "Service", selecting),
)
