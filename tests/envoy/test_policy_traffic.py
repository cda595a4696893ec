"""What a TrafficPolicy asks for, as clients see it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, prefix, respond

StartApp = Callable[[str], Awaitable[App]]

HOST = "a.example.com"
URL = f"http://{HOST}/"


def put(edge: Edge, traffic: ir.Traffic | None, *routes: ir.Route, host: str = HOST) -> None:
    app = cluster("app")
    edge.world.put(
        ir.Site(host=host, http=routes or (forward(app.name),), clusters=(app,), traffic=traffic),
    )


async def post(edge: Edge, content: bytes | AsyncIterator[bytes], path: str = "/") -> tuple[int, str]:
    async with edge.client() as client:
        url = f"http://127.0.0.1:{edge.http_port}{path}"
        answer = await client.post(url, headers={"host": HOST}, content=content)
    return answer.status_code, answer.text


async def test_a_body_that_is_too_large_is_told_so_at_any_way_to_send_it(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    put(edge, ir.Traffic(request_body=1000))
    await edge.answers(URL)

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    assert (await post(edge, b"x" * 1000))[0] == 200
    assert (await post(edge, pieces(10)))[0] == 200
    for body in (b"x" * 1001, pieces(20)):
        status, text = await post(edge, body)
        assert (status, "larger than 1000 bytes" in text) == (413, True)
    assert edge.rejected == []


async def test_letters_and_wildcards_are_no_way_around(edge: Edge) -> None:
    routes = (msgspec.structs.replace(respond("open"), traffic=ir.Traffic(request_headers=ir.HeaderLimits(count=1))),)
    for host, secret in ((HOST, "default/a"), ("*.example.com", "default/wild")):
        wildcard = host.startswith("*")
        edge.world.put_certificate(certificate(secret, host), [] if wildcard else [host])
        tls = ir.Tls(certificate=secret)
        edge.world.put(ir.Site(host=host, http=routes, https=routes, tls=tls, own_chain=wildcard))
    for name in ("A.example.COM", "b.example.com", "B.Example.com"):
        for scheme in ("http", "https"):
            await edge.answers(f"{scheme}://{name}/", 431)


async def test_headers_that_are_too_large_or_too_many(edge: Edge) -> None:
    limits = ir.HeaderLimits(size=1000, count=30)
    put(edge, ir.Traffic(request_headers=limits), respond("ok"))
    await edge.answers(URL, text="ok")
    large = await edge.get(URL, headers={"x-large": "x" * 1000})
    assert (large.status_code, "larger" in large.json()["error"]["message"]) == (431, True)
    assert (await edge.get(URL, headers={f"x-{number}": "" for number in range(30)})).status_code == 431


async def test_pages_replace_errors_of_the_app_and_of_the_gateway(edge: Edge, start_app: StartApp) -> None:
    app = await start_app("sick")
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("gone"))
    gone = cluster("gone")
    pages = (
        ir.ErrorPage(statuses=((500, 503),), body="<h1>soon</h1>", content_type="text/html"),
        ir.ErrorPage(statuses=((404, 404),), body="{}", content_type="application/json", status=410),
    )
    edge.world.put(
        ir.Site(
            host=HOST,
            http=(forward(gone.name, match=prefix("/gone")), forward(cluster("app").name, match=prefix("/healthz"))),
            clusters=(gone, cluster("app")),
            traffic=ir.Traffic(error_pages=pages),
        )
    )
    for path in ("gone", "healthz"):
        answer = await edge.answers(f"{URL}{path}", 503, "<h1>soon</h1>")
        assert answer.headers["content-type"] == "text/html"
    missing = await edge.answers(f"{URL}nowhere", 410, "{}")
    assert missing.headers["content-type"] == "application/json"


async def test_the_requests_identity_is_in_answers_of_the_app_and_of_the_gateway(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    put(
        edge, ir.Traffic(request_id="x-trace"), respond("direct", match=prefix("/direct")), forward(cluster("app").name)
    )
    answer = await edge.answers(URL)
    assert answer.headers["x-trace"] == answer.json()["headers"]["x-request-id"]
    assert (await edge.get(f"{URL}direct")).headers["x-trace"]


async def test_a_cookie_keeps_a_client_with_its_endpoint(edge: Edge, start_app: StartApp) -> None:
    apps = [await start_app(name) for name in ("one", "two", "three")]
    edge.world.put_endpoints(endpoints("app", *(app.port for app in apps)))
    cookie = ir.SessionCookie(name="stick", path="/", ttl=60.0, same_site="Strict", secure=True, strict=True)
    put(edge, ir.Traffic(session_cookie=cookie))
    first = await edge.answers(URL)
    written = first.headers["set-cookie"]
    assert written.startswith("stick=")
    assert {"Max-Age=60", "Path=/", "SameSite=Strict", "Secure", "HttpOnly"} <= set(written.split("; "))
    mine = {"cookie": written.split(";")[0]}
    names = {(await edge.get(URL, headers=mine)).json()["app"] for _ in range(6)}
    assert names == {first.json()["app"]}
    others = [app.port for app in apps if app.name != first.json()["app"]]
    edge.world.put_endpoints(endpoints("app", *others))
    await edge.answers(URL, 503, headers=mine)


async def test_an_endpoint_that_fails_is_left_out(edge: Edge, start_app: StartApp) -> None:
    good, sick = await start_app("good"), await start_app("sick")
    edge.world.put_endpoints(endpoints("app", good.port, sick.port))
    outliers = ir.OutlierDetection(
        consecutive_errors=1,
        consecutive_gateway_errors=None,
        interval=60.0,
        base_ejection_time=60.0,
        max_ejection_time=60.0,
        max_ejection_percent=100,
    )
    app = msgspec.structs.replace(cluster("app"), outliers=outliers)
    edge.world.put(ir.Site(host=HOST, http=(forward(app.name),), clusters=(app,)))
    await edge.answers(f"{URL}healthz", 503)
    assert [(await edge.get(f"{URL}healthz")).status_code for _ in range(6)] == [200] * 6


async def test_a_slow_try_is_hedged(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    route = forward(cluster("app").name)
    assert isinstance(route.action, ir.Forward)
    for hedge, status in ((False, 504), (True, 200)):
        retry = ir.Retry(on=("5xx",), count=1, per_try_timeout=0.6, hedge=hedge)
        action = msgspec.structs.replace(route.action, retry=retry)
        put(edge, None, msgspec.structs.replace(route, action=action))
        # The app takes a second: two tries that are ended fail, two that go on overlap.
        await edge.answers(f"{URL}slow", status)


async def test_pages_of_a_service_replace_errors_of_the_app_and_of_the_gateway(edge: Edge, start_app: StartApp) -> None:
    app, pages = await start_app("sick"), await start_app("pages")
    edge.world.put_endpoints(endpoints("app", app.port), endpoints("pages", pages.port), endpoints("gone"))
    names = [cluster(name) for name in ("app", "pages", "gone")]
    page = ir.ErrorPage(statuses=((500, 599),), cluster=names[1].name, host="pages.default", path="/sorry?x=1")
    lost = ir.ErrorPage(statuses=((404, 404),), cluster=names[2].name, host="gone.default", path="/")
    routes = (
        forward(names[2].name, match=prefix("/gone"), name="gone"),
        forward(names[0].name, match=prefix("/healthz"), name="app"),
        respond("", match=prefix("/empty"), name="empty", status=503),
    )
    traffic = ir.Traffic(error_pages=(page, lost), request_body=10)
    edge.world.put(ir.Site(host=HOST, http=routes, clusters=tuple(names), traffic=traffic))
    for path in ("gone", "healthz", "empty"):
        answer = await edge.answers(f"{URL}{path}", 503)
        assert (answer.json()["app"], answer.json()["path"]) == ("pages", "/sorry?x=1")
        assert answer.json()["headers"]["host"] == "pages.default"
        assert answer.headers["content-type"].startswith("application/json")
    # Nobody answers for the page: the error stays.
    assert (await edge.get(f"{URL}nowhere")).status_code == 404
    assert edge.rejected == []


async def test_limits_of_all_of_an_address_and_of_a_key(edge: Edge) -> None:
    def limits(*found: ir.RateLimit) -> ir.Traffic:
        return ir.Traffic(rate_limits=found)

    async def statuses(*headers: dict[str, str]) -> list[int]:
        async with edge.client() as client:
            return [(await edge.send(client, URL, headers=each)).status_code for each in headers]

    hour = 3600.0
    put(edge, limits(ir.RateLimit(requests=2, interval=hour, burst=1, by="all")), respond("all"))
    await edge.answers(URL, text="all")
    assert await statuses({}, {}, {}) == [200, 200, 429]
    put(edge, limits(ir.RateLimit(requests=3, interval=hour, burst=0, by="address")), respond("address"))
    answer = await edge.answers(URL, text="address")
    assert answer.headers["x-ratelimit-remaining"] == "2"
    assert await statuses({"x-forwarded-for": "192.0.2.1"}, {}, {}) == [200, 200, 429]
    by_key = ir.RateLimit(requests=2, interval=hour, burst=0, by="header", header="x-key")
    put(edge, limits(by_key), respond("key"))
    await edge.answers(URL, text="key", headers={"x-key": "a"})
    a, b = {"x-key": "a"}, {"x-key": "b"}
    assert await statuses(a, a, b, b, b, {}, {}, {}) == [200, 429, 200, 200, 429, 200, 200, 429]
    assert edge.rejected == []
