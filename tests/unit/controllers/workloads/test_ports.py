"""Ports: each replica has its own, and what manifests call them still leads there."""

import socket

import pytest

from isoline.controllers.workloads.ports import (
    ADDRESS,
    FIRST,
    LAST,
    PortAllocator,
    declared,
    is_free,
    real_port,
    variables,
)
from isoline.objects.containers import Container, ContainerPort

WEB = Container(
    name="web",
    ports=(
        ContainerPort(name="http", container_port=8080),
        ContainerPort(name="grpc-web", container_port=9090),
        ContainerPort(name="dns", container_port=53, protocol="UDP"),
    ),
)
PLAIN = Container(name="plain")


def test_no_port_is_given_twice_nor_one_that_somebody_listens_on() -> None:
    allocator = PortAllocator()
    taken = [allocator.take() for _ in range(50)]

    assert len(set(taken)) == 50
    assert all(FIRST <= port <= LAST for port in taken)
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


def test_a_port_that_somebody_took_while_the_container_was_down_is_replaced() -> None:
    allocator = PortAllocator()
    real = {8080: allocator.take(), 9090: allocator.take()}
    before = dict(real)
    with socket.socket() as intruder:
        intruder.bind((ADDRESS, real[8080]))
        intruder.listen()
        allocator.renew(real)

    assert real[8080] != before[8080]
    assert real[9090] == before[9090]


def test_tcp_ports_count_and_a_container_without_any_has_one() -> None:
    assert declared(WEB) == (8080, 9090)
    assert declared(PLAIN) == (0,)


@pytest.mark.parametrize(
    ("wanted", "container", "real", "port"),
    [
        (8080, WEB, {8080: 20001, 9090: 20002}, 20001),
        ("http", WEB, {8080: 20001, 9090: 20002}, 20001),
        ("9090", WEB, {8080: 20001, 9090: 20002}, 20002),
        (7860, WEB, {8080: 20001, 9090: 20002}, 7860),
        (7860, PLAIN, {0: 20003}, 20003),
    ],
)
def test_a_declared_port_leads_to_the_real_one(
    wanted: int | str, container: Container, real: dict[int, int], port: int
) -> None:
    assert real_port(wanted, container, real) == port


def test_a_name_that_is_not_declared_leads_nowhere() -> None:
    with pytest.raises(LookupError, match="web has no port named 'admin'"):
        real_port("admin", WEB, {8080: 1, 9090: 2})


def test_a_program_is_told_all_its_ports() -> None:
    assert variables(WEB, {8080: 20001, 9090: 20002}) == {
        "HOST": "127.0.0.1",
        "PORT": "20001",
        "PORT_HTTP": "20001",
        "PORT_GRPC_WEB": "20002",
    }
