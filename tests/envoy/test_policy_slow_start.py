"""Endpoints that have just come get a small share at first."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import endpoints, forward

URL = "http://a.example.com/"
WINDOW = 5.0


@pytest.mark.parametrize("balance", [ir.Balance.ROUND_ROBIN, ir.Balance.LEAST_REQUEST])
async def test_a_new_endpoint_starts_slowly(
    edge: Edge, start_app: Callable[[str], Awaitable[App]], balance: ir.Balance
) -> None:
    old, new = await start_app("old"), await start_app("new")
    # So reluctant a start that all but the end of the window is spent at the minimum.
    slowly = ir.SlowStart(window=WINDOW, aggression=0.1, minimum_percent=10)
    upstream = ir.Cluster(
        name="default/app/http/slow", endpoints="default/app/http", balance=balance, slow_start=slowly
    )
    edge.world.put_endpoints(endpoints("app", old.port))
    edge.world.put(ir.Site(host="a.example.com", http=(forward(upstream.name),), clusters=(upstream,)))
    await edge.answers(URL)
    await asyncio.sleep(WINDOW)
    edge.world.put_endpoints(endpoints("app", old.port, new.port))

    async def both_are_known() -> bool:
        return f"127.0.0.1:{new.port}::" in await edge.admin("/clusters")

    await edge.eventually(both_are_known)
    async with edge.client() as client:
        seen = Counter([(await edge.send(client, URL)).json()["app"] for _ in range(100)])
    assert 0 < seen["new"] < 30
