"""ipAllowPolicy and ipDenyPolicy: what is read, what is refused, and that nothing protected is served by mistake."""

import pytest

from isoline.routing import ir
from unit.routing.support import compiled, errors, proxy, root, service, site, status_of

ROUTE = "{conditions: [{prefix: /x}], services: [{name: app, port: 80}], %}"
ALL = "{services: [{name: app, port: 80}]}"


def entry(cidr: str, source: str = "Peer") -> str:
    return f"[{{source: {source}, cidr: '{cidr}'}}]"


def with_route(field: str) -> str:
    return f"routes: [{ROUTE.replace('%', field)}, {ALL}]"


def on_host(field: str, rest: str = f"routes: [{ALL}]") -> str:
    return f"virtualhost: {{fqdn: voice.example.com, {field}}}\n{rest}"


@pytest.mark.parametrize(
    ("cidr", "address", "length"),
    [
        ("10.0.0.0/8", "10.0.0.0", 8),
        ("10.1.2.3/8", "10.0.0.0", 8),
        ("10.1.2.3", "10.1.2.3", 32),
        ("0.0.0.0/0", "0.0.0.0", 0),
        ("2001:db8::1", "2001:db8::1", 128),
        ("2001:db8::1/32", "2001:db8::", 32),
        ("::ffff:10.1.2.3", "10.1.2.3", 32),
        ("::ffff:10.1.2.3/104", "10.0.0.0", 8),
        ("::/0", "::", 0),
    ],
)
def test_a_range_or_a_bare_address(cidr: str, address: str, length: int) -> None:
    served = site(root(with_route(f"ipAllowPolicy: {entry(cidr)}")), service())
    wanted = ir.AddressRange(address=address, prefix_length=length, forwarded=False)
    assert [route.addresses for route in served.http] == [ir.AddressFilter(allow=True, ranges=(wanted,)), None]
    assert served.addresses is None


def test_of_the_virtual_host_and_of_a_route_that_replaces_it() -> None:
    field = f"ipDenyPolicy: {entry('10.0.0.0/8', 'Remote')}"
    served = site(proxy(on_host(field, with_route(f"ipAllowPolicy: {entry('10.0.0.1')}"))), service())
    denied = ir.AddressRange(address="10.0.0.0", prefix_length=8, forwarded=True)
    assert served.addresses == ir.AddressFilter(allow=False, ranges=(denied,))
    allowed = ir.AddressRange(address="10.0.0.1", prefix_length=32, forwarded=False)
    assert [route.addresses for route in served.http] == [ir.AddressFilter(allow=True, ranges=(allowed,)), None]


BAD = ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/", "::1/129", "fe80::1%eth0", "example.com"]


@pytest.mark.parametrize("cidr", BAD)
def test_a_bad_range_closes_its_route(cidr: str) -> None:
    item = root(with_route(f"ipDenyPolicy: {entry(cidr)}"))
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("IPFilterError", "InvalidCIDR")]
    assert result.statuses[item.key].errors[0].message.startswith("spec.routes[0].ipDenyPolicy[0].cidr: ")
    assert result.site is not None
    answers = {route.match.path.value: route.action for route in result.site.http}
    assert answers["/x"] == ir.Respond(status=503)
    assert isinstance(answers["/"], ir.Forward)


def test_every_bad_range_is_told() -> None:
    policy = "ipAllowPolicy: [{source: Peer, cidr: a}, {source: Peer, cidr: '::1'}, {source: Peer, cidr: b}]"
    messages = [error.message for error in status_of(root(with_route(policy)), service()).errors]
    assert [message.partition(":")[0] for message in messages] == [
        "spec.routes[0].ipAllowPolicy[0].cidr",
        "spec.routes[0].ipAllowPolicy[2].cidr",
    ]


@pytest.mark.parametrize("cidr", BAD)
def test_a_bad_range_of_the_virtual_host_closes_the_host(cidr: str) -> None:
    item = proxy(on_host(f"ipAllowPolicy: {entry(cidr)}"))
    result = compiled(item, service())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [
        ("IPFilterError", "InvalidCIDR"),
        ("IPFilterError", "IPFilterPolicyNotValid"),
    ]


def test_what_a_closed_host_includes_is_no_orphan() -> None:
    item = proxy(on_host(f"ipAllowPolicy: {entry('a')}", "includes: [{name: child}]"))
    child = proxy(f"routes: [{ALL}]", "child")
    assert compiled(item, child, service()).statuses[child.key].current_status == "valid"


def test_a_route_cannot_both_allow_and_deny() -> None:
    item = root(with_route(f"ipAllowPolicy: {entry('::1')}, ipDenyPolicy: {entry('::1')}"))
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("IPFilterError", "IncompatibleIPAddressFilters")]
    assert result.site is not None
    assert ir.Respond(status=503) in [route.action for route in result.site.http]


def test_an_unknown_source_is_refused() -> None:
    item = root(with_route(f"ipAllowPolicy: {entry('::1', 'Proxy')}"))
    assert errors(status_of(item, service())) == [("IPFilterError", "IPFilterPolicyNotValid")]


@pytest.mark.parametrize(
    "fault",
    [
        "timeoutPolicy: {response: soon}",
        "rateLimitPolicy: {local: {requests: 0, unit: second}}",
    ],
)
def test_a_guarded_route_that_is_out_for_another_reason_is_closed(fault: str) -> None:
    result = compiled(root(with_route(f"{fault}, ipAllowPolicy: {entry('::1')}")), service())
    assert result.site is not None
    assert ir.Respond(status=503) in [route.action for route in result.site.http]


@pytest.mark.parametrize("action", ["directResponsePolicy: {statusCode: 200}", "requestRedirectPolicy: {path: /y}"])
def test_of_answers_of_the_gateways_own(action: str) -> None:
    served = site(root(f"routes: [{{{action}, ipAllowPolicy: {entry('10.0.0.1')}}}]"))
    assert served.http[0].addresses is not None
