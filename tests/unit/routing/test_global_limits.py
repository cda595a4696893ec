"""rateLimitPolicy.global: what the rate-limit service is asked."""

import pytest

from isoline.objects import HTTPProxy
from isoline.objects.httpproxy import (
    GenericKeyDescriptor,
    GlobalRateLimitPolicy,
    RateLimitDescriptor,
    RateLimitDescriptorEntry,
)
from isoline.routing import ir
from isoline.routing.settings import Settings
from unit.routing.support import compiled, errors, paths, proxy, root, service, site

SETTINGS = Settings(rate_limits=True)
ROUTE = "{conditions: [{prefix: /x}], services: [{name: app, port: 80}], rateLimitPolicy: {global: %}}"
ALL = "{services: [{name: app, port: 80}]}"


def on_route(policy: str) -> HTTPProxy:
    return root(f"routes: [{ROUTE.replace('%', policy)}, {ALL}]")


def on_host(policy: str) -> HTTPProxy:
    return proxy(f"virtualhost: {{fqdn: voice.example.com{policy}}}\nroutes: [{ALL}]")


def served(item: HTTPProxy, settings: Settings = SETTINGS) -> ir.Site:
    result = compiled(item, service(), settings=settings)
    assert result.site is not None
    assert result.statuses[item.key].current_status == "valid"
    return result.site


def limit(*descriptors: tuple[ir.LimitKey, ...]) -> ir.GlobalLimit:
    return ir.GlobalLimit(descriptors=descriptors)


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ("genericKey: {value: a}", ir.LimitKey(source="constant", key="generic_key", value="a")),
        ("genericKey: {key: k, value: a}", ir.LimitKey(source="constant", key="k", value="a")),
        (
            "requestHeader: {headerName: X-User, descriptorKey: user}",
            ir.LimitKey(source="header", key="user", header="X-User"),
        ),
        ("remoteAddress: {}", ir.LimitKey(source="address")),
        (
            "requestHeaderValueMatch: {headers: [{name: X-A, notexact: b}], value: v}",
            ir.LimitKey(
                source="header_match",
                value="v",
                matches=(ir.HeaderMatch(name="x-a", kind=ir.ValueKind.EXACT, value="b", invert=True),),
            ),
        ),
        (
            "requestHeaderValueMatch: {headers: [{name: X-A, present: true}], value: v, expectMatch: false}",
            ir.LimitKey(
                source="header_match",
                value="v",
                matches=(ir.HeaderMatch(name="x-a", kind=ir.ValueKind.PRESENT),),
                expect_match=False,
            ),
        ),
    ],
)
def test_each_kind_of_entry(entry: str, key: ir.LimitKey) -> None:
    found = served(on_route(f"{{descriptors: [{{entries: [{{{entry}}}]}}]}}"))
    assert [route.global_limit for route in found.http] == [limit((key,)), None]


def test_several_descriptors_of_several_entries() -> None:
    policy = (
        "{descriptors: [{entries: [{genericKey: {value: a}}, {remoteAddress: {}}]}, {entries: [{remoteAddress: {}}]}]}"
    )
    address = ir.LimitKey(source="address")
    wanted = limit((ir.LimitKey(source="constant", key="generic_key", value="a"), address), (address,))
    assert served(on_route(policy)).http[0].global_limit == wanted
    assert served(on_host(f", rateLimitPolicy: {{global: {policy}}}")).global_limit == wanted


def test_disabled_asks_nobody() -> None:
    assert served(on_route("{disabled: true}")).http[0].global_limit == limit()


DEFAULT = GlobalRateLimitPolicy(
    descriptors=(
        RateLimitDescriptor(entries=(RateLimitDescriptorEntry(generic_key=GenericKeyDescriptor(key="d", value="e")),)),
    )
)


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("", limit((ir.LimitKey(source="constant", key="d", value="e"),))),
        (
            ", rateLimitPolicy: {local: {requests: 1, unit: hour}}",
            limit((ir.LimitKey(source="constant", key="d", value="e"),)),
        ),
        (", rateLimitPolicy: {global: {disabled: true}}", limit()),
        (
            ", rateLimitPolicy: {global: {descriptors: [{entries: [{remoteAddress: {}}]}]}}",
            limit((ir.LimitKey(source="address"),)),
        ),
    ],
)
def test_the_gateways_default_is_for_hosts_that_do_not_say(policy: str, wanted: ir.GlobalLimit) -> None:
    settings = Settings(rate_limits=True, default_global_limit=DEFAULT)
    assert served(on_host(policy), settings).global_limit == wanted


def test_without_a_service_nobody_is_asked_and_a_warning_says_so() -> None:
    item = on_route("{descriptors: [{entries: [{remoteAddress: {}}]}]}")
    result = compiled(item, service())
    assert result.site is not None
    assert result.site.http[0].global_limit is None
    status = result.statuses[item.key]
    assert [(warning.type, warning.reason) for warning in status.warnings] == [("RouteError", "IgnoredField")]
    assert site(on_host(", rateLimitPolicy: {global: {disabled: true}}"), service()).global_limit is None


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{descriptors: [{entries: []}]}", "descriptors[0].entries"),
        ("{descriptors: [{entries: [{}]}]}", "descriptors[0].entries[0]"),
        ("{descriptors: [{entries: [{remoteAddress: {}, genericKey: {value: a}}]}]}", "descriptors[0].entries[0]"),
        ("{descriptors: [{entries: [{genericKey: {value: ''}}]}]}", "descriptors[0].entries[0].genericKey.value"),
        (
            "{descriptors: [{entries: [{requestHeader: {headerName: 'a b', descriptorKey: c}}]}]}",
            "descriptors[0].entries[0].requestHeader.headerName",
        ),
        (
            "{descriptors: [{entries: [{requestHeader: {headerName: a, descriptorKey: ''}}]}]}",
            "descriptors[0].entries[0].requestHeader.descriptorKey",
        ),
        (
            "{descriptors: [{entries: [{requestHeaderValueMatch: {headers: [], value: v}}]}]}",
            "descriptors[0].entries[0].requestHeaderValueMatch.headers",
        ),
        (
            "{descriptors: [{entries: [{requestHeaderValueMatch: {headers: [{name: a, regex: '('}], value: v}}]}]}",
            "descriptors[0].entries[0].requestHeaderValueMatch.headers[0].regex",
        ),
    ],
)
def test_what_cannot_be(policy: str, field: str) -> None:
    item = on_route(policy)
    result = compiled(item, service(), settings=SETTINGS)
    assert errors(result.statuses[item.key]) == [("RouteError", "RateLimitPolicyNotValid")]
    message = result.statuses[item.key].errors[0].message
    assert message.startswith(f"spec.routes[0].rateLimitPolicy.global.{field}: ")
    assert result.site is not None
    assert paths(result.site.http) == ["/"]
    host = on_host(f", rateLimitPolicy: {{global: {policy}}}")
    result = compiled(host, service(), settings=SETTINGS)
    assert errors(result.statuses[host.key]) == [("VirtualHostError", "RateLimitPolicyNotValid")]
    assert result.site is None
