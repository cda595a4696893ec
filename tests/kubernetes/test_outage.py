"""The API server goes away: what is served stays, everybody is told, and what changed meanwhile is served later."""

import asyncio
from dataclasses import replace
from pathlib import Path

from isoline.cli.control_plane import ControlPlane
from kubernetes.planes import Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig
from kubernetes.watching import metrics_of, probe
from kubernetes.wires import Wire


async def test_without_the_api_server_traffic_goes_on_and_figures_say_that_it_is_away(tmp_path: Path) -> None:
    with Rig(tmp_path / "rig") as rig, rig.inside():
        async with Api(rig) as api:
            namespace = await new_namespace(api)
            await api.apply(proxy("steady", namespace, "one"))
            address = rig.namespace.new_address()
            options = options_for(rig, namespace, adjust=listening_at(address))
            async with running(options) as plane, Edge(rig, tmp_path, options, address=address) as edge:
                await edge.until_body("steady.example", "one")
                before = plane.server.stats.resources
                rig.stop("kube-apiserver", kill=True)
                await edge.until("steady.example", lambda _: not plane.source.connectivity().following)
                here = options.metrics.host
                assert await edge.get("steady.example") == (200, "one")
                assert (await metrics_of(here))["isoline_source_following"] == 0
                assert (await probe(here, "/healthz"), await probe(here, "/readyz")) == (200, 200)
                rig.start_api_server()
                await api.apply(proxy("steady", namespace, "two"))
                await edge.until_body("steady.example", "two")
                await edge.until("steady.example", lambda _: plane.source.connectivity().following)
                assert (await metrics_of(here))["isoline_source_following"] == 1
                # One site changed, and nothing else was sent for the outage.
                assert plane.server.stats.resources <= before + 4


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
