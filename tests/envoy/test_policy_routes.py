"""What an HTTPProxy says of its routes, from the manifest through the compiler to what a real Envoy does."""

import json
from typing import Any

import httpx
import pytest

from isoline.objects.core import ServicePort
from isoline.routing.settings import Settings
from unit.routing.support import compiled, policy_of_headers, root, service
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import endpoints

HOST = "voice.example.com"
URL = f"http://{HOST}"


def put(edge: Edge, routes: str, settings: Settings | None = None, **annotations: str) -> None:
    """Serves an HTTPProxy with these routes; `/ready` answers once it does."""
    ready = "- {conditions: [{exact: /ready}], directResponsePolicy: {statusCode: 200}}"
    ports = (ServicePort(name="http", port=80), ServicePort(name="health", port=81))
    item = root(f"routes:\n{ready}\n{routes}")
    result = compiled(item, service("app", "default", *ports, **annotations), settings=settings)
    assert result.site is not None
    assert not result.statuses[item.key].errors
    edge.world.put(result.site)


async def got(edge: Edge, path: str, headers: dict[str, str] | None = None) -> Any:
    """What the app got."""
    answer = await edge.get(URL + path, headers=headers)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


async def status(edge: Edge, path: str, headers: dict[str, str] | None = None) -> int:
    return (await edge.get(URL + path, headers=headers)).status_code


@pytest.fixture
def world(edge: Edge, app: App) -> Edge:
    edge.world.put_endpoints(endpoints("app", app.port))
    return edge


HEADERS = """
- conditions: [{prefix: /}]
  requestHeadersPolicy:
    set:
    - {name: X-Both, value: route}
    - {name: X-Route, value: "%CONTOUR_NAMESPACE% %CONTOUR_SERVICE_NAME% %RESPONSE_CODE% 5%"}
    - {name: X-From, value: "%REQ(X-Given)%"}
    remove: [X-Secret]
  responseHeadersPolicy: {set: [{name: X-Answer, value: "%PROTOCOL%"}], remove: [Server]}
  services:
  - name: app
    port: 80
    requestHeadersPolicy:
      set:
      - {name: X-Both, value: service}
      - {name: X-Service, value: "%CONTOUR_NAMESPACE%/%CONTOUR_SERVICE_NAME%:%CONTOUR_SERVICE_PORT%"}
- conditions: [{prefix: /by-name}]
  requestHeadersPolicy: {set: [{name: Host, value: inner.example.com}]}
  services: [{name: app, port: 80}]
- conditions: [{prefix: /by-header}]
  requestHeadersPolicy: {set: [{name: Host, value: "%REQ(X-Host)%"}]}
  services: [{name: app, port: 80}]
- conditions: [{prefix: /by-service}]
  services: [{name: app, port: 80, requestHeadersPolicy: {set: [{name: Host, value: its.example.com}]}}]
"""


async def test_headers_and_their_variables(world: Edge) -> None:
    put(world, HEADERS)
    await world.answers(f"{URL}/ready")
    headers = (await got(world, "/", {"x-secret": "s", "x-given": "g"}))["headers"]
    assert headers["x-both"] == "route"
    assert headers["x-service"] == "default/app:80"
    assert headers["x-route"] == "default %CONTOUR_SERVICE_NAME% %RESPONSE_CODE% 5%"
    assert headers["x-from"] == "g"
    assert "x-secret" not in headers
    assert "x-from" not in (await got(world, "/"))["headers"], "an empty variable drops the header"
    answer = await world.get(f"{URL}/")
    assert answer.headers["x-answer"] == "HTTP/1.1"
    assert "server" not in answer.headers


async def test_the_host_that_the_app_sees(world: Edge) -> None:
    put(world, HEADERS)
    await world.answers(f"{URL}/ready")
    by_name = (await got(world, "/by-name"))["headers"]
    assert (by_name["host"], by_name["x-envoy-original-host"]) == ("inner.example.com", HOST)
    by_header = (await got(world, "/by-header", {"x-host": "given.example.com"}))["headers"]
    assert by_header["host"] == "given.example.com"
    by_service = (await got(world, "/by-service"))["headers"]
    assert by_service["host"] == "its.example.com"
    assert "x-envoy-original-host" not in by_service


async def test_the_gateways_headers(world: Edge) -> None:
    settings = Settings(
        request_headers=policy_of_headers("{set: [{name: X-Via, value: edge}, {name: X-Both, value: gateway}]}"),
        response_headers=policy_of_headers("{set: [{name: X-Frame-Options, value: DENY}]}"),
    )
    put(world, HEADERS, settings)
    await world.answers(f"{URL}/ready")
    headers = (await got(world, "/"))["headers"]
    assert (headers["x-via"], headers["x-both"]) == ("edge", "route")
    for path in ("/", "/ready"):
        assert (await world.get(URL + path)).headers["x-frame-options"] == "DENY"


ANSWERS = """
- conditions: [{prefix: /moved}]
  requestRedirectPolicy: {scheme: https, hostname: other.example.com, port: 8443, statusCode: 301, path: /there}
  responseHeadersPolicy: {set: [{name: X-Answer, value: redirect}]}
- conditions: [{prefix: /old}]
  requestRedirectPolicy: {prefix: /new}
- conditions: [{prefix: /said}]
  directResponsePolicy: {statusCode: 418, body: tea}
  responseHeadersPolicy: {set: [{name: X-Answer, value: direct}]}
- conditions: [{prefix: /kept}]
  ipDenyPolicy: [{source: Peer, cidr: 127.0.0.0/8}]
  directResponsePolicy: {statusCode: 200}
- conditions: [{prefix: /counted}]
  rateLimitPolicy: {local: {requests: 1, unit: hour}}
  requestRedirectPolicy: {hostname: other.example.com}
- conditions: [{prefix: /api}]
  pathRewritePolicy: {replacePrefix: [{replacement: /v2}]}
  services: [{name: app, port: 80}]
- conditions: [{prefix: /shop}, {header: {name: X-Tier, exact: gold}}]
  directResponsePolicy: {statusCode: 201}
- conditions: [{prefix: /shop}, {header: {name: X-Tier, contains: SIL, ignoreCase: true}}]
  directResponsePolicy: {statusCode: 202}
- conditions: [{prefix: /shop}, {queryParameter: {name: page, prefix: "1"}}]
  directResponsePolicy: {statusCode: 203}
- conditions: [{prefix: /shop}]
  directResponsePolicy: {statusCode: 204}
"""


async def test_what_the_gateway_answers_itself(world: Edge) -> None:
    put(world, ANSWERS)
    await world.answers(f"{URL}/ready")
    moved = await world.get(f"{URL}/moved?a=b")
    assert (moved.status_code, moved.headers["location"]) == (301, "https://other.example.com:8443/there?a=b")
    assert moved.headers["x-answer"] == "redirect"
    old = await world.get(f"{URL}/old/page")
    assert (old.status_code, httpx.URL(old.headers["location"]).path) == (302, "/new/page")
    said = await world.get(f"{URL}/said")
    assert (said.status_code, said.text, said.headers["x-answer"]) == (418, "tea", "direct")
    assert await status(world, "/kept") == 403
    assert [await status(world, "/counted") for _ in range(2)] == [302, 429]


async def test_conditions_and_rewrites(world: Edge) -> None:
    put(world, ANSWERS)
    await world.answers(f"{URL}/ready")
    assert [await status(world, "/shop", {"x-tier": tier}) for tier in ("gold", "Silver", "tin")] == [201, 202, 204]
    assert [await status(world, f"/shop?page={page}") for page in ("12", "2")] == [203, 204]
    assert [(await got(world, path))["path"] for path in ("/api", "/api/x?y=z")] == ["/v2", "/v2/x?y=z"]
