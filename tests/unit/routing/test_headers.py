"""Headers policies: what is set, removed, left literal and refused."""

import msgspec
import pytest
import yaml

from isoline.objects import HTTPProxy
from isoline.objects.httpproxy import HeadersPolicy
from isoline.routing import ir
from isoline.routing.httpproxy.headers import escape
from isoline.routing.settings import Settings
from isoline.routing.statuses import VALID
from unit.routing.support import HOST, compiled, errors, objects, proxy, root, service, site


def forward(route: str) -> tuple[ir.Route, ir.Forward]:
    (found,) = site(root(f"routes: [{{services: [{{name: app, port: 80}}], {route}}}]"), service()).http
    assert isinstance(found.action, ir.Forward)
    return found, found.action


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("plain", "plain"),
        ("100%", "100%%"),
        ("%%", "%%%%"),
        ("%HOSTNAME%", "%HOSTNAME%"),
        ("a%HOSTNAME%b%PROTOCOL%", "a%HOSTNAME%b%PROTOCOL%"),
        ("5%%HOSTNAME%", "5%%%HOSTNAME%"),
        ("%FOO%HOSTNAME%", "%%FOO%HOSTNAME%"),
        ("%REQ(X-Foo)%", "%REQ(X-Foo)%"),
        ("%REQ(:authority)%", "%%REQ(:authority)%%"),
        ("%RESPONSE_CODE%", "%%RESPONSE_CODE%%"),
        ("%REQUESTED_SERVER_NAME%", "%%REQUESTED_SERVER_NAME%%"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        ("%CONTOUR_NAMESPACE%", "team"),
        ("%CONTOUR_SERVICE_NAME%", "%%CONTOUR_SERVICE_NAME%%"),
    ],
)
def test_only_known_variables_stay_live(value: str, wanted: str) -> None:
    assert escape(value, {"CONTOUR_NAMESPACE": "team"}) == wanted


def test_route_headers() -> None:
    route, _ = forward(
        """
        requestHeadersPolicy: {set: [{name: X-A, value: "%CONTOUR_NAMESPACE% %CONTOUR_SERVICE_NAME%"}], remove: [X-B]},
        responseHeadersPolicy: {set: [{name: X-C, value: c}], remove: [X-D]}
        """
    )
    named = ir.Header(name="X-A", value="default %%CONTOUR_SERVICE_NAME%%")
    assert route.request_headers == ir.HeaderEdits(set=(named,), remove=("X-B",))
    assert route.response_headers == ir.HeaderEdits(set=(ir.Header(name="X-C", value="c"),), remove=("X-D",))


def test_service_headers_know_their_service() -> None:
    item = root(
        """
        routes:
        - services:
          - name: app
            port: 80
            requestHeadersPolicy:
              set: [{name: X-A, value: "%CONTOUR_NAMESPACE%/%CONTOUR_SERVICE_NAME%:%CONTOUR_SERVICE_PORT%"}]
            responseHeadersPolicy: {remove: [Server]}
        """
    )
    (route,) = site(item, service()).http
    assert isinstance(route.action, ir.Forward)
    (share,) = route.action.shares
    assert share.request_headers.set == (ir.Header(name="X-A", value="default/app:80"),)
    assert share.response_headers.remove == ("Server",)


@pytest.mark.parametrize(
    ("value", "fixed", "header"),
    [
        ("inner.example.com", "inner.example.com", None),
        ("%REQ(X-Host)%", None, "X-Host"),
        ("%REQ(X-Host)%.example.com", None, "X-Host"),
    ],
)
def test_host_is_rewritten_by_name_or_from_a_header(value: str, fixed: str | None, header: str | None) -> None:
    route, action = forward(f'requestHeadersPolicy: {{set: [{{name: hOsT, value: "{value}"}}]}}')
    assert (action.host_rewrite, action.host_rewrite_header) == (fixed, header)
    assert route.request_headers == ir.HeaderEdits()


def test_a_services_host_is_its_own_and_its_server_name() -> None:
    item = root(
        """
        routes:
        - requestHeadersPolicy: {set: [{name: Host, value: route.example.com}]}
          services:
          - {name: app, port: 80, protocol: tls}
          - name: app
            port: 80
            protocol: h2
            requestHeadersPolicy: {set: [{name: Host, value: service.example.com}]}
          - {name: app, port: 80, protocol: h2c}
        """
    )
    served = site(item, service())
    action = served.http[0].action
    assert isinstance(action, ir.Forward)
    assert [share.host_rewrite for share in action.shares] == [None, "service.example.com", None]
    assert [cluster.sni for cluster in served.clusters] == ["route.example.com", "service.example.com", ""]


POLICIES = {
    "a name with a space": "{set: [{name: 'X A', value: x}]}",
    "a header twice, in another case": "{set: [{name: X-A, value: x}, {name: x-a, value: z}]}",
    "a removal twice": "{remove: [X-A, x-a]}",
    "a removed name with a colon": "{remove: [':path']}",
    "a line break": '{set: [{name: X-A, value: "a\\nb"}]}',
    "a NUL": '{set: [{name: X-A, value: "a\\0b"}]}',
    "no name": "{set: [{name: '', value: x}]}",
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("routes: [{services: [{name: app, port: 80}], requestHeadersPolicy: %}]", "RequestHeadersPolicyInvalid"),
        ("routes: [{services: [{name: app, port: 80}], responseHeadersPolicy: %}]", "ResponseHeaderPolicyInvalid"),
        ("routes: [{services: [{name: app, port: 80, requestHeadersPolicy: %}]}]", "RequestHeadersPolicyInvalid"),
        ("routes: [{services: [{name: app, port: 80, responseHeadersPolicy: %}]}]", "ResponseHeadersPolicyInvalid"),
    ],
)
def test_policies_that_cannot_be(policy: str, place: str, wanted: str) -> None:
    assert_refused(root(place.replace("%", policy)), "ServiceError" if "80, r" in place else "RouteError", wanted)


@pytest.mark.parametrize(
    ("place", "kind", "reason"),
    [
        (
            "routes: [{services: [{name: app, port: 80}], responseHeadersPolicy: {set: [{name: Host, value: x}]}}]",
            "RouteError",
            "ResponseHeaderPolicyInvalid",
        ),
        (
            "routes: [{services: [{name: app, port: 80, responseHeadersPolicy: {set: [{name: Host, value: x}]}}]}]",
            "ServiceError",
            "ResponseHeadersPolicyInvalid",
        ),
        (
            "routes: [{services: [{name: app, port: 80}], requestHeadersPolicy: {set: [{name: Host, value: ''}]}}]",
            "RouteError",
            "RequestHeadersPolicyInvalid",
        ),
        (
            "routes: [{services: [{name: app, port: 80}], requestHeadersPolicy: {remove: [host]}}]",
            "RouteError",
            "RequestHeadersPolicyInvalid",
        ),
        (
            "routes: [{services: [{name: app, port: 80}], responseHeadersPolicy: {remove: [Host]}}]",
            "RouteError",
            "ResponseHeaderPolicyInvalid",
        ),
    ],
)
def test_host_is_no_header_like_others(place: str, kind: str, reason: str) -> None:
    assert_refused(root(place), kind, reason)


def test_host_twice_is_told_and_the_last_one_counts() -> None:
    policy = "{set: [{name: Host, value: a.example.com}, {name: host, value: b.example.com}]}"
    item = root(f"routes: [{{services: [{{name: app, port: 80}}], requestHeadersPolicy: {policy}}}]")
    result = compiled(item, service())
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    assert action.host_rewrite == "b.example.com"
    assert [warning.reason for warning in result.statuses[item.key].warnings] == ["IgnoredField"]


def test_a_service_takes_no_host_from_a_header() -> None:
    item = root(
        """
        routes:
        - services:
          - name: app
            port: 80
            protocol: tls
            requestHeadersPolicy: {set: [{name: Host, value: "%REQ(X-Host)%"}, {name: X-A, value: a}]}
        """
    )
    result = compiled(item, service())
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    (share,) = action.shares
    assert (share.host_rewrite, share.request_headers.set) == (None, (ir.Header(name="X-A", value="a"),))
    assert result.site.clusters[0].sni == ""
    assert "by a route's policy only" in result.statuses[item.key].warnings[0].message


def policy(text: str) -> HeadersPolicy:
    return msgspec.convert(yaml.safe_load(text), HeadersPolicy)


DEFAULTS = Settings(
    request_headers=policy("{set: [{name: X-Via, value: '%CONTOUR_SERVICE_NAME% 1%'}], remove: [X-Internal]}"),
    response_headers=policy("{set: [{name: X-Frame-Options, value: DENY}], remove: [X-Powered-By]}"),
)


def shares_with_defaults(service_policy: str) -> tuple[ir.Route, ir.Share]:
    item = root(f"routes: [{{services: [{{name: app, port: 80{service_policy}}}]}}]")
    result = compiled(item, service(), settings=DEFAULTS)
    assert result.site is not None
    (route,) = result.site.http
    assert isinstance(route.action, ir.Forward)
    return route, route.action.shares[0]


def test_the_gateways_headers_are_every_services() -> None:
    route, share = shares_with_defaults("")
    assert share.request_headers == ir.HeaderEdits(
        set=(ir.Header(name="X-Via", value="app 1%%"),), remove=("X-Internal",)
    )
    assert share.response_headers == ir.HeaderEdits(
        set=(ir.Header(name="X-Frame-Options", value="DENY"),), remove=("X-Powered-By",)
    )
    assert route.response_headers == ir.HeaderEdits()


def test_what_a_service_says_itself_beats_the_gateways_headers() -> None:
    own = ", responseHeadersPolicy: {set: [{name: x-frame-options, value: SAMEORIGIN}], remove: [x-powered-by, X-More]}"
    _, share = shares_with_defaults(own)
    assert share.response_headers == ir.HeaderEdits(
        set=(ir.Header(name="x-frame-options", value="SAMEORIGIN"),), remove=("x-powered-by", "X-More")
    )


def test_the_gateway_sets_a_host_where_the_service_does_not() -> None:
    settings = Settings(request_headers=policy("{set: [{name: Host, value: inner.example.com}]}"))
    own = "requestHeadersPolicy: {set: [{name: Host, value: own.example.com}]}"
    item = root(f"routes: [{{services: [{{name: app, port: 80}}, {{name: app, port: 80, {own}}}]}}]")
    result = compiled(item, service(), settings=settings)
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    assert [share.host_rewrite for share in action.shares] == ["inner.example.com", "own.example.com"]


@pytest.mark.parametrize(
    "answer", ["requestRedirectPolicy: {hostname: b.example.com}", "directResponsePolicy: {statusCode: 200}"]
)
def test_what_the_gateway_answers_itself_gets_its_headers(answer: str) -> None:
    own = "responseHeadersPolicy: {set: [{name: X-Frame-Options, value: SAMEORIGIN}]}"
    for policy_of_route, value in (("", "DENY"), (f", {own}", "SAMEORIGIN")):
        result = compiled(root(f"routes: [{{{answer}{policy_of_route}}}]"), settings=DEFAULTS)
        assert result.site is not None
        (route,) = result.site.http
        assert [header.value for header in route.response_headers.set] == [value]
        assert route.response_headers.remove == ("X-Powered-By",)
        assert route.request_headers == ir.HeaderEdits()


@pytest.mark.parametrize("wanted", [False, True])
def test_ingresses_get_the_gateways_headers_where_it_says_so(wanted: bool) -> None:
    (item,) = objects(
        f"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: voice, namespace: default}}
        spec:
          rules:
          - host: {HOST}
            http:
              paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: app, port: {{number: 80}}}}}}}}]
        """
    )
    settings = msgspec.structs.replace(DEFAULTS, headers_of_ingresses=wanted)
    result = compiled(item, service(), settings=settings)
    assert result.site is not None
    action = result.site.http[0].action
    assert isinstance(action, ir.Forward)
    assert bool(action.shares[0].request_headers.set) is wanted


def test_a_tunnel_has_no_headers() -> None:
    item = proxy(
        f"virtualhost: {{fqdn: {HOST}, tls: {{passthrough: true}}}}\ntcpproxy: {{services: [{{name: app, port: 80}}]}}"
    )
    result = compiled(item, service(), settings=DEFAULTS)
    assert result.site is not None
    assert result.site.tunnel is not None
    assert result.statuses[item.key] == VALID


def assert_refused(item: HTTPProxy, kind: str, reason: str) -> None:
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [(kind, reason)]
    assert result.site is None
