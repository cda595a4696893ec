"""Redirects of an app that the gateway follows itself."""

from collections.abc import AsyncIterator

import aiohttp.web
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, prefix

HOST = "a.example.com"


class Signpost:
    """An app that sends everybody on: `/<status>/<where>` to where, anything else is the goal."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[dict[str, str]] = []

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        status, _, where = request.path[1:].partition("/")
        if not status.isdigit():
            return aiohttp.web.Response(text=f"{request.host}{request.path}")
        scheme = request.query.get("scheme", request.headers["x-forwarded-proto"])
        location = f"{scheme}://{request.query.get('host', HOST)}/{where}"
        return aiohttp.web.Response(status=int(status), headers={"location": location})


@pytest.fixture
async def signpost() -> AsyncIterator[Signpost]:
    signpost = Signpost()
    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", signpost.answer)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    signpost.port = runner.addresses[0][1]
    yield signpost
    await runner.cleanup()


async def put(edge: Edge, signpost: Signpost, policy: ir.FollowRedirects | None, host: str = HOST) -> None:
    target = cluster("app")
    edge.world.put_endpoints(endpoints("app", signpost.port))
    everything = forward(target.name)
    assert isinstance(everything.action, ir.Forward)
    action = msgspec.structs.replace(everything.action, follow_redirects=policy)
    routes = (
        forward(target.name, match=prefix("/plain"), name="plain"),
        msgspec.structs.replace(everything, action=action),
    )
    name = f"default/{host}"
    edge.world.put_certificate(certificate(name, host), [host])
    edge.world.put(ir.Site(host=host, http=routes, https=routes, tls=ir.Tls(certificate=name), clusters=(target,)))
    await edge.answers(f"http://{host}/goal")
    await edge.answers(f"https://{host}/goal")
    signpost.seen.clear()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_client_gets_the_goal(edge: Edge, signpost: Signpost, scheme: str) -> None:
    await put(edge, signpost, ir.FollowRedirects())
    answer = await edge.get(f"{scheme}://{HOST}/302/goal")
    assert (answer.status_code, answer.text) == (200, f"{HOST}/goal")
    assert len(signpost.seen) == 2
    assert signpost.seen[1]["x-envoy-original-url"] == f"{scheme}://{HOST}/302/goal"
    assert (await edge.get(f"{scheme}://{HOST}/301/goal")).status_code == 301
    assert edge.rejected == []


async def test_of_which_statuses_and_how_many(edge: Edge, signpost: Signpost) -> None:
    await put(edge, signpost, ir.FollowRedirects(most=2, status_codes=(302, 303, 307)))
    assert (await edge.get(f"http://{HOST}/307/303/goal")).text == f"{HOST}/goal"
    assert (await edge.get(f"http://{HOST}/307/303/302/goal")).status_code == 302
    assert (await edge.get(f"http://{HOST}/301/goal")).status_code == 301


@pytest.mark.parametrize(("schemes", "up", "down"), [("same", 302, 302), ("safe", 302, 200), ("any", 200, 200)])
async def test_to_another_scheme(edge: Edge, signpost: Signpost, schemes: str, up: int, down: int) -> None:
    policy = msgspec.structs.replace(ir.FollowRedirects(), schemes=schemes)
    await put(edge, signpost, policy)
    assert (await edge.get(f"http://{HOST}/302/goal?scheme=https")).status_code == up
    assert (await edge.get(f"https://{HOST}/302/goal?scheme=http")).status_code == down


async def test_a_route_that_was_taken_is_the_clients(edge: Edge, signpost: Signpost) -> None:
    await put(edge, signpost, ir.FollowRedirects(most=3, same_route_once=True))
    assert (await edge.get(f"http://{HOST}/302/plain")).text == f"{HOST}/plain"
    assert (await edge.get(f"http://{HOST}/302/goal")).text == f"{HOST}/goal"
    assert (await edge.get(f"http://{HOST}/302/302/goal")).status_code == 302


async def test_to_another_host_of_this_gateway(edge: Edge, signpost: Signpost) -> None:
    await put(edge, signpost, None, "b.example.com")
    await put(edge, signpost, ir.FollowRedirects())
    answer = await edge.get(f"http://{HOST}/302/goal?host=b.example.com")
    assert answer.status_code == 302, answer.text
    assert (await edge.get(f"http://{HOST}/302/goal?host=unknown.example.com")).status_code == 302
