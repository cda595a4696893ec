"""virtualhost.authorization, authPolicy and globalExternalAuthorization: who is asked about which requests."""

import pytest

from isoline.objects import Object
from isoline.objects.httpproxy import AuthorizationServer
from isoline.objects.httpproxy_access import AuthorizationPolicy, ExtensionServiceReference
from isoline.routing import ir
from isoline.routing.compiler import Compiled
from isoline.routing.settings import Settings
from unit.routing.support import HOST, compiled, errors, objects, proxy, secret, service

REF = "extensionRef: {name: auth}"
ROUTE = "{conditions: [{prefix: /x}], services: [{name: app, port: 80}]%}"
ALL = "{services: [{name: app, port: 80}]}"
DISABLED = "authPolicy: {disabled: true}"


def extension(namespace: str = "default", spec: str = "") -> Object:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1alpha1
        kind: ExtensionService
        metadata: {{name: auth, namespace: {namespace}}}
        spec: {{services: [{{name: app, port: 80}}], protocol: h2c{spec}}}
        """
    )
    return item


def root(authorization: str = "", routes: str = ALL, *, tls: str = ", tls: {secretName: tls}") -> Object:
    field = f", authorization: {{{authorization}}}" if authorization else ""
    return proxy(f"virtualhost: {{fqdn: {HOST}{tls}{field}}}\nroutes: [{routes}]")


def result(item: Object, *others: Object, default: AuthorizationServer | None = None) -> Compiled:
    extensions = others or (extension(),)
    return compiled(item, service(), secret(), *extensions, settings=Settings(authorization=default))


def server(found: Compiled) -> ir.Authorization:
    assert found.site is not None, found.statuses
    assert found.site.authorization is not None
    return found.site.authorization


def test_a_grpc_server_with_its_cluster() -> None:
    item = root(f"{REF}, authPolicy: {{context: {{b: '2', a: '1'}}}}")
    found = result(item)
    asked = server(found)
    assert found.statuses[item.key].current_status == "valid"
    assert found.site is not None
    assert asked.cluster in {cluster.name for cluster in found.site.clusters}
    assert asked == ir.Authorization(
        cluster=asked.cluster,
        grpc=True,
        authority="extension.default.auth",
        timeout=0.2,
        context=(("a", "1"), ("b", "2")),
    )
    assert extension().key in found.reads


def test_every_field_of_a_grpc_server() -> None:
    fields = "failOpen: true, responseTimeout: 3s, withRequestBody: {allowPartialMessage: true, packAsBytes: true}"
    asked = server(result(root(f"{REF}, {fields}")))
    assert (asked.fail_open, asked.timeout) == (True, 3.0)
    assert asked.body == ir.RequestBody(maximum=1024, allow_partial=True, as_bytes=True)
    body = "withRequestBody: {maxRequestBytes: 9}"
    assert server(result(root(f"{REF}, {body}"))).body == ir.RequestBody(maximum=9)


@pytest.mark.parametrize(
    ("own", "of_extension", "wanted"),
    [
        ("", ", timeoutPolicy: {response: 5s}", 5.0),
        ("responseTimeout: 1s", ", timeoutPolicy: {response: 5s}", 1.0),
        ("responseTimeout: 0s", ", timeoutPolicy: {response: 5s}", 5.0),
        ("responseTimeout: infinity", "", ir.NEVER),
    ],
)
def test_how_long_an_answer_is_waited_for(own: str, of_extension: str, wanted: float) -> None:
    item = root(f"{REF}, {own}" if own else REF)
    assert server(result(item, extension(spec=of_extension))).timeout == wanted


def test_every_field_of_an_http_server() -> None:
    settings = (
        "httpSettings: {pathPrefix: /check, "
        "allowedAuthorizationHeaders: [{exact: x-a, ignoreCase: true}, {prefix: x-}], "
        "allowedUpstreamHeaders: [{suffix: -user}, {contains: mail}]}"
    )
    asked = server(result(root(f"{REF}, serviceType: http, {settings}")))
    assert (asked.grpc, asked.path_prefix) == (False, "/check")
    assert asked.request_headers == (ir.NameMatch(exact="x-a", ignore_case=True), ir.NameMatch(prefix="x-"))
    assert asked.upstream_headers == (ir.NameMatch(suffix="-user"), ir.NameMatch(contains="mail"))


FAULTS = [
    ("extensionRef: {name: none}", "ExtensionServiceNotFound"),
    ("extensionRef: {name: auth, namespace: other}", "ExtensionServiceNotFound"),
    ("extensionRef: {name: auth, apiVersion: v1}", "AuthBadResourceVersion"),
    (f"{REF}, responseTimeout: soon", "AuthResponseTimeoutInvalid"),
    (f"{REF}, responseTimeout: 99999999999s", "AuthResponseTimeoutInvalid"),
    (f"{REF}, serviceType: soap", "AuthServiceTypeInvalid"),
    (f"{REF}, withRequestBody: {{maxRequestBytes: -1}}", "AuthRequestBodyInvalid"),
    (f"{REF}, serviceType: http, authPolicy: {{context: {{a: b}}}}", "AuthContextForHTTP"),
    (f"{REF}, serviceType: http, httpSettings: {{pathPrefix: '/a?b'}}", "AuthPathPrefixInvalid"),
    *(
        (f"{REF}, serviceType: http, httpSettings: {{{field}: [{match}]}}", "AuthBadAllowedHeader")
        for field in ("allowedAuthorizationHeaders", "allowedUpstreamHeaders")
        for match in ("{}", "{exact: a, prefix: b}", "{contains: 'a b'}")
    ),
]


@pytest.mark.parametrize(("field", "reason"), FAULTS)
def test_a_server_that_cannot_be_asked_closes_the_host(field: str, reason: str) -> None:
    item = root(field)
    found = result(item)
    assert found.site is None
    assert errors(found.statuses[item.key]) == [("AuthError", reason)]


def test_an_extension_with_errors_is_not_found() -> None:
    item = root(REF)
    found = result(item, extension(spec=", timeoutPolicy: {response: x}"))
    assert errors(found.statuses[item.key]) == [("AuthError", "ExtensionServiceNotFound")]


def test_every_fault_is_told_at_once() -> None:
    item = root("extensionRef: {name: none}, responseTimeout: soon, serviceType: soap")
    assert len(errors(result(item).statuses[item.key])) == 3


def test_a_server_is_for_hosts_that_have_tls() -> None:
    item = root(REF, tls="")
    assert errors(result(item).statuses[item.key]) == [("AuthError", "AuthNotPermitted")]


def test_who_names_nobody_is_told() -> None:
    item = root("failOpen: true")
    found = result(item)
    assert [warning.type for warning in found.statuses[item.key].warnings] == ["AuthError"]
    assert found.site is not None
    assert found.site.authorization is None


def routes_of(found: Compiled) -> dict[str, ir.RouteAuthorization | None]:
    assert found.site is not None, found.statuses
    return {route.match.path.value: route.authorization for route in found.site.https or found.site.http}


UNASKED = ir.RouteAuthorization(asked=False)


def several(*policies: str) -> str:
    return ", ".join(ROUTE.replace("/x", f"/{at}").replace("%", policy) for at, policy in enumerate(policies))


def test_routes_override_their_host_and_contexts_merge() -> None:
    policies = ("", ", authPolicy: {disabled: true}", ", authPolicy: {context: {a: '9', c: '3'}}")
    found = result(root(f"{REF}, authPolicy: {{context: {{a: '1', b: '2'}}}}", several(*policies)))
    merged = (("a", "9"), ("b", "2"), ("c", "3"))
    assert routes_of(found) == {"/0": None, "/1": UNASKED, "/2": ir.RouteAuthorization(asked=True, context=merged)}


def test_a_host_that_switches_it_off_and_a_route_that_switches_it_on() -> None:
    item = root(f"{REF}, {DISABLED}", several("", ", authPolicy: {disabled: false}"))
    assert routes_of(result(item)) == {"/0": UNASKED, "/1": ir.RouteAuthorization(asked=True)}
    assert server(result(item)).grpc
    alone = result(root(f"{REF}, {DISABLED}"))
    assert alone.site is not None
    assert alone.site.authorization is None


def test_a_route_that_asks_who_cannot_be_asked_is_closed() -> None:
    routes = several("", ", authPolicy: {disabled: false}")
    item = root(f"extensionRef: {{name: none}}, {DISABLED}", routes)
    found = result(item)
    assert errors(found.statuses[item.key]) == [("AuthError", "ExtensionServiceNotFound")]
    assert found.site is not None
    assert {route.match.path.value: route.action for route in found.site.https}["/1"] == ir.Respond(status=503)


def test_a_route_with_a_context_for_an_http_server_is_closed() -> None:
    item = root(f"{REF}, serviceType: http", several("", ", authPolicy: {context: {a: b}}"))
    found = result(item)
    assert errors(found.statuses[item.key]) == [("AuthError", "AuthContextForHTTP")]
    assert found.site is not None
    assert {route.match.path.value: route.action for route in found.site.https}["/1"] == ir.Respond(status=503)


def test_a_policy_without_anybody_to_ask_changes_nothing() -> None:
    found = result(root(routes=several(", authPolicy: {context: {a: b}}")))
    assert routes_of(found) == {"/0": None}


# --- the gateway's

DEFAULT = AuthorizationServer(extension_ref=ExtensionServiceReference(name="auth", namespace="gateway"))
GATEWAYS = extension("gateway")
APP = service("app", "gateway")


@pytest.mark.parametrize("tls", ["", ", tls: {secretName: tls}"])
def test_a_host_without_a_server_has_the_gateways(tls: str) -> None:
    asked = server(result(root(tls=tls), GATEWAYS, APP, default=DEFAULT))
    assert asked.authority == "extension.gateway.auth"


def test_a_hosts_own_server_comes_before_the_gateways() -> None:
    asked = server(result(root(REF), extension(), GATEWAYS, APP, default=DEFAULT))
    assert asked.authority == "extension.default.auth"


def test_a_host_may_leave_the_gateways_server_and_a_route_return_to_it() -> None:
    found = result(root(DISABLED, several("", ", authPolicy: {disabled: false}")), GATEWAYS, APP, default=DEFAULT)
    assert routes_of(found) == {"/0": UNASKED, "/1": ir.RouteAuthorization(asked=True)}
    off = AuthorizationServer(extension_ref=DEFAULT.extension_ref, auth_policy=AuthorizationPolicy(disabled=True))
    found = result(root(), GATEWAYS, APP, default=off)
    assert found.site is not None
    assert found.site.authorization is None


def test_a_gateways_server_that_is_not_there_closes_its_hosts() -> None:
    item = root(tls="")
    found = result(item, default=DEFAULT)
    assert found.site is None
    assert errors(found.statuses[item.key]) == [("AuthError", "ExtensionServiceNotFound")]


def ingress() -> Object:
    (item,) = objects(
        f"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: web, namespace: default}}
        spec:
          rules:
          - host: {HOST}
            http: {{paths: [{{path: /i, pathType: Prefix, backend: {{service: {{name: app, port: {{number: 80}}}}}}}}]}}
        """
    )
    return item


def test_an_ingress_is_guarded_like_everybody() -> None:
    assert server(result(ingress(), GATEWAYS, APP, default=DEFAULT)).authority == "extension.gateway.auth"
    beside = result(root(REF), ingress(), extension())
    assert server(beside).authority == "extension.default.auth"
    closed = result(ingress(), extension(), default=DEFAULT)
    assert closed.site is None
    assert errors(closed.statuses[ingress().key]) == [("AuthError", "ExtensionServiceNotFound")]


def test_beside_a_tunnel_it_is_told_that_nobody_is_asked_about_that() -> None:
    item = root(REF, tls=", tls: {passthrough: true}")
    found = result(item)
    assert "AuthError" in {warning.type for warning in found.statuses[item.key].warnings}
    assert server(found).grpc
