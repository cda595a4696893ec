"""Control planes are killed and replaced while people use the site and objects change: nobody notices."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from kubernetes.load import Balancer, Load, app, echoes
from kubernetes.planes import XDS, Edge, new_namespace, options_for, proxy
from kubernetes.rig import Api, Rig
from kubernetes.watching import metrics_of, probe

ISOLINE = Path(sys.executable).parent / "isoline"
SITES = 5
PATIENCE = 90.0


class Fleet:
    """Control planes as processes, behind one address for their Envoys."""

    def __init__(self, rig: Rig, api: Api, namespace: str, envoy: str) -> None:
        self.addresses: dict[str, str] = {}
        """By the name of the replica."""
        self._rig = rig
        self._api = api
        self._namespace = namespace
        self._envoy = envoy

    async def start(self, name: str, balancer: Balancer) -> None:
        """Start a replica; it is in service from when it is ready."""
        address = self.addresses[name] = self._rig.namespace.new_address()
        self._rig.spawn(
            self._process(name),
            [
                *(ISOLINE, "control-plane", "--kubeconfig", self._rig.kubeconfig),
                *("--watch-namespaces", self._namespace, "--xds-address", address, "--xds-port", str(XDS)),
                *("--insecure", "--metrics-address", f"{address}:8000"),
                *("--envoy-service-http-address", self._envoy, "--http-port", "8080"),
                *("--envoy-service-https-address", self._envoy, "--https-port", "8443"),
                *("--leader-election-resource-namespace", self._namespace),
                *("--leader-election-lease-duration", "2s", "--leader-election-renew-deadline", "1.5s"),
                *("--leader-election-retry-period", "200ms"),
            ],
        )
        await ready(address)
        balancer.targets.append(address)

    def end(self, name: str, balancer: Balancer, *, kill: bool = False) -> None:
        """End a replica."""
        address = self.addresses.pop(name)
        if address in balancer.targets:
            balancer.targets.remove(address)
        self._rig.stop(self._process(name), kill=kill)

    async def leader(self) -> str:
        """Wait for one of them to lead, and return its name."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for name, address in self.addresses.items():
                    if (await metrics_of(address))["isoline_leader"]:
                        return name
                await asyncio.sleep(0.05)

    def _process(self, name: str) -> str:
        return f"{self._namespace}-{name}"


async def ready(address: str) -> None:
    """Wait until a replica is ready."""
    async with asyncio.timeout(PATIENCE):
        while await probe(address, "/readyz") != 200:  # noqa: ASYNC110 - as a kubelet does
            await asyncio.sleep(0.05)


class Writer:
    """Changes sites one after the other, and knows what it wrote last."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.last: dict[str, str] = {}
        self._api = api
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def more(self, changes: int) -> None:
        """Wait for so many more changes."""
        enough = self._count + changes
        async with asyncio.timeout(30):
            while self._count < enough and not self._task.done():  # noqa: ASYNC110 - simply counted
                await asyncio.sleep(0.02)
        assert not self._task.done()

    async def _run(self) -> None:
        self._count = 0
        for self._count in itertools.count(1):
            name = f"site-{self._count % SITES}"
            # A write that is cancelled may have come: what is noted is noted before.
            self.last[name] = f"version {self._count}"
            await asyncio.shield(self._api.apply(proxy(name, self._namespace, self.last[name])))
            await asyncio.sleep(0.02)


@asynccontextmanager
async def two_replicas(rig: Rig, api: Api, folder: Path) -> AsyncIterator[tuple[Fleet, Balancer, Edge, str]]:
    """Two control planes, an Envoy that reaches either, and a site `steady.example` of an app."""
    namespace = await new_namespace(api)
    envoy, front = rig.namespace.new_address(), rig.namespace.new_address()
    options = options_for(rig, namespace)
    options = replace(options, xds=options.xds._replace(host=front))
    fleet = Fleet(rig, api, namespace, envoy)
    route = {"services": [{"name": "app", "port": 80}], "enableWebsockets": True}
    async with app(api, namespace, rig.namespace.new_address()), Balancer(front, XDS) as balancer:
        await api.apply(proxy("steady", namespace, routes=[route]))
        try:
            await asyncio.gather(fleet.start("a", balancer), fleet.start("b", balancer))
            async with Edge(rig, folder, options, address=envoy) as edge:
                await edge.until_body("steady.example", "hello")
                yield fleet, balancer, edge, namespace
        finally:
            for name in list(fleet.addresses):
                fleet.end(name, balancer, kill=True)


async def everything_came(api: Api, edge: Edge, namespace: str, last: dict[str, str]) -> None:
    """What was written last is served, and has a status."""
    for name, body in last.items():
        await edge.until_body(f"{name}.example", body)
        await api.wait("HTTPProxy", name, judged, namespace=namespace)


def judged(item: dict[str, Any]) -> bool:
    """Whether the status is of this generation."""
    conditions = item.get("status", {}).get("conditions", ())
    return bool(conditions) and conditions[0].get("observedGeneration") == item["metadata"]["generation"]


async def test_the_leader_is_killed_while_objects_change(rig: Rig, api: Api, tmp_path: Path) -> None:
    async with (
        two_replicas(rig, api, tmp_path) as (fleet, balancer, edge, namespace),
        Load(edge.address, "steady.example", body="hello") as load,
        Writer(api, namespace) as writer,
    ):
        held = await load.websocket()
        leader = await fleet.leader()
        # The Envoy is the leader's: it has to find the other one as well.
        await asyncio.gather(writer.more(10), load.more())
        fleet.end(leader, balancer, kill=True)
        await asyncio.gather(writer.more(10), load.more())
        assert await fleet.leader() != leader
        await asyncio.gather(writer.more(10), load.more())
        await writer.stop()
        await everything_came(api, edge, namespace, writer.last)
        await load.more()
        await echoes(held)


async def test_replicas_are_replaced_one_by_one_as_in_a_rolling_update(rig: Rig, api: Api, tmp_path: Path) -> None:
    async with (
        two_replicas(rig, api, tmp_path) as (fleet, balancer, edge, namespace),
        Load(edge.address, "steady.example", body="hello") as load,
        Writer(api, namespace) as writer,
    ):
        held = await load.websocket()
        for old, new in (("a", "c"), ("b", "d")):
            await fleet.start(new, balancer)
            fleet.end(old, balancer)
            await asyncio.gather(writer.more(10), load.more())
        assert await fleet.leader() in ("c", "d")
        await writer.stop()
        await everything_came(api, edge, namespace, writer.last)
        await load.more()
        await echoes(held)
