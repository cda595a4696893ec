"""Envoys are killed and replaced while people use the site."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.envoy.admin import AdminClient
from isoline.envoy.shutdown import Shutdown, shut_down
from kubernetes.load import Balancer, Load, app, echoes
from kubernetes.planes import HTTP, Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

PATIENCE = 30.0


@asynccontextmanager
async def two_envoys(rig: Rig, api: Api, folder: Path) -> AsyncIterator[tuple[Edge, Edge, str]]:
    """Two Envoys that serve `steady.example` of an app. They share a network, so each has a replica to tell it its
    address."""
    namespace = await new_namespace(api)
    route = {"services": [{"name": "app", "port": 80}], "enableWebsockets": True}
    await api.apply(proxy("steady", namespace, routes=[route]))
    places = [rig.namespace.new_address(), rig.namespace.new_address()]
    lease = LeaseSettings(namespace=namespace)
    a, b = (options_for(rig, namespace, lease=lease, adjust=listening_at(place)) for place in places)
    async with (
        app(api, namespace, rig.namespace.new_address()),
        running(a),
        running(b),
        Edge(rig, folder, a, address=places[0]) as first,
        Edge(rig, folder, b, address=places[1]) as second,
    ):
        for edge in (first, second):
            await edge.until_body("steady.example", "hello")
        yield first, second, namespace


async def test_an_envoy_that_is_killed_harms_no_other_and_comes_back_with_what_is_wanted_then(
    rig: Rig, api: Api, tmp_path: Path
) -> None:
    async with (
        two_envoys(rig, api, tmp_path) as (first, second, namespace),
        Load(second.address, "steady.example", body="hello") as load,
    ):
        await load.more()
        first.stop(kill=True)
        await api.apply(proxy("meanwhile", namespace, "news"))
        await load.more()
        first.start()
        await first.until_body("meanwhile.example", "news")
        await first.until_body("steady.example", "hello")
        await load.more()


async def test_an_envoy_is_replaced_and_websockets_keep_it_until_they_end(rig: Rig, api: Api, tmp_path: Path) -> None:
    async with (
        two_envoys(rig, api, tmp_path) as (old, new, _),
        Balancer(rig.namespace.new_address(), HTTP, old.address, new.address) as balancer,
        Load(balancer.address, "steady.example", body="hello") as load,
    ):
        held = await load.websocket()
        await load.more()
        settings = Shutdown(ready_file=tmp_path / "ok", check_interval=0.05)
        draining = asyncio.create_task(shut_down(AdminClient(Path(old.settings.admin_address)), settings))
        # It takes what still comes, for whoever balances has not heard yet.
        await load.more()
        balancer.targets.remove(old.address)
        await load.more()
        await echoes(held)
        assert not draining.done()
        await held.close()
        async with asyncio.timeout(PATIENCE):
            await draining
        old.stop()
        await load.more()
        await echoes(await load.websocket())
