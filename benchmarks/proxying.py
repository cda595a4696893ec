"""The table that people know: POST /predict with an audio file, through Isoline and through nginx, to one backend.

One core for the proxy, the other for the load and the backend, so that neither helps the other.
"""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from benchmarks import manifests
from benchmarks.load import Load, post
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.servers import backend_configuration, nginx, proxy_configuration
from benchmarks.stack import Stack
from benchmarks.websockets_under_change import Outcome, echo_server, open_websocket
from benchmarks.websockets_under_change import measure as hold_websockets

PROXY_CPU, LOAD_CPU = 0, 1
BODY_BYTES = 100_000
CONNECTIONS = 50
SECONDS = 8
ROUNDS = 3
WEBSOCKET_SECONDS = 20
HOST = manifests.host(0)
NO_ACCESS_LOG = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "GatewayConfig",
    "metadata": {"name": "default"},
    "spec": {"accessLog": {"enabled": False}},
}
"""nginx writes none here either."""


async def measure() -> dict[str, Any]:
    return {"predict": await _predict(), "websockets": await _websockets()}


async def _predict() -> dict[str, Any]:
    """Rounds of all in turn, so that a machine that drifts drifts for all; the median round of each by rate."""
    backend, default, tuned = free_port(), free_port(), free_port()
    rounds: dict[str, list[Load]] = {}
    with ExitStack() as servers:
        servers.enter_context(nginx(backend_configuration(backend), backend, cpu=LOAD_CPU))
        for port, kind in ((default, "default"), (tuned, "tuned")):
            servers.enter_context(nginx(proxy_configuration(port, backend, kind=kind), port, cpu=PROXY_CPU))
        async with Stack() as stack:
            await _serve(stack, backend)
            candidates = {
                "isoline": stack.http_port,
                "nginx, default": default,
                "nginx, tuned": tuned,
                "direct": backend,
            }
            for _ in range(ROUNDS):
                for name, port in candidates.items():
                    load = await asyncio.to_thread(
                        post,
                        port,
                        HOST,
                        size=BODY_BYTES,
                        connections=CONNECTIONS,
                        seconds=SECONDS,
                        cpu=LOAD_CPU,
                    )
                    rounds.setdefault(name, []).append(load)
    medians = {name: sorted(loads)[len(loads) // 2] for name, loads in rounds.items()}
    result: dict[str, Any] = {name: _as_dict(load, rounds[name]) for name, load in medians.items()}
    ours, theirs = medians["isoline"], medians["nginx, default"]
    result["ratio"] = {"rate": round(ours.rate / theirs.rate, 2), "p95": round(ours.p95 / theirs.p95, 2)}
    print(f"  POST /predict: {result}", flush=True)
    return result


def _as_dict(load: Load, rounds: list[Load]) -> dict[str, Any]:
    figures = {name: round(value, 2) for name, value in load._asdict().items()}
    # Of all rounds: one error in the worst of them is an error.
    return {**figures, "errors": sum(each.errors for each in rounds)}


async def _serve(stack: Stack, port: int) -> None:
    stack.start(cpu=PROXY_CPU)
    await stack.ready()
    await stack.apply([NO_ACCESS_LOG, *manifests.backend(port), manifests.site(0)])
    await Probe(stack.http_port).until(HOST, "0")


async def _websockets() -> dict[str, Any]:
    backend = free_port()
    result: dict[str, Any] = {}
    async with AsyncExitStack() as servers:
        await servers.enter_async_context(echo_server(backend))
        async with Stack() as stack:
            stack.start()
            await stack.ready()
            await stack.apply([*manifests.backend(backend), manifests.site(0)])
            await _until_upgrades(stack.http_port)
            result["isoline"] = _told(
                await hold_websockets(stack.http_port, HOST, _applying(stack), seconds=WEBSOCKET_SECONDS)
            )
        port = free_port()
        with nginx(proxy_configuration(port, backend, kind="websocket"), port) as process:
            result["nginx, reload"] = _told(
                await hold_websockets(port, HOST, _reloading(process), seconds=WEBSOCKET_SECONDS)
            )
    print(f"  WebSockets while configuration changes: {json.dumps(result)}", flush=True)
    return result


def _told(outcome: Outcome) -> dict[str, int]:
    return outcome._asdict()


async def _until_upgrades(port: int) -> None:
    for _ in range(100):
        connection = await open_websocket(port, HOST)
        if connection is not None:
            await connection.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("no WebSocket can be opened")


def _applying(stack: Stack) -> Callable[[], Awaitable[None]]:
    """Changes the very site that the WebSockets go through, and adds another."""
    version = 0

    async def change() -> None:
        nonlocal version
        version += 1
        await stack.apply([manifests.site(0, version=str(version)), manifests.site(version)])

    return change


def _reloading(process: "subprocess.Popen[bytes]") -> Callable[[], Awaitable[None]]:
    async def change() -> None:
        process.send_signal(1)

    return change
