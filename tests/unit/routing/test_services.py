"""Services of a route: shares, protocols, ports, limits, and what is missing."""

import pytest

from isoline.objects import Service
from isoline.objects.core import ServicePort
from isoline.routing import ir
from isoline.routing.ir import Upstream
from unit.routing.support import compiled, errors, root, service, site, status_of


def shares(services: str, *existing: Service) -> list[tuple[str, int]]:
    result = compiled(root(f"routes: [{{services: {services}}}]"), *existing)
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    return [(share.cluster.removeprefix("default/").partition("/")[0], share.weight) for share in action.shares]


A, B, C = (service(name) for name in "abc")
MISSING = ("ServiceError", "ServiceUnresolvedReference")


@pytest.mark.parametrize(
    ("services", "wanted"),
    [
        ("[{name: a, port: 80}]", [("a", 1)]),
        ("[{name: a, port: 80}, {name: b, port: 80}]", [("a", 1), ("b", 1)]),
        ("[{name: a, port: 80, weight: 90}, {name: b, port: 80, weight: 10}]", [("a", 90), ("b", 10)]),
        ("[{name: a, port: 80, weight: 5}, {name: b, port: 80}]", [("a", 5), ("b", 0)]),
    ],
)
def test_weights(services: str, wanted: list[tuple[str, int]]) -> None:
    assert shares(services, A, B) == wanted


def test_a_missing_service_is_told_and_the_others_keep_their_shares() -> None:
    services = "[{name: a, port: 80, weight: 30}, {name: gone, port: 80, weight: 60}, {name: b, port: 80, weight: 10}]"
    item = root(f"routes: [{{services: {services}}}]")
    assert shares(services, A, B) == [("a", 30), (ir.NO_CLUSTER, 60), ("b", 10)]
    result = compiled(item, A, B)
    assert result.site is not None
    assert [cluster.name.split("/")[1] for cluster in result.site.clusters] == ["a", "b"]
    status = result.statuses[item.key]
    assert errors(status) == [MISSING]
    assert status.errors[0].message == 'spec.routes[0].services[1]: Service "default/gone" not found'


def test_weights_count_as_they_are_written_also_where_all_are_on_what_is_missing() -> None:
    assert shares("[{name: a, port: 80}, {name: gone, port: 80, weight: 100}]", A) == [("a", 0), (ir.NO_CLUSTER, 100)]
    assert shares("[{name: a, port: 80}, {name: gone, port: 80}]", A) == [("a", 1), (ir.NO_CLUSTER, 1)]


def test_a_missing_mirror_costs_the_requests_nothing() -> None:
    assert shares("[{name: a, port: 80}, {name: gone, port: 80, mirror: true}]", A) == [("a", 1)]


def test_missing_services_add_up_and_none_left_is_503() -> None:
    item = root("routes: [{services: [{name: x, port: 80}, {name: z, port: 80}]}]")
    result = compiled(item)
    assert errors(result.statuses[item.key]) == [MISSING, MISSING]
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=503)]
    assert result.site.clusters == ()


def test_a_service_without_the_port_is_missing() -> None:
    item = root("routes: [{services: [{name: a, port: 81}]}]")
    assert errors(status_of(item, A)) == [MISSING]


def test_a_port_is_found_by_protocol() -> None:
    both = service("dns", "default", ServicePort(name="udp", port=53, protocol="UDP"), ServicePort(name="tcp", port=53))
    served = site(root("routes: [{services: [{name: dns, port: 53}]}]"), both)
    assert served.clusters[0].endpoints == "default/dns/tcp"


def test_external_names_are_not_enabled() -> None:
    external = service("a")
    external = Service(
        metadata=external.metadata,
        spec=type(external.spec)(type="ExternalName", external_name="example.com", ports=external.spec.ports),
    )
    status = status_of(root("routes: [{services: [{name: a, port: 80}]}]"), external)
    assert errors(status) == [MISSING]
    assert "ExternalName" in status.errors[0].message


@pytest.mark.parametrize(
    ("services", "reason", "field"),
    [
        ("{name: a}", "ServicePortInvalid", "services[0].port"),
        ("{name: a, port: 65536}", "ServicePortInvalid", "services[0].port"),
        ("{name: a, port: 80, protocol: gopher}", "UnsupportedProtocol", "services[0].protocol"),
        ("{name: a, port: 80, weight: -1}", "ServiceWeightInvalid", "services[0].weight"),
        ("{name: a, port: 80, weight: 4294967295}, {name: a, port: 80, weight: 1}", "ServiceWeightInvalid", "services"),
    ],
)
def test_a_service_that_cannot_be_takes_its_route_out(services: str, reason: str, field: str) -> None:
    status = status_of(root(f"routes: [{{services: [{services}]}}]"), A)
    assert errors(status) == [("ServiceError", reason)]
    assert status.errors[0].message.startswith(f"spec.routes[0].{field}: ")


def protocol(reference: str, port: ServicePort, **annotations: str) -> Upstream:
    named = {f"projectcontour.io/upstream-protocol.{name}": value for name, value in annotations.items()}
    item = root(f"routes: [{{services: [{{name: a, port: {port.port}{reference}}}]}}]")
    return site(item, service("a", "default", port, **named)).clusters[0].protocol


def test_protocol_of_the_reference_then_of_the_port_then_of_the_annotation() -> None:
    plain, typed = ServicePort(name="web", port=80), ServicePort(name="web", port=80, app_protocol="kubernetes.io/h2c")
    assert protocol("", plain) is Upstream.HTTP1
    assert protocol("", plain, h2="other, web") is Upstream.H2
    assert protocol("", plain, tls="80") is Upstream.TLS
    assert protocol("", typed, tls="80") is Upstream.H2C
    assert protocol(", protocol: h2c", typed, tls="80") is Upstream.H2C
    assert protocol(", protocol: tls", typed) is Upstream.TLS
    assert protocol("", ServicePort(port=80, app_protocol="https")) is Upstream.TLS
    assert protocol("", ServicePort(port=80, app_protocol="something"), h2="80") is Upstream.HTTP1


def test_limits_come_from_annotations() -> None:
    annotated = service(
        "a",
        **{
            "projectcontour.io/max-connections": "10",
            "projectcontour.io/max-pending-requests": "20",
            "projectcontour.io/max-requests": "30",
            "projectcontour.io/max-retries": "40",
            "projectcontour.io/per-host-max-connections": "50",
        },
    )
    (cluster,) = site(root("routes: [{services: [{name: a, port: 80}]}]"), annotated).clusters
    assert cluster.limits == ir.Limits(
        connections=10, pending_requests=20, requests=30, retries=40, connections_per_endpoint=50
    )


def test_a_limit_that_is_no_number_is_told() -> None:
    annotated = service("a", **{"projectcontour.io/max-connections": "many", "projectcontour.io/max-requests": "0"})
    item = root("routes: [{services: [{name: a, port: 80}]}]")
    status = status_of(item, annotated)
    assert status.current_status == "valid"
    assert ["max-connections" in warning.message for warning in status.warnings] == [True]


def test_cluster_names_tell_all_configurations_apart() -> None:
    policies = [
        "",
        "healthCheckPolicy: {path: /}",
        "healthCheckPolicy: {path: /, host: other}",
        "healthCheckPolicy: {path: /, expectedStatuses: [{start: 200, end: 300}]}",
        "loadBalancerPolicy: {strategy: Random}",
        "timeoutPolicy: {idleConnection: 5s}",
    ]
    routes = "".join(
        f"- {{conditions: [{{prefix: /{position}}}], services: [{{name: a, port: 80}}], {policy}}}\n"
        for position, policy in enumerate((*policies, ""))
    )
    clusters = site(root(f"routes:\n{routes}"), A).clusters
    assert len({cluster.name for cluster in clusters}) == len(clusters) == len(policies)
    assert {cluster.name.rpartition("/")[0] for cluster in clusters} == {"default/a/80"}


def test_health_is_checked_at_another_port_of_the_service() -> None:
    ports = (ServicePort(name="web", port=80), ServicePort(name="health", port=81))
    route = "services: [{name: a, port: 80, healthPort: 81}]"
    with_policy = site(root(f"routes: [{{{route}, healthCheckPolicy: {{path: /}}}}]"), service("a", "default", *ports))
    assert with_policy.clusters[0].endpoints == "default/a/web~health"
    without = site(root(f"routes: [{{{route}}}]"), service("a", "default", *ports))
    assert without.clusters[0].endpoints == "default/a/web"
    item = root(f"routes: [{{{route}, healthCheckPolicy: {{path: /}}}}]")
    assert errors(status_of(item, service("a"))) == [MISSING]
