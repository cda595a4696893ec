"""Checks with a host each, tried side by side through one Envoy, so that many settings cost the time of one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from isoline.routing import ir
from isoline.routing.compiler import compile_site
from isoline.routing.settings import Settings
from isoline.routing.view import View
from unit.routing.support import objects, store_of
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import endpoints

Check = Callable[[Edge, str], Coroutine[Any, Any, None]]
"""Is given the URL of its host, with a slash at the end."""

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: SERVICE, namespace: default}
spec: {ports: [{port: 80}]}
---
"""
BY_HEADER = "loadBalancerPolicy: {strategy: RequestHash, requestHashPolicies: [{headerHashOptions: {headerName: x}}]}"
"""Of a route whose replica is chosen by the header x."""


class ManyHosts:
    """Manifests with what is checked of them.

    Each has a Service of its own: of `mixed` one replica fails at /healthz and the other does not, both of `sick` do,
    and the one of `good` never does. The app takes a second for /slow.
    """

    def __init__(self) -> None:
        self._checks: list[tuple[str, str, Check]] = []

    def add(self, manifests: str, service: str, check: Check) -> None:
        """Add a check of manifests in which HOST stands for its host, and SERVICE for the Service."""
        self._checks.append((SERVICE + manifests, service, check))

    async def check(self, edge: Edge, start_app: Callable[[str], Awaitable[App]]) -> None:
        """Serve all hosts and try all checks."""
        good, *sick = [(await start_app(name)).port for name in ("good", "sick", "sick")]
        replicas = {"good": [good], "mixed": [good, sick[0]], "sick": sick}
        for number, (manifests, service, _) in enumerate(self._checks):
            host, name = f"{number}.example.com", f"{service}-{number}"
            found = endpoints("", *replicas[service]).endpoints
            edge.world.put_endpoints(ir.Endpoints(name=f"default/{name}/80", endpoints=found))
            items = objects(manifests.replace("HOST", host).replace("SERVICE", name))
            compiled = compile_site(host, View(store_of(*items), Settings()))
            assert compiled.site is not None
            assert all(not status.errors for status in compiled.statuses.values()), compiled.statuses
            edge.world.put(compiled.site)
        async with asyncio.TaskGroup() as group:
            for number, (_, _, check) in enumerate(self._checks):
                group.create_task(_tried(edge, f"http://{number}.example.com/", check), name=check.__name__)
        assert edge.rejected == []


async def _tried(edge: Edge, url: str, check: Check) -> None:
    await edge.answers(f"{url}warm-up")
    await check(edge, url)


async def of_twenty_clients(edge: Edge, url: str) -> set[int]:
    """The statuses of /healthz for requests that go to replicas of their own."""
    return {(await edge.get(f"{url}healthz", headers={"x": str(number)})).status_code for number in range(20)}
