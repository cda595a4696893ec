"""What works is not taken away before what replaces it works: swaps, shifts and rolls under load and over streams."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, certificate, cluster, endpoints, forward, prefix, respond

Start = Callable[[str], Awaitable[App]]

A, B = "a.example.com", "b.example.com"
CHECK = ir.HealthCheck(
    path="/healthz", host="health", interval=10.0, timeout=4.0, unhealthy_threshold=1, healthy_threshold=1
)


def to(*clusters: ir.Cluster, host: str = A) -> ir.Site:
    return ir.Site(host=host, http=(forward(*(each.name for each in clusters), websocket=True),), clusters=clusters)


def weighted(first: int, second: int) -> ir.Site:
    shares = tuple(
        ir.Share(cluster=cluster(name).name, weight=weight) for name, weight in {"one": first, "two": second}.items()
    )
    route = ir.Route(name="all", match=prefix("/"), action=ir.Forward(shares=shares))
    return ir.Site(host=A, http=(route,), clusters=(cluster("one"), cluster("two")))


@contextlib.asynccontextmanager
async def load(edge: Edge) -> AsyncIterator[Counter[tuple[int, str]]]:
    """Requests for A, one after another over a few connections; counts what they got, from which app."""
    seen: Counter[tuple[int, str]] = Counter()

    async def ask() -> None:
        async with edge.client() as client:
            while True:
                answer = await edge.send(client, f"http://{A}/")
                seen[answer.status_code, answer.json()["app"] if answer.status_code == 200 else answer.text] += 1

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        yield seen
    finally:
        for each in asking:
            each.cancel()
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in results), results


@contextlib.asynccontextmanager
async def streams(edge: Edge, count: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Streams to A that stay open. Yields what makes sure that each of them still answers."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = f"http://127.0.0.1:{edge.http_port}/"
        opened = [await stack.enter_async_context(session.ws_connect(url, headers={"Host": A})) for _ in range(count)]

        async def all_answer() -> None:
            for each in opened:
                await each.send_str("still there?")
                assert await each.receive_str(timeout=5) == "still there?"

        yield all_answer


async def served_by(edge: Edge, name: str) -> None:
    async def check() -> bool:
        return bool((await edge.get(f"http://{A}/")).json()["app"] == name)

    await edge.eventually(check)


@pytest.fixture
async def two(edge: Edge, start_app: Start) -> list[App]:
    apps = [await start_app(name) for name in ("one", "two")]
    edge.world.put_endpoints(endpoints("one", apps[0].port), endpoints("two", apps[1].port))
    edge.world.put(to(cluster("one")))
    await served_by(edge, "one")
    return apps


async def test_a_shift_of_all_weight_costs_no_request(edge: Edge, two: list[App]) -> None:
    edge.world.put(weighted(100, 0))
    await served_by(edge, "one")
    async with load(edge) as seen:
        for first, second, name in [(0, 100, "two"), (100, 0, "one")] * 3:
            edge.world.put(weighted(first, second))
            await served_by(edge, name)
    assert {status for status, _ in seen} == {200}
    assert {name for _, name in seen} == {"one", "two"}


@contextlib.asynccontextmanager
async def statuses_of(edge: Edge, *urls: str) -> AsyncIterator[dict[str, set[int]]]:
    """The statuses of requests to each of these, one after another without a pause."""
    seen: dict[str, set[int]] = {url: set() for url in urls}

    async def ask(url: str) -> None:
        async with edge.client() as client:
            while True:
                seen[url].add((await edge.send(client, url)).status_code)

    asking = [asyncio.create_task(ask(url)) for url in urls for _ in range(2)]
    yield seen
    for each in asking:
        each.cancel()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results), results


async def test_a_host_that_turns_from_redirects_to_routes_and_back_has_routes_at_every_moment(edge: Edge) -> None:
    redirected = ir.Site(host=A, http=(TO_HTTPS,))
    edge.world.put(redirected)
    await edge.answers(f"http://{A}/", 301)
    async with statuses_of(edge, f"http://{A}/") as seen:
        for number in range(6):
            edge.world.put(ir.Site(host=A, http=(respond(f"{number}"),)))
            await edge.answers(f"http://{A}/", text=f"{number}")
            edge.world.put(redirected)
            await edge.answers(f"http://{A}/", 301)
    assert seen == {f"http://{A}/": {200, 301}}


async def test_a_host_whose_plain_http_turns_to_what_https_serves_and_back_has_routes_at_every_moment(
    edge: Edge,
) -> None:
    edge.world.put_certificate(certificate("default/a", A), [A])

    def site(*plain: ir.Route, text: str) -> ir.Site:
        return ir.Site(host=A, http=plain, https=(respond(text),), tls=ir.Tls(certificate="default/a"))

    edge.world.put(site(TO_HTTPS, text="start"))
    await edge.answers(f"https://{A}/", text="start")
    async with statuses_of(edge, f"http://{A}/", f"https://{A}/") as seen:
        for number in range(4):
            both, own = f"both {number}", f"own {number}"
            edge.world.put(site(respond(both), text=both))
            await edge.answers(f"http://{A}/", text=both)
            await edge.answers(f"https://{A}/", text=both)
            edge.world.put(site(respond(own), text="secure"))
            await edge.answers(f"http://{A}/", text=own)
            edge.world.put(site(respond(both), text=both))
            await edge.answers(f"http://{A}/", text=both)
            edge.world.put(site(TO_HTTPS, text=both))
            await edge.answers(f"http://{A}/", 301)
    assert seen == {f"http://{A}/": {200, 301}, f"https://{A}/": {200}}


async def test_replicas_that_roll_cost_no_request(edge: Edge, two: list[App], start_app: Start) -> None:
    async with load(edge) as seen:
        old = two[0]
        for turn in range(6):
            new = await start_app(f"replica-{turn}")
            edge.world.put_endpoints(endpoints("one", old.port, new.port))
            edge.world.put_endpoints(endpoints("one", new.port))
            await served_by(edge, new.name)
            old = new
    assert {status for status, _ in seen} == {200}


async def test_streams_outlive_the_swap_and_the_removal_of_what_they_came_by(edge: Edge, two: list[App]) -> None:
    async with streams(edge, 5) as all_answer:
        edge.world.put(to(cluster("two")))
        await served_by(edge, "two")

        async def gone() -> bool:
            return "default/one/http/a" not in await edge.admin("/clusters")

        await edge.eventually(gone)
        await all_answer()
        edge.world.remove(A)
        await edge.answers(f"http://{A}/", 404)
        await all_answer()


async def test_a_service_whose_endpoints_come_later_takes_over_when_they_are_there(
    edge: Edge, two: list[App], start_app: Start
) -> None:
    edge.world.put_endpoints(endpoints("late"))
    async with load(edge) as seen:
        edge.world.put(to(cluster("late")))
        before = seen.total()

        async def more() -> bool:
            return seen.total() > before + 20

        await edge.eventually(more)
        assert {name for _, name in seen} == {"one"}
        edge.world.put_endpoints(endpoints("late", (await start_app("late")).port))
        await served_by(edge, "late")
    assert {status for status, _ in seen} == {200}


@pytest.fixture
async def silence() -> AsyncIterator[int]:
    """The port of an app that takes connections and says nothing."""
    done = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    yield port
    done.set()
    server.close()


async def test_a_health_check_that_hangs_delays_nobody_else(edge: Edge, two: list[App], silence: int) -> None:
    edge.world.put_endpoints(endpoints("hangs", silence))
    hanging = ir.Cluster(name="default/hangs/http/a", endpoints="default/hangs/http", health_check=CHECK)
    edge.world.put(to(hanging, host=B))

    async def warming() -> bool:
        return "default/hangs/http/a" in await edge.admin("/config_dump?resource=dynamic_warming_clusters")

    await edge.eventually(warming)
    async with load(edge) as seen:
        # One whose Service is new, and one of a Service that Envoy knows already.
        edge.world.put(to(cluster("two")))
        await served_by(edge, "two")
        edge.world.put(to(cluster("two", "another")), ir.Site(host="c.example.com", http=(respond("new"),)))
        await edge.answers("http://c.example.com/", text="new")

        async def another() -> bool:
            return "default/two/http/another" in await edge.admin("/config_dump?resource=dynamic_route_configs")

        await edge.eventually(another)
        assert await warming(), "all of that was over before the health check was"
    assert {status for status, _ in seen} == {200}


async def test_a_checked_service_takes_over_once_it_was_checked(edge: Edge, two: list[App], silence: int) -> None:
    """Though another one, whose check hangs, keeps Envoy from saying so."""
    slow = ir.Cluster(name="default/hangs/http/a", endpoints="default/hangs/http", health_check=CHECK)
    edge.world.put_endpoints(endpoints("hangs", silence))
    edge.world.put(to(slow, host=B))
    quick = ir.HealthCheck(
        path="/healthz", host="health", interval=10.0, timeout=0.3, unhealthy_threshold=1, healthy_threshold=1
    )
    checked = ir.Cluster(name="default/two/http/checked", endpoints="default/two/http", health_check=quick)
    async with load(edge) as seen:
        edge.world.put(to(checked))
        await served_by(edge, "two")
    assert {status for status, _ in seen} == {200}


async def test_an_envoy_that_starts_does_not_wait_for_a_health_check_that_hangs(edge: Edge, silence: int) -> None:
    endless = ir.HealthCheck(
        path="/healthz", host="health", interval=3600.0, timeout=3600.0, unhealthy_threshold=1, healthy_threshold=1
    )
    hanging = ir.Cluster(name="default/hangs/http/a", endpoints="default/hangs/http", health_check=endless)
    edge.world.put_endpoints(endpoints("hangs", silence))
    edge.world.put(to(hanging, host=B), ir.Site(host="c.example.com", http=(respond("served"),)))
    await edge.stop_envoys()
    await edge.start_envoy("two")
    await edge.answers("http://c.example.com/", text="served")
