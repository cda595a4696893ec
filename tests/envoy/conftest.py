"""A real Envoy with an app behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp.web
import pytest

from isoline.routing import ir
from isoline.xds.resources import Name
from isoline.xds.server import Server
from unit.xds import apps
from unit.xds.apps import App
from unit.xds.edge import Edge, free_port
from unit.xds.support import World


@pytest.fixture
def gateway_ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def gateway(gateway_ports: tuple[int, int]) -> ir.Gateway:
    http, https = gateway_ports
    return ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=http),
        https=ir.Listener(address="127.0.0.1", port=https),
        public_https_port=https,
    )


@pytest.fixture
async def edge(tmp_path: Path, gateway: ir.Gateway, gateway_ports: tuple[int, int]) -> AsyncIterator[Edge]:
    """A gateway with one Envoy, and nothing on it."""
    rejected: list[tuple[Name, str]] = []
    world = World(gateway)
    server = Server(world.cache, address=f"unix:{tmp_path}/xds.sock", on_rejected=lambda *each: rejected.append(each))
    edge = Edge(tmp_path, world, server, *gateway_ports, rejected)
    world.cache.mark_ready()
    await server.start()
    await edge.start_envoy()
    yield edge
    await edge.stop()


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
