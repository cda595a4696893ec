"""Clusters and endpoints: a request never meets a route whose cluster is not warm."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward, prefix

Start = Callable[[str], Awaitable[App]]

URL = "http://a.example.com/"


def site(*clusters: ir.Cluster, routes: tuple[ir.Route, ...] = ()) -> ir.Site:
    return ir.Site(
        host="a.example.com", http=routes or (forward(*(each.name for each in clusters)),), clusters=clusters
    )


async def app_of(edge: Edge) -> str:
    answer: str = (await edge.get(URL)).json()["app"]
    return answer


async def test_a_cluster_without_endpoints_is_unavailable_until_it_has_one(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app"))
    edge.world.put(site(cluster("app")))
    await edge.answers(URL, 503)
    edge.world.put_endpoints(endpoints("app", app.port))
    await edge.answers(URL, 200)
    edge.world.put_endpoints(endpoints("app"))
    await edge.answers(URL, 503)


async def test_two_clusters_share_their_endpoints(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put(site(cluster("app", "a")))
    await edge.answers(URL)
    both = (
        forward("default/app/http/a", match=prefix("/a"), name="a"),
        forward("default/app/http/b", match=prefix("/b"), name="b"),
    )
    edge.world.put(site(cluster("app", "a"), cluster("app", "b"), routes=both))
    await edge.answers(URL + "b")
    assert (await edge.get(URL + "a")).status_code == 200


async def test_a_service_is_swapped_under_load_without_an_error(edge: Edge, start_app: Start) -> None:
    names = ["zero", "one"]
    apps = [await start_app(name) for name in names]
    edge.world.put_endpoints(endpoints("zero", apps[0].port))
    edge.world.put(site(cluster("zero")))
    await edge.answers(URL)
    seen: Counter[tuple[int, str]] = Counter()
    done = asyncio.Event()

    async def load() -> None:
        async with edge.client() as client:
            while not done.is_set():
                answer = await edge.send(client, URL)
                seen[answer.status_code, answer.json()["app"] if answer.status_code == 200 else answer.text] += 1

    clients = [asyncio.create_task(load()) for _ in range(4)]
    for turn in range(1, 9):
        name = names[turn % 2]
        if turn > 2:
            # The Service is there already; another policy makes another cluster with the same endpoints.
            edge.world.put(site(cluster(name, f"variant-{turn}")))
        else:
            edge.world.put_endpoints(endpoints(name, apps[turn % 2].port))
            edge.world.put(site(cluster(name)))

        async def swapped(name: str = name) -> bool:
            return await app_of(edge) == name

        await edge.eventually(swapped)
    done.set()
    await asyncio.gather(*clients)
    assert {status for status, _ in seen} == {200}
    assert {name for _, name in seen} == set(names)


async def test_what_nothing_needs_any_more_is_removed(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put(site(cluster("app", "a")))
    await edge.answers(URL)
    edge.world.put(site(cluster("app", "b")))

    async def only_the_new_one() -> bool:
        listed = await edge.admin("/clusters")
        return "default/app/http/b::" in listed and "default/app/http/a::" not in listed

    await edge.eventually(only_the_new_one)
    edge.world.remove("a.example.com")

    async def none() -> bool:
        return "default/app/http" not in await edge.admin("/clusters")

    await edge.eventually(none)
    assert (await edge.get(URL)).status_code == 404


async def test_weights_share_out_requests(edge: Edge, start_app: Start) -> None:
    for name in ("few", "many"):
        edge.world.put_endpoints(endpoints(name, (await start_app(name)).port))
    shares = (
        ir.Share(cluster="default/few/http/a", weight=10),
        ir.Share(cluster="default/many/http/a", weight=90),
        ir.Share(cluster="default/none/http/a", weight=0),
    )
    route = ir.Route(name="all", match=prefix("/"), action=ir.Forward(shares=shares))
    edge.world.put(site(cluster("few"), cluster("many"), routes=(route,)))
    await edge.answers(URL)
    async with edge.client() as client:
        seen = Counter([(await edge.send(client, URL)).json()["app"] for _ in range(400)])
    assert seen["few"] + seen["many"] == 400
    # Six standard deviations either side.
    assert 4 <= seen["few"] <= 76


async def test_a_failed_replica_is_not_tried_twice(edge: Edge, app: App, start_app: Start) -> None:
    other = await start_app("other")
    edge.world.put_endpoints(endpoints("app", app.port, other.port, 1))
    retry = ir.Retry(on=("connect-failure",), count=1)
    route = ir.Route(
        name="all",
        match=prefix("/"),
        action=ir.Forward(shares=(ir.Share(cluster="default/app/http/a", weight=1),), retry=retry),
    )
    edge.world.put(site(cluster("app"), routes=(route,)))
    await edge.answers(URL)
    async with edge.client() as client:
        seen = Counter([(await edge.send(client, URL)).status_code for _ in range(30)])
    assert seen == {200: 30}


async def test_least_request_finds_the_idle_replica(edge: Edge, start_app: Start) -> None:
    apps = [await start_app(name) for name in ("one", "two")]
    edge.world.put_endpoints(endpoints("app", *(each.port for each in apps)))
    balanced = ir.Cluster(name="default/app/http/a", endpoints="default/app/http", balance=ir.Balance.LEAST_REQUEST)
    edge.world.put(site(balanced))
    await edge.answers(URL)
    async with edge.client() as client:

        async def slow() -> httpx.Response:
            return await edge.send(client, URL + "slow")

        busy = asyncio.create_task(slow())
        await asyncio.sleep(0.1)
        quick = {(await edge.send(client, URL)).json()["app"] for _ in range(10)}
        assert len(quick) == 1
        assert (await busy).json()["app"] not in quick


async def test_health_checks_take_an_endpoint_out(edge: Edge, app: App, start_app: Start) -> None:
    sick = await start_app("sick")
    edge.world.put_endpoints(endpoints("app", app.port, sick.port))
    check = ir.HealthCheck(
        path="/healthz",
        host="health",
        interval=0.1,
        timeout=1.0,
        unhealthy_threshold=1,
        healthy_threshold=1,
        expected_statuses=((200, 300),),
    )
    checked = ir.Cluster(name="default/app/http/a", endpoints="default/app/http", health_check=check)
    edge.world.put(site(checked))
    await edge.answers(URL)

    async def one_left() -> bool:
        return {await app_of(edge) for _ in range(6)} == {"app"}

    await edge.eventually(one_left)


async def test_the_share_of_a_missing_service_is_503_and_the_rest_is_served(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    shares = (ir.Share(cluster="default/app/http/a", weight=50), ir.Share(cluster=ir.NO_CLUSTER, weight=50))
    route = ir.Route(name="all", match=prefix("/"), action=ir.Forward(shares=shares))
    edge.world.put(site(cluster("app"), routes=(route,)))
    await edge.answers(URL, 200)
    async with edge.client() as client:
        seen = Counter([(await edge.send(client, URL)).status_code for _ in range(200)])
    assert seen.keys() == {200, 503}
    # Six standard deviations either side.
    assert 57 <= seen[503] <= 143
    assert not edge.rejected
