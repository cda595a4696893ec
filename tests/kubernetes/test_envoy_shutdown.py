"""An Envoy of a cluster ends when nothing is open any more: requests that are under way are answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from isoline.envoy.admin import AdminClient
from isoline.envoy.shutdown import Shutdown, ShutdownManager, shut_down
from kubernetes.planes import HTTP, Edge, apply_service, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

PORT = 9000


@asynccontextmanager
async def app(api: Api, namespace: str, address: str, hold: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """A Service of one pod that answers `/slow` only when it may; the event tells that a request is there."""
    came = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        came.set()
        await hold.wait()
        return web.Response(text="done")

    web_app = web.Application()
    web_app.router.add_get("/slow", slow)
    runner = web.AppRunner(web_app)
    await runner.setup()
    await web.TCPSite(runner, address, PORT).start()
    await apply_service(api, namespace, address, PORT)
    await api.apply(proxy("draining", namespace, routes=[{"services": [{"name": "app", "port": 80}]}]))
    try:
        yield came
    finally:
        await runner.cleanup()


async def asked(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    """Status and body of an answer."""
    async with session.get(url) as response:
        return response.status, await response.text()


async def test_envoy_may_go_when_its_last_request_is_answered(rig: Rig, api: Api, tmp_path: Path) -> None:
    namespace = await new_namespace(api)
    address, hold = rig.namespace.new_address(), asyncio.Event()
    ready_file = tmp_path / "ok"
    ready_file.write_text("from the last time")
    options = options_for(rig, namespace, adjust=listening_at(address))
    async with (
        app(api, namespace, rig.namespace.new_address(), hold) as came,
        running(options),
        Edge(rig, tmp_path, options, address=address) as edge,
        aiohttp.ClientSession() as session,
    ):
        await edge.until("draining.example", lambda answer: answer[0] == 404)
        url, headers = f"http://{address}:{HTTP}/slow", {"Host": "draining.example"}
        request = asyncio.create_task(session.get(url, headers=headers))
        await came.wait()
        manager = ShutdownManager(ready_file, AdminClient(Path(edge.settings.admin_address)), host=address, port=8090)
        await manager.start()
        assert (await asked(session, f"http://{address}:8090/ready"))[0] == 200
        status, figures = await asked(session, f"http://{address}:8090/metrics")
        assert status == 200
        assert "# TYPE envoy_server_live gauge" in figures
        pre_stop = asyncio.create_task(session.get(f"http://{address}:8090/shutdown"))
        settings = Shutdown(ready_file=ready_file, check_interval=0.05)
        draining = asyncio.create_task(shut_down(AdminClient(Path(edge.settings.admin_address)), settings))
        await edge.until("draining.example", lambda answer: answer[0] == 404)
        assert not draining.done()
        assert not pre_stop.done()
        assert (await asked(session, f"http://{address}:8090/ready"))[0] == 503
        hold.set()
        async with await request as response:
            assert (response.status, await response.text()) == (200, "done")
            assert response.headers["Connection"] == "close"
        await draining
        async with await pre_stop as answer:
            assert answer.status == 200
    await manager.stop()


async def test_an_envoy_that_is_gone_keeps_nobody_waiting(tmp_path: Path) -> None:
    settings = Shutdown(ready_file=tmp_path / "admin" / "ok")
    await shut_down(AdminClient(tmp_path / "admin.sock"), settings)
    assert settings.ready_file.exists()
