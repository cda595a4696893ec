"""The API server goes away: what is served stays, everybody is told, and what changed meanwhile is served later."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from isoline.cli.control_plane import ControlPlane
from isoline.objects import Condition, GatewayConfig, Key
from isoline.objects.crds import crd_documents
from kubernetes.load import Load
from kubernetes.planes import Edge, defined, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig
from kubernetes.watching import metrics_of, probe
from kubernetes.wires import Wire

AWAY_SECONDS = float(os.environ.get("ISOLINE_AWAY_SECONDS", "0"))
"""How long the API server stays away once that is known; `make faults` has more time."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A Kubernetes that nobody else needs."""
    with Rig(tmp_path_factory.mktemp("own")) as rig:
        yield rig


async def test_without_the_api_server_traffic_goes_on_and_everybody_is_told(own: Rig, tmp_path: Path) -> None:
    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "GatewayConfig")
    with own.inside():
        async with Api(own) as api, defined(api, definition):
            names = {"apiVersion": "isoline.dev/v1alpha1", "kind": "GatewayConfig"}
            await api.apply({**names, "metadata": {"name": "default"}, "spec": {}})
            namespace = await new_namespace(api)
            await api.apply(proxy("steady", namespace, "one"))
            address = own.namespace.new_address()
            options = options_for(own, namespace, adjust=listening_at(address))
            async with running(options) as plane, Edge(own, tmp_path, options, address=address) as edge:
                await edge.until_body("steady.example", "one")
                before = plane.server.stats.resources
                await away_and_back(own, plane, edge)
                # Nothing was sent for the outage.
                assert plane.server.stats.resources == before
                await api.apply(proxy("steady", namespace, "two"))
                await edge.until_body("steady.example", "two")
                edge.stop(kill=True)
                await api.apply(proxy("steady", namespace, "three"))
                own.stop("kube-apiserver", kill=True)
                # What was served last is served to an Envoy that starts meanwhile as well.
                edge.start()
                await edge.until("steady.example", lambda answer: answer[0] == 200)
                await asyncio.to_thread(own.start_api_server)
                await edge.until_body("steady.example", "three")


async def away_and_back(own: Rig, plane: ControlPlane, edge: Edge) -> None:
    """The API server goes, under traffic, and comes again."""
    here = plane.options.metrics.host
    async with Load(edge.address, "steady.example", body="one") as load:
        await load.more()
        own.stop("kube-apiserver", kill=True)
        await edge.until("steady.example", lambda _: up_to_date(plane).status == "False")
        # In words that name the server; which ones depends on what was under way when it went.
        assert up_to_date(plane).reason == "NotFollowed"
        assert up_to_date(plane).message
        assert (await metrics_of(here))["isoline_source_following"] == 0
        assert (await probe(here, "/healthz"), await probe(here, "/readyz")) == (200, 200)
        await asyncio.sleep(AWAY_SECONDS)
        await load.more()
        await asyncio.to_thread(own.start_api_server)
        await edge.until("steady.example", lambda _: up_to_date(plane).status == "True")
        assert (await metrics_of(here))["isoline_source_following"] == 1
        await load.more()


def up_to_date(plane: ControlPlane) -> Condition:
    """What the GatewayConfig's status says of it."""
    config = plane.store.get(Key("GatewayConfig", "", "default"))
    assert isinstance(config, GatewayConfig)
    return next((each for each in config.status.conditions if each.type == "UpToDate"), Condition(type="", status=""))


async def test_a_history_that_is_compacted_meanwhile_loses_no_change(own: Rig, tmp_path: Path) -> None:
    with own.inside():
        async with Api(own) as api, Wire() as wire:
            namespace = await new_namespace(api)
            await api.apply_all([proxy(name, namespace, "one") for name in ("steady", "changes", "goes")])
            address = own.namespace.new_address()
            options = options_for(own, namespace, adjust=listening_at(address))
            by_wire = replace(options, connection=replace(options.connection, server=wire.address))
            async with running(by_wire) as plane, Edge(own, tmp_path, options, address=address) as edge:
                (followed,) = (each for each in plane.source.followed if each.kind.name == "HTTPProxy")
                for name in ("steady", "changes", "goes"):
                    await edge.until_body(f"{name}.example", "one")
                async with Load(edge.address, "steady.example", body="one") as load:
                    await wire.cut()
                    await edge.until("steady.example", lambda _: followed.state == "away")
                    await api.apply_all([proxy("changes", namespace, "two"), proxy("comes", namespace, "two")])
                    await api.delete("HTTPProxy", "goes", namespace=namespace)
                    await compact()
                    # Its own memory of what has changed goes with it.
                    for process in ("kube-apiserver", "etcd"):
                        own.stop(process, kill=True)
                    own.start_etcd()
                    await asyncio.to_thread(own.start_api_server)
                    await wire.mend()
                    for name in ("changes", "comes"):
                        await edge.until_body(f"{name}.example", "two")
                    await edge.until("goes.example", lambda answer: answer[0] == 404)
                    assert followed.lists == 2
                    await load.more()


async def compact() -> None:
    """Have etcd forget every version but the newest of each object."""
    everything = {"key": "AA==", "range_end": "AA==", "count_only": True}
    async with aiohttp.ClientSession("http://127.0.0.1:2379") as etcd:
        async with etcd.post("/v3/kv/range", json=everything) as answer:
            revision = (await answer.json())["header"]["revision"]
        async with etcd.post("/v3/kv/compaction", json={"revision": revision, "physical": True}) as answer:
            assert answer.status == 200, await answer.text()


async def test_before_everything_has_come_nothing_is_served_and_it_is_not_ready(
    rig: Rig, api: Api, tmp_path: Path
) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("late", namespace))
    address = rig.namespace.new_address()
    async with Wire() as wire:
        await wire.cut()
        options = options_for(rig, namespace, adjust=listening_at(address))
        unreachable = replace(options.connection, server=wire.address)
        plane = ControlPlane(replace(options, connection=unreachable))
        living = asyncio.create_task(_live(plane))
        async with Edge(rig, tmp_path, options, address=address) as edge:
            here = options.metrics.host
            await edge.until("late.example", lambda _: bool(plane.server.streams))
            assert (await probe(here, "/readyz"), await probe(here, "/healthz")) == (503, 200)
            assert (await edge.get("late.example"))[0] == 0
            await wire.mend()
            await edge.until_body("late.example", "hello")
            assert await probe(here, "/readyz") == 200
            plane.stop.set()
            await living


async def _live(plane: ControlPlane) -> None:
    async with plane.running():
        await plane.stop.wait()
