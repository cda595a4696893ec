"""Cookies of apps, as browsers get them."""

from collections.abc import AsyncIterator

import aiohttp.web
import msgspec
import pytest

from isoline.routing import ir
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward

HOST = "a.example.com"
URL = f"http://{HOST}/"


@pytest.fixture
async def baker() -> AsyncIterator[int]:
    """The port of an app that sets the cookies that it is asked for in the header `cookies`, split by `|`."""

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        response = aiohttp.web.Response(text="ok")
        for cookie in filter(None, request.headers.get("cookies", "").split("|")):
            response.headers.add("set-cookie", cookie)
        return response

    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def put(
    edge: Edge, port: int, route: tuple[ir.CookieRewrite, ...], service: tuple[ir.CookieRewrite, ...] = ()
) -> None:
    target = cluster("app")
    edge.world.put_endpoints(endpoints("app", port))
    action = ir.Forward(shares=(ir.Share(cluster=target.name, weight=1, cookies=service),))
    everything = msgspec.structs.replace(forward(target.name), action=action, cookies=route)
    edge.world.put(ir.Site(host=HOST, http=(everything,), clusters=(target,)))
    await edge.answers(URL)


async def baked(edge: Edge, *cookies: str) -> list[str]:
    answer = await edge.get(URL, headers={"cookies": "|".join(cookies)})
    assert answer.status_code == 200
    return answer.headers.get_list("set-cookie")


EVERYTHING = ir.CookieRewrite(name="a", path="/new", domain="new.example.com", secure=True, same_site="Strict")
NEW = "Path=/new; Domain=new.example.com; Secure; SameSite=Strict"


@pytest.mark.parametrize(
    ("cookie", "wanted"),
    [
        ("a=1", f"a=1; {NEW}"),
        (
            "a=1; PATH=/old; HttpOnly; domain=old.example.com;samesite=None; secure; Max-Age=9",
            "a=1; Path=/new; HttpOnly; Domain=new.example.com; SameSite=Strict; Secure; Max-Age=9",
        ),
        ("a=x=y; Expires=Wed, 21 Oct 2099 07:28:00 GMT", f"a=x=y; Expires=Wed, 21 Oct 2099 07:28:00 GMT; {NEW}"),
        ("a=; Path=/; Path=/again", "a=; Path=/new; Domain=new.example.com; Secure; SameSite=Strict"),
        ("A=1; Path=/", "A=1; Path=/"),
        ("ab=1", "ab=1"),
        ("b=a=1", "b=a=1"),
        ("a", "a"),
    ],
)
async def test_attributes_are_replaced_or_added(edge: Edge, baker: int, cookie: str, wanted: str) -> None:
    await put(edge, baker, (EVERYTHING,))
    assert await baked(edge, cookie) == [wanted]
    assert edge.rejected == []


async def test_only_what_is_asked_for_of_one_among_several(edge: Edge, baker: int) -> None:
    await put(
        edge,
        baker,
        (ir.CookieRewrite(name="b", secure=False), ir.CookieRewrite(name="c.$%^", same_site="Lax")),
    )
    cookies = ["a=1; Secure; Path=/", "b=2; secure; Path=/b", "c.$%^=3", "b=4"]
    assert await baked(edge, *cookies) == ["a=1; Secure; Path=/", "b=2; Path=/b", "c.$%^=3; SameSite=Lax", "b=4"]
    assert await baked(edge) == []


async def test_a_services_own(edge: Edge, baker: int) -> None:
    await put(edge, baker, (EVERYTHING,), (ir.CookieRewrite(name="a", path="/service"),))
    assert await baked(edge, "a=1; Domain=old.example.com") == ["a=1; Domain=old.example.com; Path=/service"]
