"""Ingresses: paths, backends, annotations, TLS, and who wins on a host that several objects speak for."""

import textwrap

import pytest

from isoline.objects import Ingress, Object
from isoline.routing import ir
from isoline.routing.indexes import hosts_of_ingress
from isoline.routing.settings import Settings
from isoline.routing.statuses import ProxyStatus
from unit.routing.support import HOST, compiled, errors, objects, paths, root, secret, service, status_of

BACKEND = "backend: {service: {name: app, port: {number: 80}}}"


def ingress(spec: str, name: str = "web", notes: str = "{}", created: str = "2026-01-01") -> Ingress:
    text = (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  annotations: {notes}\n"
        f"  creationTimestamp: {created}T00:00:00Z\nspec:\n" + textwrap.indent(textwrap.dedent(spec), "  ")
    )
    (item,) = objects(text)
    assert isinstance(item, Ingress)
    return item


def at(path: str, kind: str = "Prefix", backend: str = BACKEND, host: str = HOST) -> str:
    return f"rules: [{{host: '{host}', http: {{paths: [{{path: '{path}', pathType: {kind}, {backend}}}]}}}}]\n"


def served(item: Ingress, *others: Object) -> ir.Site:
    result = compiled(item, *others or (service(),))
    assert result.site is not None, result.statuses
    assert result.statuses[item.key] == ProxyStatus()
    return result.site


@pytest.mark.parametrize(
    ("path", "kind", "matched", "value"),
    [
        ("/foo", "Prefix", ir.PathKind.SEGMENTS, "/foo"),
        ("/foo/", "Prefix", ir.PathKind.SEGMENTS, "/foo"),
        ("/", "Prefix", ir.PathKind.PREFIX, "/"),
        ("", "Prefix", ir.PathKind.PREFIX, "/"),
        ("/foo/", "Exact", ir.PathKind.EXACT, "/foo/"),
        ("/foo", "ImplementationSpecific", ir.PathKind.PREFIX, "/foo"),
        ("/foo.*", "ImplementationSpecific", ir.PathKind.REGEX, "/foo.*"),
    ],
)
def test_paths(path: str, kind: str, matched: ir.PathKind, value: str) -> None:
    (route,) = served(ingress(at(path, kind))).http
    assert route.match == ir.Match(path=ir.PathMatch(kind=matched, value=value))


@pytest.mark.parametrize(("path", "kind"), [("foo", "Prefix"), ("/[", "ImplementationSpecific"), ("/foo", "Glob")])
def test_an_impossible_path_is_left_out_and_told(path: str, kind: str) -> None:
    item = ingress(at(path, kind))
    result = compiled(item, service())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [("RouteError", "PathMatchConditionsNotValid")]


@pytest.mark.parametrize(
    "backend",
    [
        "backend: {service: {name: gone, port: {number: 80}}}",
        "backend: {service: {name: app, port: {number: 81}}}",
        "backend: {service: {name: app, port: {name: web}}}",
        "backend: {resource: {kind: Bucket, name: b}}",
    ],
)
def test_a_backend_that_leads_nowhere_answers_503_at_its_path(backend: str) -> None:
    item = ingress(at("/", backend=backend))
    result = compiled(item, service())
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=503)]
    assert errors(result.statuses[item.key]) == [("ServiceError", "ServiceUnresolvedReference")]


def forward(notes: str, path: str = "/") -> ir.Forward:
    (route,) = served(ingress(at(path), notes=notes)).http
    assert isinstance(route.action, ir.Forward)
    return route.action


def test_annotations_of_routes() -> None:
    assert forward("{projectcontour.io/response-timeout: 30s}").timeout == 30.0
    assert forward("{projectcontour.io/request-timeout: infinity}").timeout == ir.NEVER
    assert forward("{projectcontour.io/websocket-routes: '/a, /ws'}", "/ws").websocket
    assert not forward("{projectcontour.io/websocket-routes: '/a, /ws'}", "/other").websocket
    retried = "projectcontour.io/retry-on: '5xx, reset', projectcontour.io/per-try-timeout: 1s"
    assert forward(f"{{{retried}}}").retry == ir.Retry(on=("5xx", "reset"), count=1, per_try_timeout=1.0)
    assert forward(f"{{{retried}, projectcontour.io/num-retries: '-1'}}").retry is None
    assert forward("{projectcontour.io/num-retries: '3'}").retry is None


@pytest.mark.parametrize(
    "note",
    [
        "projectcontour.io/response-timeout: soon",
        "projectcontour.io/retry-on: sometimes",
        "projectcontour.io/num-retries: many",
        "projectcontour.io/retry-on: 5xx, projectcontour.io/per-try-timeout: soon",
    ],
)
def test_a_bad_annotation_is_told_and_the_route_serves(note: str) -> None:
    item = ingress(at("/"), notes=f"{{{note}}}")
    result = compiled(item, service())
    assert result.site is not None
    (route,) = result.site.http
    assert isinstance(route.action, ir.Forward)
    assert route.action.timeout is None
    (warning,) = result.statuses[item.key].warnings
    assert warning.message.startswith("metadata.annotations[projectcontour.io/")


TLS = f"tls: [{{hosts: [{HOST}], secretName: tls}}]\n"


def test_tls_serves_both_schemes_unless_annotations_say_otherwise() -> None:
    both = served(ingress(TLS + at("/")), service(), secret())
    assert both.tls == ir.Tls(certificate="default/tls")
    assert both.http == both.https
    forced = served(
        ingress(TLS + at("/"), notes='{ingress.kubernetes.io/force-ssl-redirect: "true"}'), service(), secret()
    )
    assert [route.action for route in forced.http] == [ir.HttpsRedirect()]
    assert forced.https == both.https
    closed = served(ingress(TLS + at("/"), notes='{kubernetes.io/ingress.allow-http: "false"}'), service(), secret())
    assert (closed.http, closed.https) == ((), both.https)


def test_tls_versions_need_a_chain() -> None:
    notes = '{projectcontour.io/tls-minimum-protocol-version: "1.3"}'
    site = served(ingress(TLS + at("/"), notes=notes), service(), secret())
    assert site.own_chain
    assert site.tls == ir.Tls(certificate="default/tls", minimum=ir.TlsVersion.V1_3)


def test_without_its_secret_plain_http_serves_and_the_fault_is_told() -> None:
    item = ingress(TLS + at("/"))
    result = compiled(item, service())
    assert result.site is not None
    assert result.site.tls is None
    assert paths(result.site.http) == ["/"]
    assert errors(result.statuses[item.key]) == [("TLSError", "SecretNotValid")]


def test_a_secret_of_another_namespace_needs_leave() -> None:
    item = ingress(TLS + at("/"), notes="{projectcontour.io/tls-cert-namespace: certs}")
    result = compiled(item, service(), secret("tls", "certs"))
    assert errors(result.statuses[item.key]) == [("TLSError", "DelegationNotPermitted")]


def test_an_exact_host_under_a_wildcard_of_an_ingress_needs_a_chain() -> None:
    wildcard = ingress("tls: [{hosts: ['*.example.com'], secretName: wild}]\n" + at("/", host="*.example.com"), "wild")
    assert served(ingress(TLS + at("/")), wildcard, service(), secret()).own_chain


def test_a_plain_httpproxy_is_not_moved_to_https() -> None:
    proxy = root("routes: [{conditions: [{prefix: /p}], directResponsePolicy: {statusCode: 200}}]")
    site = served(ingress(TLS + at("/")), proxy, service(), secret())
    assert paths(site.http) == ["/p", "/"]
    assert site.http[0].action == ir.Respond(status=200)
    assert paths(site.https) == ["/"]


def test_a_mirror_of_an_httpproxy_beside_keeps_its_cluster() -> None:
    mirrored = root("routes: [{services: [{name: app, port: 80}, {name: copy, port: 80, mirror: true}]}]")
    site = served(ingress(at("/a")), mirrored, service(), service("copy"))
    assert {cluster.name.split("/")[1] for cluster in site.clusters} == {"app", "copy"}


@pytest.mark.parametrize("path", ["/same", "/"])
def test_an_httpproxy_wins_an_equal_path_and_the_ingress_is_told(path: str) -> None:
    proxy = root(f"routes: [{{conditions: [{{prefix: {path}}}], directResponsePolicy: {{statusCode: 200}}}}]")
    item = ingress(at(path))
    result = compiled(item, proxy, service())
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.Respond(status=200)]
    (warning,) = result.statuses[item.key].warnings
    assert "default/voice/routes[0], which counts" in warning.message


def test_the_older_ingress_wins_an_equal_path() -> None:
    old, young = ingress(at("/"), "z"), ingress(at("/"), "a", created="2026-01-02")
    result = compiled(young, old, service())
    assert result.site is not None
    assert [route.name for route in result.site.http] == ["default/z/rules[0].http.paths[0]"]
    assert result.statuses[old.key] == ProxyStatus()
    assert len(result.statuses[young.key].warnings) == 1


def test_a_host_whose_httpproxy_guards_it_and_cannot_be_served_is_not_served_by_an_ingress() -> None:
    spec = "routes: [{directResponsePolicy: {statusCode: 200}}]"
    guarded = objects(
        f"apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {{name: guarded}}\nspec:\n"
        f"  virtualhost: {{fqdn: {HOST}, authorization: {{extensionRef: {{name: auth}}}}}}\n  {spec}"
    )
    item = ingress(at("/"))
    result = compiled(item, *guarded, service())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [("VirtualHostError", "HostGuarded")]


def test_a_default_backend_takes_what_no_path_of_its_hosts_does() -> None:
    with_default = ingress(at("/a") + "defaultBackend: {service: {name: app, port: {number: 80}}}")
    assert paths(served(with_default).http) == ["/a", "/"]
    other = ingress(at("/"), "other", created="2026-01-02")
    site = served(with_default, other, service())
    assert [route.name for route in site.http][-1] == "default/other/rules[0].http.paths[0]"


DEFAULT = "defaultBackend: {service: {name: app, port: {number: 80}}}"


def test_what_names_no_host_is_for_the_catch_all() -> None:
    without, alone = ingress(at("/a", host="")), ingress(DEFAULT, "alone", created="2026-01-02")
    assert hosts_of_ingress(without) == hosts_of_ingress(alone) == [ir.CATCH_ALL]
    result = compiled(without, alone, service(), host=ir.CATCH_ALL)
    assert result.site is not None
    assert (result.site.host, paths(result.site.http), result.site.https) == ("*", ["/a", "/"], ())
    assert set(result.statuses.values()) == {ProxyStatus()}


def test_a_default_backend_beside_rules_takes_the_catch_all_too_and_the_rules_do_not() -> None:
    item = ingress(at("/a") + DEFAULT)
    assert hosts_of_ingress(item) == [ir.CATCH_ALL, HOST]
    result = compiled(item, service(), host=ir.CATCH_ALL)
    assert result.site is not None
    assert paths(result.site.http) == ["/"]


def test_the_oldest_keeps_the_catch_all_and_the_others_are_told() -> None:
    old, young = ingress(DEFAULT, "z"), ingress(DEFAULT, "a", created="2026-01-02")
    result = compiled(young, old, service(), host=ir.CATCH_ALL)
    assert result.site is not None
    assert [route.name for route in result.site.http] == ["default/z/defaultBackend"]
    assert result.statuses[old.key] == ProxyStatus()
    assert len(result.statuses[young.key].warnings) == 1


@pytest.mark.parametrize("lent", [True, False])
def test_the_catch_all_is_on_https_with_the_fallback_certificate_that_is_lent_to_it(lent: bool) -> None:
    targets = "default" if lent else "other"
    delegation = objects(
        "apiVersion: projectcontour.io/v1\nkind: TLSCertificateDelegation\n"
        "metadata: {name: lent, namespace: certs}\n"
        f"spec: {{delegations: [{{secretName: tls, targetNamespaces: [{targets}]}}]}}"
    )
    settings = Settings(fallback_certificate="certs/tls")
    world = (ingress(DEFAULT), service(), secret("tls", "certs"), *delegation)
    result = compiled(*world, host=ir.CATCH_ALL, settings=settings)
    assert result.site is not None
    assert paths(result.site.http) == ["/"]
    assert paths(result.site.https) == ["/"] * lent
    assert result.site.fallback == ("certs/tls" if lent else "")
    assert result.certificates == (("certs/tls",) if lent else ())


def test_an_httpproxy_cannot_claim_the_catch_all() -> None:
    item = root("routes: [{directResponsePolicy: {statusCode: 200}}]", host="*")
    assert errors(status_of(item)) == [("VirtualHostError", "FQDNNotValid")]


def test_an_ingress_of_another_class_is_passed_over() -> None:
    for item in (
        ingress("ingressClassName: nginx\n" + at("/")),
        ingress(at("/"), notes="{kubernetes.io/ingress.class: nginx}"),
    ):
        result = compiled(item, service())
        assert (result.site, result.statuses) == (None, {})
