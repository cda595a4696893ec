"""Buckets of requests, of virtual hosts and of routes, through the real Envoy."""

import msgspec

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, cluster, endpoints, forward, prefix, respond

HOST = "a.example.com"
URL = f"http://{HOST}/"
HOUR = 3600.0


def limit(requests: int, **more: object) -> ir.LocalLimit:
    plain = ir.LocalLimit(requests=requests, interval=HOUR)
    return msgspec.structs.replace(plain, **more)


def limited(route: ir.Route, bucket: ir.LocalLimit) -> ir.Route:
    return msgspec.structs.replace(route, local_limit=bucket)


async def statuses(edge: Edge, url: str, count: int) -> list[int]:
    async with edge.client() as client:
        return [(await edge.send(client, url)).status_code for _ in range(count)]


async def test_a_bucket_holds_what_comes_back_and_the_burst(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    routes = (
        limited(forward(target.name, match=prefix("/limited"), name="limited"), limit(2, burst=1)),
        forward(target.name),
    )
    edge.world.put(ir.Site(host=HOST, http=routes, clusters=(target,)))
    await edge.answers(URL)
    assert await statuses(edge, URL + "limited", 5) == [200, 200, 200, 429, 429]
    assert await statuses(edge, URL, 5) == [200] * 5
    assert edge.rejected == []


async def test_who_comes_too_often_is_told_as_the_policy_says(edge: Edge) -> None:
    header = ir.Header(name="X-Wait", value="100%%")
    bucket = limit(1, status=503, response_headers=(header,))
    edge.world.put(ir.Site(host=HOST, http=(limited(respond("x", match=prefix("/x")), bucket), respond("y"))))
    await edge.answers(URL, text="y")
    assert await statuses(edge, URL + "x", 1) == [200]
    answer = await edge.get(URL + "x")
    assert (answer.status_code, answer.headers["x-wait"]) == (503, "100%")


async def test_a_tokens_comes_back_in_time(edge: Edge) -> None:
    bucket = ir.LocalLimit(requests=1, interval=1.0)
    edge.world.put(ir.Site(host=HOST, http=(limited(respond("x", match=prefix("/x")), bucket), respond("y"))))
    await edge.answers(URL, text="y")
    assert await statuses(edge, URL + "x", 2) == [200, 429]
    await edge.answers(URL + "x", 200)


async def test_one_bucket_for_all_of_a_host_but_for_routes_with_their_own(edge: Edge) -> None:
    redirect = ir.Route(name="r", match=prefix("/r"), action=ir.Redirect(path="/"))
    own = limited(respond("own", match=prefix("/own"), name="own"), limit(1))
    silent = respond("probe", match=prefix("/probe"), name="probe")
    routes = (own, limited(silent, limit(1000)), redirect, respond("all"))
    edge.world.put(ir.Site(host=HOST, http=routes, local_limit=limit(3)))
    await edge.answers(URL + "probe")
    assert await statuses(edge, URL, 2) == [200, 200]
    assert await statuses(edge, URL + "r", 1) == [302]
    assert await statuses(edge, URL + "r", 1) == [429]
    assert await statuses(edge, URL, 1) == [429]
    assert await statuses(edge, URL + "own", 2) == [200, 429]


async def test_a_host_that_redirects_to_https_is_limited_too(edge: Edge) -> None:
    edge.world.put(ir.Site(host=HOST, http=(TO_HTTPS,), local_limit=limit(2)))
    await edge.answers(URL, 301)
    assert await statuses(edge, URL, 2) == [301, 429]


async def test_what_changes_elsewhere_fills_no_bucket(edge: Edge) -> None:
    probe = limited(respond("probe", match=prefix("/probe"), name="probe"), limit(1000))
    edge.world.put(ir.Site(host=HOST, http=(probe, respond("all")), local_limit=limit(1)))
    await edge.answers(URL + "probe")
    assert await statuses(edge, URL, 2) == [200, 429]
    for number in range(20):
        other = f"b{number}.example.com"
        edge.world.put(ir.Site(host=other, http=(respond(other),), local_limit=limit(5)))
        await edge.answers(f"http://{other}/", text=other)
    edge.world.listen()
    edge.world.put(ir.Site(host="*.example.org", http=(respond("wild"),)))
    await edge.answers("http://x.example.org/", text="wild")
    assert await statuses(edge, URL, 2) == [429, 429]
