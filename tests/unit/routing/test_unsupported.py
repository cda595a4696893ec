"""What asks for nothing is in nobody's way, and what can never be is said in the words that users know."""

import pytest

from isoline.routing import ir
from unit.routing.support import HOST, compiled, errors, proxy, secret, service, status_of

ROUTE = "conditions: [{prefix: /x}], services: [{name: app, port: 80%}]"


@pytest.mark.parametrize(
    "field",
    [
        "authorization: {authPolicy: {disabled: true}}",
        "rateLimitPolicy: {global: {disabled: true}}",
        "jwtProviders: []",
    ],
)
def test_a_field_that_asks_for_nothing_is_in_nobodys_way(field: str) -> None:
    item = proxy(f"virtualhost: {{fqdn: {HOST}, {field}}}\nroutes: [{{{ROUTE.replace('%', '')}}}]")
    assert status_of(item, service()).current_status == "valid"


# --- Contour's own words come before ours


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        (
            "virtualhost: {fqdn: %, jwtProviders: [{name: a}]}",
            ("JWTVerificationError", "JWTVerificationNotPermitted"),
        ),
        ("virtualhost: {fqdn: %, authorization: {extensionRef: {name: a}}}", ("AuthError", "AuthNotPermitted")),
        (
            "virtualhost: {fqdn: %, ipAllowPolicy: [{source: Peer, cidr: '::1'}], \
             ipDenyPolicy: [{source: Peer, cidr: '::1'}]}",
            ("IPFilterError", "IncompatibleIPAddressFilters"),
        ),
        ("virtualhost: {fqdn: %}\ntcpproxy: {services: []}", ("TCPProxyError", "TLSMustBeConfigured")),
    ],
)
def test_what_can_never_be(spec: str, wanted: tuple[str, str]) -> None:
    item = proxy(spec.replace("%", HOST) + "\nroutes: [{directResponsePolicy: {statusCode: 200}}]")
    assert errors(status_of(item)) == [wanted]


def test_an_unknown_jwt_provider_is_the_roots_error_and_its_route_closed() -> None:
    parent = proxy(
        f"virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}\n"
        "routes: [{directResponsePolicy: {statusCode: 200}}]\nincludes: [{name: child}]"
    )
    child = proxy(
        "routes: [{conditions: [{prefix: /x}], jwtVerificationPolicy: {require: a}, "
        "directResponsePolicy: {statusCode: 200}}]",
        "child",
    )
    result = compiled(parent, child, secret())
    assert errors(result.statuses[parent.key]) == [("JWTVerificationError", "JWTProviderNotDefined")]
    assert errors(result.statuses[child.key]) == []
    assert result.site is not None
    assert [route.action for route in result.site.https] == [ir.Respond(status=503), ir.Respond(status=200)]


def test_a_required_token_on_a_plain_host_is_told() -> None:
    item = proxy(
        f"virtualhost: {{fqdn: {HOST}}}\n"
        "routes: [{jwtVerificationPolicy: {require: a}, directResponsePolicy: {statusCode: 200}}]"
    )
    status = status_of(item)
    assert status.current_status == "valid"
    assert [warning.type for warning in status.warnings] == ["JWTVerificationError"]


def test_a_token_cannot_be_required_and_not() -> None:
    item = proxy(
        f"virtualhost: {{fqdn: {HOST}}}\n"
        "routes: [{jwtVerificationPolicy: {require: a, disabled: true}, directResponsePolicy: {statusCode: 200}}]"
    )
    assert errors(status_of(item)) == [("JWTVerificationError", "InvalidJWTVerificationPolicy")]
