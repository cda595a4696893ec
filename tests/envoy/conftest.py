"""A real Envoy with an app behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp.web
import pytest

from isoline.routing import ir
from unit.xds import apps
from unit.xds.apps import App
from unit.xds.edge import Edge, free_port, gateway_on, running_edge


@pytest.fixture
def gateway_ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def gateway(gateway_ports: tuple[int, int]) -> ir.Gateway:
    return gateway_on(*gateway_ports)


@pytest.fixture
async def edge(tmp_path: Path, gateway: ir.Gateway, gateway_ports: tuple[int, int]) -> AsyncIterator[Edge]:
    """A gateway with one Envoy, and nothing on it."""
    async with running_edge(tmp_path, gateway, *gateway_ports) as edge:
        yield edge


@pytest.fixture
async def start_app() -> AsyncIterator[Callable[[str], Awaitable[App]]]:
    """Starts apps by name; they end with the test."""
    runners: list[aiohttp.web.AppRunner] = []

    async def start(name: str) -> App:
        app, runner = await apps.start(name)
        runners.append(runner)
        return app

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def app(start_app: Callable[[str], Awaitable[App]]) -> App:
    return await start_app("app")
