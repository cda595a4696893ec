"""Requests that a rate-limit service counts: the real Envoy, and our own service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from limits.aio.storage import MemoryStorage

from isoline.envoy.rate_limit_server import RateLimitServer
from isoline.envoy.rate_limits import Limit, Rule, Rules
from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward, prefix, respond

HOST = "a.example.com"
URL = f"http://{HOST}/"
CONSTANT = ir.LimitKey(source="constant", key="generic_key", value="a")
ADDRESS = ir.LimitKey(source="address")
USER = ir.LimitKey(source="header", key="user", header="x-user")


def limit(*descriptors: tuple[ir.LimitKey, ...]) -> ir.GlobalLimit:
    return ir.GlobalLimit(descriptors=descriptors)


def limited(route: ir.Route, *descriptors: tuple[ir.LimitKey, ...]) -> ir.Route:
    return msgspec.structs.replace(route, global_limit=limit(*descriptors))


def rules(*entries: tuple[str, str | None], requests: int = 1) -> Rules:
    return Rules([Rule(entries, Limit(requests, "hour"))])


@pytest.fixture
async def counting(edge: Edge) -> AsyncIterator[RateLimitServer]:
    server = RateLimitServer(f"unix:{edge.folder}/limits.sock", MemoryStorage())
    await server.start()
    listen(edge)
    yield server
    await server.stop()


def listen(edge: Edge, **more: object) -> None:
    service = ir.RateLimitService(domain="d", timeout=1.0, fail_open=False, socket=f"{edge.folder}/limits.sock")
    service = msgspec.structs.replace(service, **more)
    edge.world.gateway = msgspec.structs.replace(edge.world.gateway, rate_limits=service)
    edge.world.listen()


async def until_counted(edge: Edge, server: RateLimitServer) -> None:
    """The listener that asks has replaced the one that did not."""
    server.rules = rules(("generic_key", "probe"), requests=0)
    await edge.answers(URL + "probe", 429)


PROBE = limited(
    forward(cluster("app").name, match=prefix("/probe"), name="probe"),
    (ir.LimitKey(source="constant", key="generic_key", value="probe"),),
)


async def statuses(edge: Edge, url: str, count: int, **headers: str) -> list[int]:
    return [(await edge.get(url, headers=headers)).status_code for _ in range(count)]


async def test_each_kind_of_descriptor(edge: Edge, app: App, counting: RateLimitServer) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    staff = ir.LimitKey(
        source="header_match",
        value="others",
        matches=(ir.HeaderMatch(name="x-staff", kind=ir.ValueKind.PRESENT),),
        expect_match=False,
    )
    routes = (
        PROBE,
        *(
            limited(forward(target.name, match=prefix(f"/{name}"), name=name), descriptor)
            for name, descriptor in {"constant": (CONSTANT,), "user": (CONSTANT, USER), "staff": (staff,)}.items()
        ),
        limited(forward(target.name, match=prefix("/address"), name="address"), (ADDRESS,)),
    )
    edge.world.put(ir.Site(host=HOST, http=routes, clusters=(target,)))
    await until_counted(edge, counting)
    counting.rules = rules(("generic_key", "a"))
    assert await statuses(edge, URL + "constant", 2) == [200, 429]
    counting.rules = rules(("generic_key", "a"), ("user", None))
    assert await statuses(edge, URL + "user", 2, **{"x-user": "eve"}) == [200, 429]
    assert await statuses(edge, URL + "user", 1, **{"x-user": "adam"}) == [200]
    assert await statuses(edge, URL + "user", 2) == [200, 200]
    counting.rules = rules(("remote_address", "127.0.0.1"))
    assert await statuses(edge, URL + "address", 2) == [200, 429]
    counting.rules = rules(("header_match", "others"))
    assert await statuses(edge, URL + "staff", 2, **{"x-staff": "yes"}) == [200, 200]
    assert await statuses(edge, URL + "staff", 2) == [200, 429]
    assert edge.rejected == []


async def test_a_routes_descriptors_replace_the_hosts(edge: Edge, app: App, counting: RateLimitServer) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    routes = (
        PROBE,
        limited(forward(target.name, match=prefix("/own"), name="own"), (ADDRESS,)),
        limited(forward(target.name, match=prefix("/free"), name="free")),
        forward(target.name),
    )
    edge.world.put(ir.Site(host=HOST, http=routes, clusters=(target,), global_limit=limit((CONSTANT,))))
    await until_counted(edge, counting)
    counting.rules = rules(("generic_key", "a"))
    assert await statuses(edge, URL + "own", 2) == [200, 200]
    assert await statuses(edge, URL + "free", 2) == [200, 200]
    assert await statuses(edge, URL, 2) == [200, 429]


async def test_clients_are_told_what_is_left(edge: Edge, counting: RateLimitServer) -> None:
    listen(edge, headers=True, resource_exhausted_code=True)
    edge.world.put_endpoints(endpoints("app"))
    edge.world.put(ir.Site(host=HOST, http=(PROBE,), clusters=(cluster("app"),)))
    await until_counted(edge, counting)
    answer = await edge.answers(URL + "probe", 429)
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-limit"].startswith("0, 0;w=3600")
    call = await edge.get(URL + "probe", headers={"content-type": "application/grpc"})
    resource_exhausted = "8"
    assert call.headers["grpc-status"] == resource_exhausted


@pytest.mark.parametrize(("fail_open", "status"), [(True, 200), (False, 500)])
async def test_a_service_that_is_not_there(edge: Edge, app: App, *, fail_open: bool, status: int) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    listen(edge, fail_open=fail_open)
    edge.world.put(ir.Site(host=HOST, http=(limited(forward(target.name), (CONSTANT,)),), clusters=(target,)))
    await edge.answers(URL, status)


class Broken(MemoryStorage):
    """Stands for a Redis that is away."""

    async def incr(self, *_: object, **__: object) -> int:
        raise ConnectionError("refused")


@pytest.mark.parametrize(("fail_open", "status"), [(True, 200), (False, 500)])
async def test_a_service_that_cannot_count(edge: Edge, app: App, *, fail_open: bool, status: int) -> None:
    server = RateLimitServer(f"unix:{edge.folder}/limits.sock", Broken())
    await server.start()
    server.rules = rules(("generic_key", "a"), requests=100)
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    # Were it not answered at once, the test would end before the time for an answer does.
    listen(edge, fail_open=fail_open, timeout=600.0)
    edge.world.put(ir.Site(host=HOST, http=(limited(forward(target.name), (CONSTANT,)),), clusters=(target,)))
    await edge.answers(URL, status)
    assert await statuses(edge, URL, 3) == [status] * 3
    await server.stop()


class Slow(MemoryStorage):
    """Counts, after a while."""

    async def incr(self, *key: Any, **more: Any) -> int:
        await asyncio.sleep(0.2)
        return await super().incr(*key, **more)


async def test_a_service_has_the_time_that_the_gateway_gives_it(edge: Edge, app: App) -> None:
    server = RateLimitServer(f"unix:{edge.folder}/limits.sock", Slow())
    await server.start()
    server.rules = rules(("generic_key", "a"))
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    edge.world.put(ir.Site(host=HOST, http=(limited(forward(target.name), (CONSTANT,)),), clusters=(target,)))
    for patience, status in ((0.02, 500), (60.0, 429)):
        listen(edge, timeout=patience)
        await edge.answers(URL, status)
    await server.stop()


async def test_who_is_not_limited_does_not_wait_for_it(edge: Edge) -> None:
    listen(edge)
    edge.world.put(ir.Site(host=HOST, http=(respond("all"),)))
    await edge.answers(URL, 200, text="all")
