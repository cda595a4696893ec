"""Pages of other origins, and what their browsers are told."""

import httpx
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward

HOST = "a.example.com"
URL = f"http://{HOST}/"
POLICY = ir.Cors(
    origins=(ir.Origin(value="https://Page.example.com:8443"), ir.Origin(value=r"https://.*\.pages\.org", regex=True)),
    methods=("GET", "PUT"),
    request_headers=("x-a", "x-b"),
    exposed_headers=("x-c", "x-d"),
    max_age=600,
    credentials=True,
    private_network=True,
)
PAGE = "https://page.example.com:8443"


async def put(edge: Edge, app: App, policy: ir.Cors, addresses: ir.AddressFilter | None = None) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    target = cluster("app")
    edge.world.put(
        ir.Site(host=HOST, http=(forward(target.name),), clusters=(target,), cors=policy, addresses=addresses)
    )
    await edge.answers(URL, 200 if addresses is None else 403)


async def preflight(
    edge: Edge, origin: str, method: str | None = "PUT", headers: dict[str, str] | None = None
) -> httpx.Response:
    asked = {} if method is None else {"access-control-request-method": method}
    async with edge.client() as client:
        return await client.options(
            f"http://127.0.0.1:{edge.http_port}/", headers={"host": HOST, "origin": origin, **asked, **(headers or {})}
        )


async def test_a_preflight_is_answered_here(edge: Edge, app: App) -> None:
    await put(edge, app, POLICY)
    private = {"access-control-request-private-network": "true"}
    for origin in (PAGE, "https://PAGE.example.com:8443", "https://my.pages.org"):
        answer = await preflight(edge, origin, headers=private)
        assert (answer.status_code, answer.text) == (200, "")
        told = {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}
        assert told == {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET,PUT",
            "access-control-allow-headers": "x-a,x-b",
            "access-control-expose-headers": "x-c,x-d",
            "access-control-max-age": "600",
            "access-control-allow-credentials": "true",
            "access-control-allow-private-network": "true",
        }
    assert edge.rejected == []


@pytest.mark.parametrize("origin", ["https://other.example.com", "https://page.example.com", "https://pages.org.evil"])
async def test_from_another_origin_it_is_the_apps_business(edge: Edge, app: App, origin: str) -> None:
    await put(edge, app, POLICY)
    answer = await preflight(edge, origin)
    assert answer.json()["app"] == "app"
    assert "access-control-allow-origin" not in answer.headers


async def test_options_that_is_no_preflight_goes_to_the_app(edge: Edge, app: App) -> None:
    await put(edge, app, POLICY)
    assert (await preflight(edge, PAGE, method=None)).json()["app"] == "app"


async def test_the_answer_may_be_seen_by_who_asked(edge: Edge, app: App) -> None:
    await put(edge, app, POLICY)
    answer = await edge.get(URL, headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-expose-headers"] == "x-c,x-d"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in (await edge.get(URL, headers={"origin": "https://other.org"})).headers


async def test_any_method_of_any_origin_and_nothing_remembered(edge: Edge, app: App) -> None:
    await put(edge, app, ir.Cors(origins=(ir.Origin(value="*"),), methods=("*",), max_age=0))
    answer = await preflight(edge, "https://anybody.example", "PATCH")
    assert answer.headers["access-control-allow-methods"] == "PATCH"
    assert answer.headers["access-control-max-age"] == "0"
    assert answer.headers["access-control-allow-origin"] in {"*", "https://anybody.example"}


async def test_who_may_not_come_may_not_ask_either(edge: Edge, app: App) -> None:
    local = ir.AddressRange(address="127.0.0.0", prefix_length=8, forwarded=False)
    await put(edge, app, POLICY, ir.AddressFilter(allow=False, ranges=(local,)))
    assert (await preflight(edge, PAGE)).status_code == 403
