"""corsPolicy: what is read and what is refused."""

import pytest

from isoline.objects import HTTPProxy
from isoline.routing import ir
from unit.routing.support import compiled, errors, proxy, service, site

ROUTES = "routes: [{services: [{name: app, port: 80}]}]"


def with_policy(policy: str) -> HTTPProxy:
    return proxy(f"virtualhost: {{fqdn: voice.example.com, corsPolicy: {policy}}}\n{ROUTES}")


def cors(policy: str) -> ir.Cors:
    found = site(with_policy(policy), service()).cors
    assert found is not None
    return found


def test_every_field() -> None:
    assert cors(
        "{allowOrigin: ['*'], allowMethods: [GET, '*'], allowHeaders: [X-A, x-b], exposeHeaders: [X-C], maxAge: 10m, "
        "allowCredentials: true, allowPrivateNetwork: true}"
    ) == ir.Cors(
        origins=(ir.Origin(value="*"),),
        methods=("GET", "*"),
        request_headers=("X-A", "x-b"),
        exposed_headers=("X-C",),
        max_age=600,
        credentials=True,
        private_network=True,
    )


@pytest.mark.parametrize(
    ("origin", "regex"),
    [
        ("*", False),
        ("https://example.com", False),
        ("HTTPS://Example.com:8443", False),
        ("chrome-extension://abcdef", False),
        ("http://[::1]:80", False),
        (r"https://.*\.example\.com", True),
        (r"https?://example\.com", True),
        ("https://(a|b).example.com", True),
        (".*", True),
        ("null", True),
    ],
)
def test_an_origin_is_meant_as_it_stands_or_is_an_expression(origin: str, regex: bool) -> None:
    policy = f"{{allowOrigin: ['{origin}'], allowMethods: [GET]}}"
    assert cors(policy).origins == (ir.Origin(value=origin, regex=regex),)


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("0", 0), ("0s", 0), ("1h", 3600), ("1500ms", 2)])
def test_how_long_a_permission_is_remembered(text: str, seconds: int | None) -> None:
    assert cors(f"{{allowOrigin: ['*'], allowMethods: [GET], maxAge: '{text}'}}").max_age == seconds


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        ("{allowOrigin: ['*.example.com'], allowMethods: [GET]}", ["allowOrigin[0]"]),
        ("{allowOrigin: ['https://[', 'a('], allowMethods: [GET]}", ["allowOrigin[0]", "allowOrigin[1]"]),
        ("{allowOrigin: [''], allowMethods: [GET]}", ["allowOrigin[0]"]),
        ("{allowOrigin: [], allowMethods: []}", ["allowOrigin", "allowMethods"]),
        ("{allowOrigin: ['*'], allowMethods: ['GE T'], allowHeaders: ['a:b']}", ["allowMethods[0]", "allowHeaders[0]"]),
        ('{allowOrigin: ["*"], allowMethods: [GET], exposeHeaders: ["a\\nb"]}', ["exposeHeaders[0]"]),
        ("{allowOrigin: ['*'], allowMethods: [GET], maxAge: -1s}", ["maxAge"]),
        ("{allowOrigin: ['*'], allowMethods: [GET], maxAge: infinity}", ["maxAge"]),
        ("{allowOrigin: ['*'], allowMethods: [GET], maxAge: '10'}", ["maxAge"]),
        ("{allowOrigin: ['*'], allowMethods: [GET], maxAge: 1000000h}", ["maxAge"]),
    ],
)
def test_what_does_not_parse_is_told_at_once_and_closes_the_host(policy: str, fields: list[str]) -> None:
    item = with_policy(policy)
    result = compiled(item, service())
    assert result.site is None
    status = result.statuses[item.key]
    assert errors(status) == [("CORSError", "PolicyDidNotParse")] * len(fields)
    assert [error.message.partition(": ")[0] for error in status.errors] == [
        f"spec.virtualhost.corsPolicy.{field}" for field in fields
    ]
