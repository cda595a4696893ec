"""The stream: what is refused harms itself only, what is known is not sent again, every Envoy gets the same."""

import asyncio

from isoline.routing import ir
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name
from isoline.xds.server import Server
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, respond

BAD = ir.Route(
    name="bad",
    match=ir.Match(path=ir.PathMatch(kind=ir.PathKind.REGEX, value="/[")),
    action=ir.Respond(status=200),
)


def site(number: int, text: str, *, bad: bool = False) -> ir.Site:
    routes = (BAD, respond(text)) if bad else (respond(text),)
    return ir.Site(host=f"s{number}.example.com", http=routes)


async def test_a_refused_site_keeps_its_last_good_routes_and_harms_nobody(edge: Edge) -> None:
    edge.world.put(*(site(number, "old") for number in range(20)))
    for number in range(20):
        await edge.answers(f"http://s{number}.example.com/", text="old")
    # Three of them are bad, and all go out in one response.
    bad = {3, 4, 11}
    rendered = [each for number in range(20) for each in edge.world.rendered(site(number, "new", bad=number in bad))]
    edge.world.cache.update(rendered)
    for number in range(20):
        await edge.answers(f"http://s{number}.example.com/", text="old" if number in bad else "new")

    async def told() -> bool:
        return len(edge.rejected) == 3

    await edge.eventually(told)
    assert {name for name, _ in edge.rejected} == {Name(types.ROUTES, f"http/s{number}.example.com") for number in bad}
    assert all("missing ]" in message for _, message in edge.rejected)
    pushes = edge.server.stats.pushes
    await asyncio.sleep(0.3)
    assert edge.server.stats.pushes == pushes
    # A new version has its chance.
    edge.world.put(site(3, "mended"))
    await edge.answers("http://s3.example.com/", text="mended")
    assert len(edge.rejected) == 3


async def test_a_site_that_is_bad_from_the_start_is_absent_on_every_envoy(edge: Edge) -> None:
    edge.world.put(site(0, "good"), site(1, "bad", bad=True))
    await edge.answers("http://s0.example.com/", text="good")

    async def told() -> bool:
        return len(edge.rejected) == 1

    await edge.eventually(told)
    assert (await edge.get("http://s1.example.com/")).status_code == 404
    nacks = edge.server.stats.nacks
    await edge.start_envoy("two")

    async def connected() -> bool:
        return len(edge.server.streams) == 2 and edge.server.streams[1].held.get(types.SCOPE, 0) == 2

    await edge.eventually(connected)
    await asyncio.sleep(0.2)
    assert edge.server.stats.nacks == nacks
    assert len(edge.rejected) == 1


async def test_a_cluster_and_a_listener_may_be_refused(edge: Edge, app: App) -> None:
    broken = ir.Cluster(name="default/broken/http/a", endpoints="default/broken/http", connect_timeout=0.0)
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("broken", app.port))
    edge.world.put(
        ir.Site(
            host="a.example.com",
            http=(forward("default/app/http/a"),),
            clusters=(cluster("app"), broken),
        ),
        ir.Site(host="b.example.com", http=(forward(broken.name),), clusters=(broken,)),
    )
    await edge.answers("http://a.example.com/")
    await edge.answers("http://b.example.com/", 503)
    assert [name for name, _ in edge.rejected] == [Name(types.CLUSTER, broken.name)]
    edge.world.gateway = ir.Gateway(
        http=ir.Listener(address="203.0.113.1", port=edge.http_port), https=edge.world.gateway.https
    )
    edge.world.listen()

    async def told() -> bool:
        return len(edge.rejected) == 2

    await edge.eventually(told)
    assert edge.rejected[1][0] == Name(types.LISTENER, "http")
    assert (await edge.get("http://a.example.com/")).status_code == 200


async def test_a_restart_of_the_server_sends_nothing_again(edge: Edge, app: App) -> None:
    edge.world.put_certificate(certificate("default/a", "a.example.com"), ["a.example.com"])
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put(
        ir.Site(
            host="a.example.com",
            http=(forward("default/app/http/a"),),
            https=(forward("default/app/http/a"),),
            tls=ir.Tls(certificate="default/a"),
            clusters=(cluster("app"),),
        ),
        site(0, "old"),
        site(1, "gone"),
    )
    await edge.answers("https://a.example.com/")
    await edge.answers("http://s1.example.com/")
    held = edge.server.streams[0].held
    # Another process: only the snapshot is left.
    cache = Cache()
    before = edge.world.cache
    cache.update(filter(None, map(before.get, before.all_names())))
    edge.world.cache = cache
    await edge.server.stop()
    edge.world.put(site(0, "new"))
    edge.world.remove("s1.example.com")
    cache.mark_ready()
    await edge.restart_server()
    await edge.answers("http://s0.example.com/", text="new")
    await edge.answers("http://s1.example.com/", 404)
    assert edge.server.stats.resources == 1
    now = edge.server.streams[0].held
    assert now == {**held, types.SCOPE: held[types.SCOPE] - 1, types.ROUTES: held[types.ROUTES] - 1}
    assert (await edge.get("https://a.example.com/")).status_code == 200


async def test_two_envoys_get_the_same(edge: Edge) -> None:
    edge.world.put(site(0, "old"))
    await edge.answers("http://s0.example.com/", text="old")
    await edge.start_envoy("two")

    async def held_by_both() -> bool:
        streams = edge.server.streams
        return len(streams) == 2 and streams[0].held == streams[1].held

    await edge.eventually(held_by_both)
    assert {info.node for info in edge.server.streams} == {"one", "two"}
    edge.world.put(site(0, "new"))

    async def dumped(node: str) -> bool:
        return "new" in await edge.admin("/config_dump?resource=dynamic_route_configs", node)

    for node in ("one", "two"):
        await edge.eventually(lambda node=node: dumped(node))  # type: ignore[misc]


async def test_nothing_is_served_before_the_world_is_complete(edge: Edge) -> None:
    await edge.server.stop()
    unready = Cache()
    server = Server(unready, address=edge.address, on_rejected=lambda *_: None)
    await server.start()
    try:
        await edge.start_envoy("two")

        async def asked() -> bool:
            return any(info.stream.subscriptions for info in server.streams)

        await edge.eventually(asked)
        unready.update(edge.world.rendered(site(0, "half")))
        await asyncio.sleep(0.2)
        assert server.stats.pushes == 0
        unready.mark_ready()

        async def served() -> bool:
            return server.stats.pushes > 0

        await edge.eventually(served)
    finally:
        await server.stop()
