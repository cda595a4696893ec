"""Copies of requests reach the mirror, and its answers reach nobody."""

from collections.abc import AsyncIterator

import aiohttp.web
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward

URL = "http://a.example.com/"


class Recorder:
    """An app that fails every request, and remembers it."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[tuple[str, str, bytes]] = []

    async def record(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        self.seen.append((request.headers["host"], request.path, await request.read()))
        return aiohttp.web.Response(status=500)


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    recorder = Recorder()
    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", recorder.record)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    recorder.port = runner.addresses[0][1]
    yield recorder
    await runner.cleanup()


def site(percent: int) -> ir.Site:
    app, copy = cluster("app"), cluster("copy")
    route = forward(app.name)
    assert isinstance(route.action, ir.Forward)
    action = msgspec.structs.replace(route.action, mirror=ir.Mirror(cluster=copy.name, percent=percent))
    return ir.Site(host="a.example.com", http=(msgspec.structs.replace(route, action=action),), clusters=(app, copy))


async def test_the_mirror_sees_what_the_app_answers(edge: Edge, app: App, recorder: Recorder) -> None:
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("copy", recorder.port))
    edge.world.put(site(100))
    await edge.answers(URL)
    async with edge.client() as client:
        answer = await client.post(
            f"http://127.0.0.1:{edge.http_port}/say", headers={"host": "a.example.com"}, content=b"hello"
        )
    assert (answer.status_code, answer.json()["app"]) == (200, "app")

    async def mirrored() -> bool:
        return ("a.example.com-shadow", "/say", b"hello") in recorder.seen

    await edge.eventually(mirrored)


async def test_a_part_of_the_requests(edge: Edge, app: App, recorder: Recorder) -> None:
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("copy", recorder.port))
    edge.world.put(site(50))
    await edge.answers(URL)
    async with edge.client() as client:
        for _ in range(100):
            assert (await edge.send(client, URL + "part")).status_code == 200

    async def some() -> bool:
        return len(recorder.seen) > 20

    await edge.eventually(some)
    assert len(recorder.seen) < 80


async def test_a_mirror_that_is_not_there_harms_nobody(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("copy"))
    edge.world.put(site(100))
    await edge.answers(URL)
