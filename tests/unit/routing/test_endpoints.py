"""Where the replicas behind a Service's port are."""

import pytest

from isoline.objects import EndpointSlice, ObjectMeta
from isoline.objects.core import ServicePort
from isoline.objects.discovery import Endpoint, EndpointConditions, EndpointPort
from isoline.routing import ir
from isoline.routing.endpoints import compile_endpoints, endpoints_name
from isoline.routing.settings import Settings
from isoline.routing.view import IndexRead, View
from unit.routing.support import store_of

WEB = EndpointPort(name="web", port=8000)


def slice_of(
    *endpoints: Endpoint,
    name: str = "app-1",
    service: str = "app",
    ports: tuple[EndpointPort, ...] = (WEB,),
    family: str = "IPv4",
) -> EndpointSlice:
    return EndpointSlice(
        metadata=ObjectMeta(name=name, namespace="default", labels={"kubernetes.io/service-name": service}),
        address_type=family,
        endpoints=endpoints,
        ports=ports,
    )


def at(*addresses: str, ready: bool | None = None, terminating: bool | None = None) -> Endpoint:
    return Endpoint(addresses=addresses, conditions=EndpointConditions(ready=ready, terminating=terminating))


def found(name: str, *slices: EndpointSlice) -> list[tuple[str, int]]:
    endpoints, _ = compile_endpoints(name, View(store_of(*slices), Settings()))
    assert endpoints.name == name
    return [(endpoint.address, endpoint.port) for endpoint in endpoints.endpoints]


@pytest.mark.parametrize(
    ("endpoint", "counts"),
    [
        (at("10.0.0.1"), True),
        (at("10.0.0.1", ready=True), True),
        (at("10.0.0.1", ready=False), False),
        (at("10.0.0.1", ready=True, terminating=True), False),
        (at("10.0.0.1", terminating=False), True),
        (at(), False),
        (at("host.example.com"), False),
        (at("fe80::1%eth0"), False),
        (at("::1"), True),
    ],
)
def test_which_endpoints_count(endpoint: Endpoint, counts: bool) -> None:
    assert bool(found("default/app/web", slice_of(endpoint))) is counts


def test_slices_add_up_sorted_and_once() -> None:
    slices = [
        slice_of(at("10.0.0.2"), at("10.0.0.1", "10.0.0.9"), name="b"),
        slice_of(at("10.0.0.2"), name="a"),
        slice_of(at("fd00::1"), name="c", family="IPv6"),
        slice_of(at("host.example.com"), name="d", family="FQDN"),
        slice_of(at("10.9.9.9"), name="e", service="other"),
    ]
    assert found("default/app/web", *slices) == [("10.0.0.1", 8000), ("10.0.0.2", 8000), ("fd00::1", 8000)]


def test_each_replica_may_have_a_port_of_its_own() -> None:
    slices = [
        slice_of(at("127.0.0.1"), name=f"r{port}", ports=(EndpointPort(name="web", port=port),))
        for port in (9002, 9001)
    ]
    assert found("default/app/web", *slices) == [("127.0.0.1", 9001), ("127.0.0.1", 9002)]


def test_a_service_without_slices_has_no_endpoints_and_waits_for_them() -> None:
    endpoints, reads = compile_endpoints("default/app/web", View(store_of(), Settings()))
    assert endpoints == ir.Endpoints(name="default/app/web", endpoints=())
    assert reads == {IndexRead("slices", "default/app")}


@pytest.mark.parametrize(
    ("ports", "label", "number"),
    [
        ((EndpointPort(port=1),), "80", 1),
        ((EndpointPort(name="web", port=1),), "80", None),
        ((EndpointPort(name="web", port=1), EndpointPort(name="api", port=2)), "api", 2),
        ((EndpointPort(name="web", port=1, protocol="UDP"), EndpointPort(name="web", port=2)), "web", 2),
        ((EndpointPort(name="web"),), "web", None),
    ],
)
def test_ports_by_name(ports: tuple[EndpointPort, ...], label: str, number: int | None) -> None:
    wanted = [] if number is None else [("10.0.0.1", number)]
    assert found(f"default/app/{label}", slice_of(at("10.0.0.1"), ports=ports)) == wanted


def test_names() -> None:
    named, numbered = ServicePort(name="web", port=80), ServicePort(port=80)
    assert endpoints_name("ns", "app", named) == "ns/app/web"
    assert endpoints_name("ns", "app", numbered) == "ns/app/80"
    assert endpoints_name("ns", "app", named, named) == "ns/app/web"
    assert endpoints_name("ns", "app", named, ServicePort(name="health", port=81)) == "ns/app/web~health"


def test_health_is_checked_where_each_replica_says() -> None:
    item = slice_of(at("10.0.0.1"), ports=(WEB, EndpointPort(name="health", port=8001)))
    endpoints, _ = compile_endpoints("default/app/web~health", View(store_of(item), Settings()))
    assert endpoints.endpoints == (ir.Endpoint(address="10.0.0.1", port=8000, health_port=8001),)
