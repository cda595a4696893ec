"""Every example of docs/traffic-policy.md, as it is written there, through the compiler and a real Envoy."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio

from isoline.objects import GatewayConfig, ObjectMeta, Secret, SecretValue, TrafficPolicy
from isoline.objects.traffic_policy import SETTINGS
from isoline.routing import ir
from isoline.routing.compiler import compile_site
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import HOSTS
from isoline.routing.settings import settings_from_config
from isoline.routing.traffic.effective import is_set
from isoline.routing.view import View
from unit.routing.support import objects, pair, secret, store_of
from unit.xds import apps
from unit.xds.edge import Edge, free_port, gateway_on, running_edge
from unit.xds.support import endpoints

PAGE = (Path(__file__).parents[2] / "docs" / "traffic-policy.md").read_text()
EXAMPLES = dict(re.findall(r"```yaml\n# example: (\S+)\n(.*?)```", PAGE, re.DOTALL))
WORLD = EXAMPLES.pop("world")
URL = "http://voice.example.com/"

Check = Callable[[Edge], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def example(name: str) -> Callable[[Check], Check]:
    """The check of an example; the app behind it has two replicas, of which "sick" fails at /healthz."""

    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


async def post(edge: Edge, content: bytes) -> httpx.Response:
    async with edge.client() as client:
        url = f"http://127.0.0.1:{edge.http_port}/"
        return await client.post(url, headers={"host": "voice.example.com"}, content=content)


@example("request-body")
async def request_body(edge: Edge) -> None:
    assert (await post(edge, b"x" * 1024)).status_code == 200
    refused = await post(edge, b"x" * 1025)
    assert (refused.status_code, "1024 bytes" in refused.text) == (413, True)


@example("request-headers")
async def request_headers(edge: Edge) -> None:
    assert (await edge.get(URL, headers={"x-large": "x" * 3000})).status_code == 431
    assert (await edge.get(URL, headers={f"x-{number}": "1" for number in range(30)})).status_code == 431


@example("rate-limits")
async def rate_limits(edge: Edge) -> None:
    keys = {"x-api-key": "a"}
    first = await edge.get(URL, headers=keys)
    assert first.headers["x-ratelimit-remaining"] == "1"
    assert [(await edge.get(URL, headers=keys)).status_code for _ in range(2)] == [200, 429]


@example("hosts")
async def hosts(edge: Edge) -> None:
    for host in ("voice.example.org", "a.voice.example.net"):
        await edge.answers(f"http://{host}/")


@example("catch-all")
async def catch_all(edge: Edge) -> None:
    for host in ("nobody.example.org", "127.0.0.1"):
        await edge.answers(f"http://{host}/")


@example("path-rewrite")
async def path_rewrite(edge: Edge) -> None:
    assert (await edge.get(f"{URL}api/v2/say?x=1")).json()["path"] == "/v2/say?x=1"
    assert (await edge.get(f"{URL}stream/api/v2/")).json()["path"] == "/stream/api/v2/"


@example("timeouts")
async def timeouts(edge: Edge) -> None:
    assert (await edge.get(f"{URL}slow")).status_code == 504


@example("retry")
async def retry(edge: Edge) -> None:
    # One of the two replicas fails every request: the retry goes to the other one.
    answers = [await edge.get(f"{URL}healthz") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}


@example("hedging")
async def hedging(edge: Edge) -> None:
    assert (await edge.get(f"{URL}slow")).status_code == 200


@example("outlier-detection")
async def outlier_detection(edge: Edge) -> None:
    await edge.answers(f"{URL}healthz", 503)
    assert [(await edge.get(f"{URL}healthz")).status_code for _ in range(6)] == [200] * 6


@example("session-cookie")
async def session_cookie(edge: Edge) -> None:
    first = await edge.get(URL)
    cookie = first.headers["set-cookie"].split("; ")
    assert {"Max-Age=3600", "Path=/", "SameSite=Strict", "Secure", "HttpOnly"} <= set(cookie)
    again = [await edge.get(URL, headers={"cookie": cookie[0]}) for _ in range(4)]
    assert {answer.json()["app"] for answer in again} == {first.json()["app"]}


@example("error-pages")
async def error_pages(edge: Edge) -> None:
    page = await edge.answers(f"{URL}healthz", 503)
    assert (page.json()["app"], page.json()["path"]) == ("pages", "/sorry")


@example("access-log")
async def access_log(edge: Edge) -> None:
    async def written() -> bool:
        await edge.get(URL)
        lines = [line for line in (edge.folder / "one.log").read_text().splitlines() if '"status":200' in line]
        return any(set(json.loads(line)) >= {"time", "method", "duration_ms"} for line in lines)

    await edge.eventually(written)


@example("request-id")
async def request_id(edge: Edge) -> None:
    answer = await edge.get(URL)
    assert answer.headers["x-request-id"] == answer.json()["headers"]["x-request-id"]


@example("api-keys")
async def api_keys(edge: Edge) -> None:
    answer = await edge.get(URL, headers={"authorization": "Bearer 90ab17"})
    assert answer.json()["headers"]["x-client"] == "batch"


@example("basic-auth")
async def basic_auth(edge: Edge) -> None:
    credentials = base64.b64encode(b"ann:long and random").decode()
    answer = await edge.get(URL, headers={"authorization": f"Basic {credentials}"})
    assert answer.json()["headers"]["x-user"] == "ann"


@example("any-credential")
async def any_credential(edge: Edge) -> None:
    password = "Basic " + base64.b64encode(b"ann:long and random").decode()
    for given in (password, "Bearer 90ab17"):
        assert (await edge.get(URL, headers={"authorization": given})).status_code == 200
    for given in ("Basic wrong", "Bearer wrong"):
        assert (await edge.get(URL, headers={"authorization": given})).status_code == 401


@example("oidc")
async def oidc(edge: Edge) -> None:
    answer = await edge.get(URL)
    assert answer.headers["location"].startswith("https://login.example.com/authorize?client_id=studio")
    assert (await edge.get(URL, headers={"sec-fetch-mode": "cors"})).status_code == 401


@example("jwt-claims")
async def jwt_claims(edge: Edge) -> None:
    assert (await edge.get(URL, headers={"x-user": "root"})).status_code == 403


@example("compression")
async def compression(edge: Edge) -> None:
    assert (await edge.get(URL, headers={"accept-encoding": "br"})).headers["content-encoding"] == "br"


@example("bandwidth")
async def bandwidth(edge: Edge) -> None:
    assert (await post(edge, b"x" * 1024)).json()["length"] == 1024


@example("endpoint-concurrency")
async def endpoint_concurrency(edge: Edge) -> None:
    async with edge.client() as client:
        # Requests wait while a connection is made, too: both are there before it is counted who waits for a turn.
        await asyncio.gather(*(edge.send(client, f"{URL}slow") for _ in range(2)))
        found = await asyncio.gather(*(edge.send(client, f"{URL}slow") for _ in range(6)))
    # Of six at once two are worked on and two wait.
    assert sorted(answer.status_code for answer in found) == [200, 200, 200, 200, 503, 503]


@example("adaptive-concurrency")
async def adaptive_concurrency(edge: Edge) -> None:
    async with edge.client() as client:
        found = await asyncio.gather(*(edge.send(client, f"{URL}slow") for _ in range(22)))
    assert sorted({answer.status_code for answer in found}) == [200, 503]


@example("failover")
async def failover(edge: Edge) -> None:
    # Nobody of the first Service is there.
    assert (await edge.get(URL)).json()["app"] == "pages"


@example("client-certificate")
async def client_certificate(edge: Edge) -> None:
    # The app of these examples speaks no TLS.
    assert (await edge.get(URL)).status_code == 200


@example("http3")
async def http3(edge: Edge) -> None:
    # The host of these examples has no TLS, so that there is nothing to be said.
    assert "alt-svc" not in (await edge.get(URL)).headers


BEFORE = {"api-keys": 401, "any-credential": 401, "basic-auth": 401, "oidc": 302, "jwt-claims": 403}
"""What is answered to somebody who brings nothing."""


def test_every_example_is_tried() -> None:
    assert sorted(CHECKS) == sorted(EXAMPLES)


def test_every_setting_has_an_example() -> None:
    policies = [item for text in EXAMPLES.values() for item in objects(text) if isinstance(item, TrafficPolicy)]
    assert {name for name in SETTINGS for policy in policies if is_set(policy, name)} == set(SETTINGS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One Envoy for all examples, with the replicas of `voice` and those of `pages`."""
    http, https = free_port(), free_port()
    async with AsyncExitStack() as stack:
        started = {}
        for name in ("good", "sick", "pages"):
            started[name], runner = await apps.start(name)
            stack.push_async_callback(runner.cleanup)
        edge = await stack.enter_async_context(
            running_edge(tmp_path_factory.mktemp("docs"), gateway_on(http, https), http, https)
        )
        pages = started["pages"].port
        replicas = endpoints("", started["good"].port, started["sick"].port).endpoints
        standing_in = ir.Endpoint(address="127.0.0.1", port=pages, priority=1)
        edge.world.put_endpoints(
            ir.Endpoints(name="default/voice/80", endpoints=replicas),
            ir.Endpoints(name="default/pages/80", endpoints=endpoints("", pages).endpoints),
            ir.Endpoints(name="default/voice/80;default/pages/80", endpoints=(standing_in,)),
        )
        yield edge


@pytest_asyncio.fixture(loop_scope="module")
async def edge(world: Edge) -> AsyncIterator[Edge]:
    """The Envoy as it was before the last example."""
    gateway = world.world.gateway
    yield world
    world.world.gateway = gateway
    world.world.listen()
    for host in list(world.world.hosts):
        world.world.remove(host)
    await world.answers(URL, 404)
    world.rejected.clear()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", EXAMPLES)
async def test_it_does_what_the_page_says(name: str, edge: Edge) -> None:
    items = objects(WORLD + "---\n" + EXAMPLES[name])
    authority = Secret(
        metadata=ObjectMeta(name="login-ca", namespace="default"), data={"ca.crt": SecretValue(pair()[0])}
    )
    store = store_of(*items, secret("gateway-client"), authority)
    config = next((item for item in items if isinstance(item, GatewayConfig)), None)
    settings = settings_from_config(config, one_machine=False)
    if config is not None:
        logs = gateway_from_config(config, http_port=0, https_port=0).named_logs
        edge.world.gateway = msgspec.structs.replace(edge.world.gateway, named_logs=logs)
        edge.world.listen()
    for host in {value for item in items for index, value in store.values_of(item) if index == HOSTS}:
        compiled = compile_site(host, View(store, settings))
        assert all(not status.errors for status in compiled.statuses.values()), compiled.statuses
        if compiled.site is not None:
            edge.world.put(compiled.site)
    await edge.answers(URL, BEFORE.get(name, 200))
    await CHECKS[name](edge)
    assert edge.rejected == []
