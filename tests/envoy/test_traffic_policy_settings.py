"""Fields of TrafficPolicies that the examples of the page leave at their defaults: each is seen in what clients get."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.many_hosts import BY_HEADER, Check, ManyHosts, of_twenty_clients

WORLD = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: voice, namespace: default}
spec:
  virtualhost: {fqdn: HOST}
  routes: [{services: [{name: SERVICE, port: 80}]ROUTE}]
---
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: policy, namespace: default}
spec: {targetRefs: [{kind: HTTPProxy, name: voice}], SPEC}
"""
HOSTS = ManyHosts()


def setting(spec: str, *, service: str = "good", route: str = "") -> Callable[[Check], Check]:
    """A check of what a policy says, with one of the Services behind it and maybe more on the route."""

    def register(check: Check) -> Check:
        more = f", {route}" if route else ""
        HOSTS.add(WORLD.replace("ROUTE", more).replace("SPEC", spec), service, check)
        return check

    return register


@setting("timeouts: {idle: 200ms}")
async def silence_ends(edge: Edge, url: str) -> None:
    assert (await edge.get(f"{url}slow")).status_code == 504


@setting("retry: {count: 1, perTryTimeout: 200ms}")
async def every_try_is_timed(edge: Edge, url: str) -> None:
    assert (await edge.get(f"{url}slow")).status_code == 504


@setting("retry: {count: 3, retryOn: [connect-failure]}", service="mixed")
async def an_answer_is_no_reason_to_try_again(edge: Edge, url: str) -> None:
    assert {(await edge.get(f"{url}healthz")).status_code for _ in range(4)} == {200, 503}


@setting("retry: {count: 1, backOff: {base: 1h}}, timeouts: {request: 500ms}", service="sick")
async def the_second_try_waits(edge: Edge, url: str) -> None:
    # At once it would be the app's 503.
    assert (await edge.get(f"{url}healthz")).status_code == 504


@setting("retry: {count: 25, backOff: {base: 1ms, max: 1h}}, timeouts: {request: 1s}", service="sick")
async def waits_double_up_to_their_bound(edge: Edge, url: str) -> None:
    # At ten times the base, the default, twenty-five tries are over in an eighth of a second.
    assert (await edge.get(f"{url}healthz")).status_code == 504


@setting("retry: {count: 1, avoidSameHost: false}", service="mixed", route=BY_HEADER)
async def the_same_endpoint_is_tried_again(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200, 503}


@setting("retry: {count: 1}", service="mixed", route=BY_HEADER)
async def another_endpoint_is_tried(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200}


@setting("outlierDetection: {consecutiveErrors: 100, consecutiveGatewayErrors: 1}", service="mixed")
async def gateway_errors_count_apart(edge: Edge, url: str) -> None:
    async def left_out() -> bool:
        return {(await edge.get(f"{url}healthz")).status_code for _ in range(6)} == {200}

    # It is left out a moment after its answer.
    await edge.answers(f"{url}healthz", 503)
    await edge.eventually(left_out)


@setting("outlierDetection: {consecutiveErrors: 1, maxEjectionPercent: 100}", service="sick")
async def all_may_be_left_out(edge: Edge, url: str) -> None:
    await edge.answers(f"{url}healthz", 503, "no healthy upstream")


@setting("outlierDetection: {consecutiveErrors: 1}", service="sick")
async def half_may_be_left_out(edge: Edge, url: str) -> None:
    assert {(await edge.get(f"{url}healthz")).text for _ in range(20)} == {""}


@setting(
    "outlierDetection: {consecutiveErrors: 1, interval: 50ms, baseEjectionTime: 50ms, maxEjectionTime: 50ms}",
    service="mixed",
)
async def an_endpoint_comes_back(edge: Edge, url: str) -> None:
    # By default it would be away for half a minute, and looked at every ten seconds.
    async with asyncio.timeout(9):
        for _ in range(3):
            await edge.answers(f"{url}healthz", 503)


@setting("sessionCookie: {path: /studio, sameSite: Lax}")
async def a_cookie_is_for_its_path(edge: Edge, url: str) -> None:
    cookie = (await edge.get(f"{url}studio")).headers["set-cookie"].split("; ")
    assert cookie[0].startswith("isoline-session=")
    assert {"Path=/studio", "SameSite=Lax"} <= set(cookie)
    assert not {each for each in cookie if each == "Secure" or each.startswith("Max-Age")}
    assert "set-cookie" not in (await edge.get(url)).headers


async def of_who_left(edge: Edge, url: str) -> int:
    """The status for a client whose endpoint is gone."""
    cookie = base64.b64encode(b"127.0.0.1:1").decode()
    return (await edge.get(url, headers={"cookie": f"isoline-session={cookie}"})).status_code


@setting("sessionCookie: {strict: true}")
async def who_is_strict_keeps_to_an_endpoint_that_left(edge: Edge, url: str) -> None:
    assert await of_who_left(edge, url) == 503


@setting("sessionCookie: {strict: false}")
async def who_is_not_goes_to_another(edge: Edge, url: str) -> None:
    assert await of_who_left(edge, url) == 200


@setting("compression: {minSize: 100Ki, contentTypes: [application/json]}")
async def what_is_small_stays_as_it_is(edge: Edge, url: str) -> None:
    assert "content-encoding" not in (await edge.get(url, headers={"accept-encoding": "gzip"})).headers


@setting("compression: {minSize: 30, contentTypes: [text/css]}")
async def other_types_stay_as_they_are(edge: Edge, url: str) -> None:
    assert "content-encoding" not in (await edge.get(url, headers={"accept-encoding": "gzip"})).headers


@setting("compression: {minSize: 30, algorithms: [zstd]}")
async def only_what_is_named_is_offered(edge: Edge, url: str) -> None:
    answer = await edge.get(url, headers={"accept-encoding": "gzip, br, zstd;q=0.1"})
    assert answer.headers["content-encoding"] == "zstd"


@setting("bandwidth: {requests: 20Ki}")
async def uploads_take_their_time(edge: Edge, url: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1024

    begun = time.monotonic()
    async with edge.client() as client:
        where = {"host": url.split("/")[2]}
        answer = await client.post(f"http://127.0.0.1:{edge.http_port}/", headers=where, content=pieces())
    assert answer.json()["length"] == 40 * 1024
    # The bucket begins full, and what is beyond it comes in a second.
    assert time.monotonic() - begun > 0.5


@setting("bandwidth: {responses: 10Ki}")
async def downloads_take_their_time(edge: Edge, url: str) -> None:
    begun = time.monotonic()
    answer = await edge.get(url, headers={f"x-{number}": "x" * 7 * 1024 for number in range(3)})
    assert len(answer.content) > 20 * 1024
    assert time.monotonic() - begun > 0.5


@setting("adaptiveConcurrency: {maxRequests: 3, minRequests: 1, samples: 1, updateInterval: 10ms}")
async def what_is_found_stays_below_its_bound(edge: Edge, url: str) -> None:
    async def limit() -> int:
        await edge.get(url)
        shown = await edge.admin("/stats?filter=gradient_controller.concurrency_limit")
        return max((int(line.rpartition(":")[2]) for line in shown.splitlines()), default=0)

    async def found() -> bool:
        return await limit() == 3

    await edge.eventually(found)
    assert max([await limit() for _ in range(50)]) == 3


@setting(
    "errorPages: [{statuses: [500-502], body: a}, {statuses: ['503'], body: b, contentType: text/x, status: 200}]",
    service="sick",
)
async def a_page_is_for_its_statuses(edge: Edge, url: str) -> None:
    answer = await edge.get(f"{url}healthz")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "b", "text/x")


async def test_what_each_field_says_is_done(edge: Edge, start_app: Callable[[str], Awaitable[App]]) -> None:
    await HOSTS.check(edge, start_app)
