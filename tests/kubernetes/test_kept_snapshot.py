"""A control plane starts again while the API server is away: an Envoy that starts with nothing gets what was kept."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from isoline.cli.control_plane import ControlPlane
from isoline.cli.control_plane_options import Options
from kubernetes.planes import Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig
from kubernetes.wires import Wire


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where a snapshot is kept."""
    return tmp_path / "snapshot.sqlite3"


@asynccontextmanager
async def starting(options: Options) -> AsyncIterator[ControlPlane]:
    """A control plane that nobody waits for."""
    plane = ControlPlane(options)

    async def live() -> None:
        async with plane.running():
            await plane.stop.wait()

    living = asyncio.create_task(live())
    try:
        yield plane
    finally:
        plane.stop.set()
        await asyncio.gather(living, return_exceptions=True)


async def asked(options: Options, path: str) -> tuple[int, str]:
    url = f"http://{options.metrics.host}:{options.metrics.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def until_ready(options: Options) -> None:
    """There is no event for it: that the API server is away is found out by trying."""
    async with asyncio.timeout(30):
        while (await asked(options, "/readyz"))[0] != 200:  # noqa: ASYNC110 - simply asked
            await asyncio.sleep(0.05)


async def serves_kept(options: Options) -> bool:
    return "isoline_snapshot_served 1.0" in (await asked(options, "/metrics"))[1]


async def test_an_envoy_that_starts_while_the_api_server_is_away_is_served_what_was_kept(
    rig: Rig, api: Api, tmp_path: Path, kept: Path
) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("kept", namespace, "one"))
    address = rig.namespace.new_address()
    async with Wire() as wire:
        options = options_for(rig, namespace, snapshot=kept, adjust=listening_at(address))
        options = replace(options, connection=replace(options.connection, server=wire.address))
        async with running(options), Edge(rig, tmp_path, options, address=address) as edge:
            await edge.until_body("kept.example", "one")
            assert not await serves_kept(options)
        await wire.cut()
        async with starting(options), Edge(rig, tmp_path, options, address=address) as edge:
            await edge.until_body("kept.example", "one")
            assert await serves_kept(options)
            await until_ready(options)
            await api.apply(proxy("kept", namespace, "two"))
            await wire.mend()
            await edge.until_body("kept.example", "two")
            assert not await serves_kept(options)


async def test_an_envoy_that_holds_something_newer_keeps_it(rig: Rig, api: Api, tmp_path: Path, kept: Path) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("newer", namespace, "one"))
    address = rig.namespace.new_address()
    async with Wire() as wire:
        options = options_for(rig, namespace, snapshot=kept, adjust=listening_at(address))
        options = replace(options, connection=replace(options.connection, server=wire.address))
        async with Edge(rig, tmp_path, options, address=address) as edge:
            async with running(options):
                await edge.until_body("newer.example", "one")
            older = shutil.copy(kept, tmp_path / "older")
            async with running(options):
                await api.apply(proxy("newer", namespace, "two"))
                await edge.until_body("newer.example", "two")
            shutil.copy(older, kept)
            await wire.cut()
            async with starting(options) as plane:
                await edge.until("newer.example", lambda _: any(not each.fresh for each in plane.server.streams))
                assert plane.cache.restored
                assert await edge.get("newer.example") == (200, "two")
                await wire.mend()
                await edge.until("newer.example", lambda _: plane.cache.ready)
                assert await edge.get("newer.example") == (200, "two")
                # Nor was it sent the older version and then the newer one again.
                assert plane.server.stats.resources == 0


async def test_what_was_kept_under_other_flags_is_not_served(rig: Rig, api: Api, tmp_path: Path, kept: Path) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("kept", namespace))
    address = rig.namespace.new_address()
    options = options_for(rig, namespace, snapshot=kept, adjust=listening_at(address))
    async with running(options) as plane:
        assert plane.cache.ready
    assert kept.stat().st_mode & 0o777 == 0o600
    assert ControlPlane(options).flow.restore()
    narrower = listening_at(address, root_namespaces=("elsewhere",))
    assert not ControlPlane(replace(options, adjust=narrower)).flow.restore()
