"""Which ports the gateway takes, and what is said of one that cannot be had."""

import socket
from collections.abc import Iterator

import pytest
from benchmarks.ports import free_port

from isoline.cli.ports import PortError, choose
from isoline.objects import GatewayConfig
from unit.routing.support import objects


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_to_be_another(taken: int) -> None:
    with pytest.raises(PortError, match=rf"^port {taken} for https cannot be .* give another by --https-port$"):
        choose(None, http=free_port(), https=taken, running=None)


def test_a_port_of_the_gateway_config_that_is_taken_is_to_be_another_there(taken: int) -> None:
    (config,) = objects(f"""
        apiVersion: isoline.dev/v1alpha1
        kind: GatewayConfig
        metadata: {{name: default}}
        spec: {{listeners: {{http: {{port: {taken}}}}}}}
    """)
    assert isinstance(config, GatewayConfig)
    with pytest.raises(PortError, match=r"give another by spec\.listeners\.http\.port of the GatewayConfig$"):
        choose(config, http=1, https=None, running=None)
