"""rateLimitPolicy.local: what a bucket is made of, and what cannot be one."""

import pytest

from isoline.objects import HTTPProxy
from isoline.routing import ir
from unit.routing.support import compiled, errors, paths, proxy, root, service, site

ROUTES = "routes: [{services: [{name: app, port: 80}]}]"


def on_route(local: str) -> HTTPProxy:
    bad = f"{{conditions: [{{prefix: /x}}], services: [{{name: app, port: 80}}], rateLimitPolicy: {{local: {local}}}}}"
    return root(f"routes: [{bad}, {{services: [{{name: app, port: 80}}]}}]")


def on_host(local: str) -> HTTPProxy:
    return proxy(f"virtualhost: {{fqdn: voice.example.com, rateLimitPolicy: {{local: {local}}}}}\n{ROUTES}")


@pytest.mark.parametrize(("unit", "seconds"), [("second", 1.0), ("minute", 60.0), ("hour", 3600.0)])
def test_of_a_route(unit: str, seconds: float) -> None:
    served = site(on_route(f"{{requests: 5, unit: {unit}}}"), service())
    assert [route.local_limit for route in served.http] == [ir.LocalLimit(requests=5, interval=seconds), None]
    assert served.local_limit is None


def test_of_the_virtual_host_with_everything() -> None:
    policy = "{requests: 5, unit: minute, burst: 3, responseStatusCode: 503, responseHeadersToAdd: [%]}"
    served = site(on_host(policy.replace("%", "{name: X-A, value: '100%'}")), service())
    assert served.local_limit == ir.LocalLimit(
        requests=5, interval=60.0, burst=3, status=503, response_headers=(ir.Header(name="X-A", value="100%%"),)
    )


@pytest.mark.parametrize("action", ["directResponsePolicy: {statusCode: 200}", "requestRedirectPolicy: {path: /y}"])
def test_of_answers_of_the_gateways_own(action: str) -> None:
    served = site(root(f"routes: [{{{action}, rateLimitPolicy: {{local: {{requests: 1, unit: hour}}}}}}]"))
    assert served.http[0].local_limit == ir.LocalLimit(requests=1, interval=3600.0)


ELEVEN_HEADERS = ", ".join(f"{{name: a{number}, value: b}}" for number in range(11))
BAD = [
    ("{requests: 0, unit: second}", "requests"),
    ("{requests: -1, unit: second}", "requests"),
    ("{requests: 1, unit: day}", "unit"),
    ("{requests: 1, unit: second, burst: -1}", "burst"),
    ("{requests: 4294967295, unit: second, burst: 1}", "burst"),
    ("{requests: 1, unit: second, responseStatusCode: 200}", "responseStatusCode"),
    ("{requests: 1, unit: second, responseStatusCode: 418}", "responseStatusCode"),
    ("{requests: 1, unit: second, responseHeadersToAdd: [{name: 'a b', value: c}]}", "responseHeadersToAdd[0]"),
    ('{requests: 1, unit: second, responseHeadersToAdd: [{name: a, value: "b\\nc"}]}', "responseHeadersToAdd[0]"),
    ("{requests: 1, unit: second, responseHeadersToAdd: [{name: Host, value: a}]}", "responseHeadersToAdd[0]"),
    (
        "{requests: 1, unit: second, responseHeadersToAdd: [{name: a, value: b}, {name: A, value: c}]}",
        "responseHeadersToAdd[1]",
    ),
    (f"{{requests: 1, unit: second, responseHeadersToAdd: [{ELEVEN_HEADERS}]}}", "responseHeadersToAdd"),
]


@pytest.mark.parametrize(("policy", "field"), BAD)
def test_what_cannot_be_takes_its_route_out(policy: str, field: str) -> None:
    item = on_route(policy)
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("RouteError", "RateLimitPolicyNotValid")]
    message = result.statuses[item.key].errors[0].message
    assert message.startswith(f"spec.routes[0].rateLimitPolicy.local.{field}: ")
    assert result.site is not None
    assert paths(result.site.http) == ["/"]


@pytest.mark.parametrize(("policy", "field"), BAD)
def test_what_cannot_be_of_the_virtual_host_closes_it(policy: str, field: str) -> None:
    item = on_host(policy)
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("VirtualHostError", "RateLimitPolicyNotValid")]
    message = result.statuses[item.key].errors[0].message
    assert message.startswith(f"spec.virtualhost.rateLimitPolicy.local.{field}: ")
    assert result.site is None
