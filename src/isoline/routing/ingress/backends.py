"""The backend of a path: a Service's port, by number or by name."""

from isoline.objects import Key, Service
from isoline.objects.httpproxy import Service as Reference
from isoline.objects.networking import IngressBackend, ServiceBackendPort
from isoline.routing import external_names
from isoline.routing.httpproxy import balancing, services
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.traffic.effective import Targets
from isoline.routing.view import View


def resolve(
    backend: IngressBackend, namespace: str, view: View, scope: Scope, policies: Targets
) -> services.Resolved | None:
    """Return the share and the cluster of a backend; None, with an error, if it leads nowhere."""
    wanted = backend.service
    if wanted is None:
        text = "only a Service can be a backend"
        scope.at("resource").error("ServiceError", "ServiceUnresolvedReference", text)
        return None
    scope = scope.at("service")
    name = f"{namespace}/{wanted.name}"
    service = view.get(Key("Service", namespace, wanted.name))
    problem, number = "", None
    if not isinstance(service, Service):
        problem = f'Service "{name}" not found'
    elif external_names.is_external(service) and (refused := external_names.problem_of(service, view)) is not None:
        problem = refused.text
    else:
        number = _number(service, wanted.port)
        if number is None:
            problem = f'Service "{name}" has no TCP port {wanted.port.name or wanted.port.number}'
    if number is None:
        scope.error("ServiceError", "ServiceUnresolvedReference", problem)
        return None
    common = services.Upstreams(
        namespace,
        balancing.DEFAULT,
        None,
        None,
        None,
        policies=policies,
        default_headers=view.settings.headers_of_ingresses,
    )
    return services.resolve((Reference(name=wanted.name, port=number),), common, view, scope)


def _number(service: Service, wanted: ServiceBackendPort) -> int | None:
    for port in service.spec.ports:
        found = port.name == wanted.name if wanted.name else port.port == wanted.number
        if found and port.protocol == "TCP":
            return port.port
    return None
