"""What routes of HTTPProxies and annotations of Ingresses say of time, second tries and requests, as clients see it."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.many_hosts import BY_HEADER, Check, ManyHosts, of_twenty_clients

PROXY = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: voice, namespace: default}
spec:
  virtualhost: {fqdn: HOST}
  routes:
  - {services: [{name: SERVICE, port: 80}]MORE}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: voice, namespace: default, annotations: {MORE}}
spec:
  rules:
  - host: HOST
    http:
      paths:
      - {path: /ws, pathType: Prefix, backend: {service: {name: SERVICE, port: {number: 80}}}}
      - {path: /, pathType: Prefix, backend: {service: {name: SERVICE, port: {number: 80}}}}
"""
HOSTS = ManyHosts()


def route(more: str, *, service: str = "good") -> Callable[[Check], Check]:
    """A check of what the route says beside its Service."""

    def register(check: Check) -> Check:
        HOSTS.add(PROXY.replace("MORE", f", {more}"), service, check)
        return check

    return register


def annotated(notes: str, *, service: str = "good") -> Callable[[Check], Check]:
    """A check of what the annotations of an Ingress say."""

    def register(check: Check) -> Check:
        HOSTS.add(INGRESS.replace("MORE", notes), service, check)
        return check

    return register


async def status(edge: Edge, url: str, **headers: str) -> int:
    return (await edge.get(url, headers={f"x-{name}": value for name, value in headers.items()})).status_code


async def of_four(edge: Edge, url: str) -> set[int]:
    """The statuses of requests that go to both replicas in turn."""
    return {await status(edge, f"{url}healthz") for _ in range(4)}


@route("timeoutPolicy: {response: 200ms}")
async def an_answer_takes_too_long(edge: Edge, url: str) -> None:
    assert await status(edge, f"{url}slow") == 504


@route("timeoutPolicy: {idle: 200ms}")
async def an_answer_is_silent_too_long(edge: Edge, url: str) -> None:
    assert await status(edge, f"{url}slow") == 504


@route("timeoutPolicy: {idleConnection: 50ms}")
async def an_unused_connection_ends(edge: Edge, url: str) -> None:
    async def ended() -> bool:
        # By default it would stay for an hour, and it is the one host here that says otherwise.
        shown = await edge.admin("/stats?filter=^cluster.default/good-.*upstream_cx_idle_timeout$")
        return any(not line.endswith(": 0") for line in shown.splitlines())

    await edge.eventually(ended)


@route(f"retryPolicy: {{count: 1}}, {BY_HEADER}", service="mixed")
async def a_failure_is_tried_again(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200}


@route(f"retryPolicy: {{count: -1}}, {BY_HEADER}", service="mixed")
async def nothing_is_tried_again(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200, 503}


@route(f"retryPolicy: {{count: 1, retryOn: [connect-failure]}}, {BY_HEADER}", service="mixed")
async def an_answer_is_no_reason(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200, 503}


@route(f"retryPolicy: {{retryOn: [retriable-status-codes], retriableStatusCodes: [503]}}, {BY_HEADER}", service="mixed")
async def some_answers_are_a_reason(edge: Edge, url: str) -> None:
    assert await of_twenty_clients(edge, url) == {200}


@route("retryPolicy: {count: 1, perTryTimeout: 200ms}")
async def every_try_is_timed(edge: Edge, url: str) -> None:
    assert await status(edge, f"{url}slow") == 504


CONDITIONS = {
    "present": "{header: {name: X-A, present: true}}",
    "notpresent": "{header: {name: X-A, notpresent: true}}",
    "contains": "{header: {name: X-A, contains: B, ignoreCase: true}}",
    "notcontains": "{header: {name: X-A, notcontains: b}}",
    "exact": "{header: {name: X-A, exact: aBc, ignoreCase: true}}",
    "notexact": "{header: {name: X-A, notexact: abc}}",
    "missing": "{header: {name: X-A, notexact: abc, treatMissingAsEmpty: true}}",
    "regex": "{header: {name: X-A, regex: 'a.+c'}}",
    "query-present": "{queryParameter: {name: q, present: true}}",
    "query-exact": "{queryParameter: {name: q, exact: aBc, ignoreCase: true}}",
    "query-prefix": "{queryParameter: {name: q, prefix: ab}}",
    "query-suffix": "{queryParameter: {name: q, suffix: bc}}",
    "query-contains": "{queryParameter: {name: q, contains: b}}",
    "query-regex": "{queryParameter: {name: q, regex: 'a.+c'}}",
}
FULFILLED = {
    "": {"notpresent", "missing"},
    "abc": {"present", "contains", "exact", "regex"},
    "xbx": {"present", "contains", "notexact", "missing"},
    "zzz": {"present", "notcontains", "notexact", "missing"},
}
"""By the value of the header; without one in the first line."""
ASKED = {
    "": set(),
    "?q=abc": {"present", "exact", "prefix", "suffix", "contains", "regex"},
    "?q=abx": {"present", "prefix", "contains"},
    "?q=xbc": {"present", "suffix", "contains"},
    "?q=z": {"present"},
    "?q=": {"present"},
}
"""By the query."""
ROUTES = "".join(
    f"\n  - {{conditions: [{{prefix: /{name}}}, {condition}], directResponsePolicy: {{statusCode: 204}}}}"
    for name, condition in CONDITIONS.items()
)
PATHS = """
  - {conditions: [{regex: '/v[0-9]+'}], directResponsePolicy: {statusCode: 205}}
  - {conditions: [{exact: /v1}], directResponsePolicy: {statusCode: 206}}
"""


async def conditions_of_headers(edge: Edge, url: str) -> None:
    for value, fulfilled in FULFILLED.items():
        headers = {"a": value} if value else {}
        paths = [name for name in CONDITIONS if not name.startswith("query")]
        assert {name for name in paths if await status(edge, url + name, **headers) == 204} == fulfilled, value


async def conditions_of_queries(edge: Edge, url: str) -> None:
    for query, fulfilled in ASKED.items():
        paths = [name for name in CONDITIONS if name.startswith("query")]
        found = {name for name in paths if await status(edge, url + name + query) == 204}
        assert found == {f"query-{name}" for name in fulfilled}, query


async def conditions_of_paths(edge: Edge, url: str) -> None:
    assert [await status(edge, url + path) for path in ("v1", "v12", "v1/x", "v")] == [206, 205, 200, 200]


for _check in (conditions_of_headers, conditions_of_queries, conditions_of_paths):
    HOSTS.add(PROXY.replace("MORE", "") + ROUTES + PATHS, "good", _check)


@annotated("projectcontour.io/response-timeout: 200ms")
async def an_ingress_waits_so_long(edge: Edge, url: str) -> None:
    assert await status(edge, f"{url}slow") == 504


@annotated("projectcontour.io/retry-on: 5xx, projectcontour.io/per-try-timeout: 200ms")
async def every_try_of_an_ingress_is_timed(edge: Edge, url: str) -> None:
    assert await status(edge, f"{url}slow") == 504


@annotated("projectcontour.io/retry-on: 5xx, projectcontour.io/num-retries: '1'", service="mixed")
async def an_ingress_tries_again(edge: Edge, url: str) -> None:
    assert await of_four(edge, url) == {200}


@annotated("projectcontour.io/retry-on: 5xx, projectcontour.io/num-retries: '-1'", service="mixed")
async def an_ingress_does_not_try_again(edge: Edge, url: str) -> None:
    assert await of_four(edge, url) == {200, 503}


@annotated("projectcontour.io/websocket-routes: /ws")
async def an_ingress_upgrades_where_it_says_so(edge: Edge, url: str) -> None:
    host = {"host": url.split("/")[2]}
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"http://127.0.0.1:{edge.http_port}/ws", headers=host) as stream:
            await stream.send_str("there?")
            assert await stream.receive_str() == "there?"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"http://127.0.0.1:{edge.http_port}/", headers=host)
    assert refused.value.status == 403


async def test_what_each_field_says_is_done(edge: Edge, start_app: Callable[[str], Awaitable[App]]) -> None:
    await HOSTS.check(edge, start_app)
