"""tcpproxy: bytes that are handed on, with TLS passed through or ended here."""

import pytest

from isoline.objects import HTTPProxy, Object
from isoline.objects.core import ServicePort
from isoline.routing import ir
from isoline.routing.httpproxy.tcpproxy import CLOSED
from isoline.routing.settings import Settings
from isoline.routing.statuses import ORPHANED
from unit.routing.support import HOST, compiled, errors, key_of, objects, proxy, secret, self_signed, service, site
from unit.routing.test_client_validation import opaque

PASS = "passthrough: true"
TO_APP = "tcpproxy: {services: [{name: app, port: 80}]}"


def root(spec: str, tls: str = PASS, name: str = "voice", host: str = HOST) -> HTTPProxy:
    return proxy(f"virtualhost: {{fqdn: '{host}', tls: {{{tls}}}}}\n{spec}", name)


def tunnel(served: ir.Site) -> list[tuple[str, int]]:
    """The Services that connections go to, and their weights."""
    assert served.tunnel is not None
    return [(share.cluster.rpartition("/")[0], share.weight) for share in served.tunnel.shares]


def test_tls_that_is_passed_through() -> None:
    served = site(root(TO_APP), service())
    assert tunnel(served) == [("default/app/80", 1)]
    assert (served.tls, served.own_chain, served.http, served.https) == (None, True, (), ())
    assert [cluster.protocol for cluster in served.clusters] == [ir.Upstream.TCP]


def test_tls_that_ends_here() -> None:
    served = site(root(TO_APP, "secretName: tls"), service(), secret())
    assert tunnel(served) == [("default/app/80", 1)]
    assert served.tls == ir.Tls(certificate="default/tls")
    assert served.own_chain
    assert served.https == ()


def test_client_certificates_guard_bytes_too() -> None:
    tls = "secretName: tls, clientValidation: {caSecret: ca}"
    served = site(root(TO_APP, tls), service(), secret(), opaque("ca", ca_crt=self_signed()[0]))
    assert served.tls is not None
    assert served.tls.clients is not None


def test_weights() -> None:
    services = "tcpproxy: {services: [{name: app, port: 80, weight: 90}, {name: b, port: 80, weight: 10}]}"
    assert tunnel(site(root(services), service(), service("b"))) == [("default/app/80", 90), ("default/b/80", 10)]
    even = "tcpproxy: {services: [{name: app, port: 80}, {name: b, port: 80}]}"
    assert tunnel(site(root(even), service(), service("b"))) == [("default/app/80", 1), ("default/b/80", 1)]


@pytest.mark.parametrize(
    ("protocol", "wanted"),
    [
        ("", ir.Upstream.TCP),
        (", protocol: h2c", ir.Upstream.TCP),
        (", protocol: tls", ir.Upstream.TCP_TLS),
        (", protocol: h2", ir.Upstream.H2),
    ],
)
def test_protocols(protocol: str, wanted: ir.Upstream) -> None:
    served = site(root(f"tcpproxy: {{services: [{{name: app, port: 80{protocol}}}]}}"), service())
    assert [cluster.protocol for cluster in served.clusters] == [wanted]


def test_an_upstream_that_speaks_tls_is_validated() -> None:
    fields = "protocol: tls, validation: {caSecret: ca, subjectName: a}"
    served = site(
        root(f"tcpproxy: {{services: [{{name: app, port: 80, {fields}}}]}}"),
        service(),
        opaque("ca", ca_crt=self_signed()[0]),
    )
    (cluster,) = served.clusters
    assert cluster.trust is not None


def test_health_is_checked_by_connecting() -> None:
    policy = "healthCheckPolicy: {intervalSeconds: 5, timeoutSeconds: 1, unhealthyThresholdCount: 4}"
    item = root(f"tcpproxy: {{services: [{{name: app, port: 80, healthPort: 81}}], {policy}}}")
    ports = (ServicePort(name="a", port=80), ServicePort(name="health", port=81))
    (cluster,) = site(item, service("app", "default", *ports)).clusters
    assert cluster.health_check == ir.HealthCheck(
        path=None, host="", interval=5, timeout=1, unhealthy_threshold=4, healthy_threshold=2
    )
    assert cluster.endpoints == "default/app/a~health"


def test_strategies() -> None:
    item = root("tcpproxy: {services: [{name: app, port: 80}], loadBalancerPolicy: {strategy: WeightedLeastRequest}}")
    (cluster,) = site(item, service()).clusters
    assert cluster.balance is ir.Balance.LEAST_REQUEST


@pytest.mark.parametrize("strategy", ["Cookie", "RequestHash"])
def test_strategies_of_requests_are_told_and_round_robin_remains(strategy: str) -> None:
    item = root(f"tcpproxy: {{services: [{{name: app, port: 80}}], loadBalancerPolicy: {{strategy: {strategy}}}}}")
    result = compiled(item, service())
    assert result.site is not None
    assert result.site.clusters[0].balance is ir.Balance.ROUND_ROBIN
    (warning,) = result.statuses[item.key].warnings
    assert (warning.type, warning.reason) == ("TCPProxyError", "IgnoredField")
    assert strategy in warning.message


def test_what_only_requests_have_is_told() -> None:
    fields = "mirror: true, requestHeadersPolicy: {remove: [a]}, responseHeadersPolicy: {remove: [a]}"
    item = root(f"tcpproxy: {{services: [{{name: app, port: 80, {fields}}}]}}")
    result = compiled(item, service())
    assert result.site is not None
    assert tunnel(result.site) == [("default/app/80", 1)]
    assert len(result.statuses[item.key].warnings) == 3


# --- includes


def child(spec: str = TO_APP, name: str = "child", namespace: str = "default") -> HTTPProxy:
    return proxy(spec, name, namespace)


@pytest.mark.parametrize("field", ["include", "includes"])
def test_another_object_may_say_where_to(field: str) -> None:
    item = root(f"tcpproxy: {{{field}: {{name: child}}}}")
    assert tunnel(site(item, child(), service())) == [("default/app/80", 1)]


def test_across_namespaces_and_more_than_once() -> None:
    item = root("tcpproxy: {include: {name: child, namespace: one}}")
    first = child("tcpproxy: {include: {name: child, namespace: two}}", namespace="one")
    second = child(namespace="two")
    assert tunnel(site(item, first, second, service("app", "two"))) == [("two/app/80", 1)]


def test_the_new_name_of_the_field_counts() -> None:
    item = root("tcpproxy: {include: {name: child}, includes: {name: gone}}")
    assert tunnel(site(item, child(), service())) == [("default/app/80", 1)]


def test_who_is_included_is_no_orphan() -> None:
    item = root("tcpproxy: {include: {name: child}}")
    included = child()
    assert errors(compiled(item, included, service()).statuses[included.key]) == []
    assert compiled(included, host="!default/child").statuses[included.key] == ORPHANED


@pytest.mark.parametrize(
    ("spec", "told", "wanted"),
    [
        ("tcpproxy: {include: {name: gone}}", "voice", ("TCPProxyIncludeError", "IncludeNotFound")),
        ("tcpproxy: {include: {name: voice}}", "voice", ("TCPProxyIncludeError", "RootIncludesRoot")),
        ("tcpproxy: {include: {name: other}}", "voice", ("TCPProxyIncludeError", "RootIncludesRoot")),
        ("tcpproxy: {include: {name: foreign}}", "voice", ("TCPProxyIncludeError", "IncludeNotFound")),
        ("tcpproxy: {include: {name: one}}", "two", ("TCPProxyIncludeError", "IncludeCreatesCycle")),
        ("tcpproxy: {include: {name: self}}", "self", ("TCPProxyIncludeError", "IncludeCreatesCycle")),
        ("tcpproxy: {include: {name: empty}}", "empty", ("TCPProxyError", "NothingDefined")),
        ("tcpproxy: {}", "voice", ("TCPProxyError", "NothingDefined")),
        (
            "tcpproxy: {services: [{name: app, port: 80}], include: {name: child}}",
            "voice",
            ("TCPProxyError", "NoServicesAndInclude"),
        ),
        ("tcpproxy: {services: [{name: gone, port: 80}]}", "voice", ("TCPProxyError", "ServiceUnresolvedReference")),
        ("tcpproxy: {services: [{name: app, port: 81}]}", "voice", ("TCPProxyError", "ServiceUnresolvedReference")),
        (
            "tcpproxy: {services: [{name: app, port: 80, protocol: x}]}",
            "voice",
            ("ServiceError", "UnsupportedProtocol"),
        ),
        ("tcpproxy: {include: {name: lost}}", "lost", ("TCPProxyError", "ServiceUnresolvedReference")),
    ],
)
def test_faults_are_told_where_they_are_and_close_the_tunnel(spec: str, told: str, wanted: tuple[str, str]) -> None:
    others: list[Object] = [
        service(),
        child(),
        root(TO_APP, name="other", host="other.example.com"),
        child("ingressClassName: another\n" + TO_APP, "foreign"),
        child("tcpproxy: {include: {name: two}}", "one"),
        child("tcpproxy: {include: {name: one}}", "two"),
        child("tcpproxy: {include: {name: self}}", "self"),
        child("tcpproxy: {}", "empty"),
        child("tcpproxy: {services: [{name: gone, port: 80}]}", "lost"),
    ]
    result = compiled(root(spec), *others)
    assert result.site is not None
    assert result.site.tunnel == CLOSED
    assert result.site.own_chain
    found = {key.name: errors(status) for key, status in result.statuses.items() if errors(status)}
    assert found == {told: [wanted]}


def test_a_missing_service_takes_nothing_from_the_others() -> None:
    services = "tcpproxy: {services: [{name: gone, port: 80, weight: 1}, {name: app, port: 80, weight: 3}]}"
    item = root(services)
    result = compiled(item, service())
    assert errors(result.statuses[item.key]) == [("TCPProxyError", "ServiceUnresolvedReference")]
    assert result.site is not None
    assert result.site.tunnel is not None
    weights = {share.cluster.rpartition("/")[0] or share.cluster: share.weight for share in result.site.tunnel.shares}
    assert weights == {ir.NO_CLUSTER: 1, "default/app/80": 3}
    assert [cluster.endpoints for cluster in result.site.clusters] == ["default/app/80"]


def test_a_child_without_a_tcpproxy_has_nowhere_to_send_to() -> None:
    item = root("tcpproxy: {include: {name: child}}")
    included = child("routes: [{directResponsePolicy: {statusCode: 200}}]")
    result = compiled(item, included)
    assert result.site is not None
    assert result.site.tunnel == CLOSED
    assert [warning.type for warning in result.statuses[included.key].warnings] == ["TCPProxyError"]


def test_without_tls_nobody_knows_whose_bytes_they_are() -> None:
    item = proxy(f"virtualhost: {{fqdn: {HOST}}}\n{TO_APP}")
    result = compiled(item, service())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [("TCPProxyError", "TLSMustBeConfigured")]


# --- plain HTTP beside it

ROUTES = """
routes:
- {conditions: [{prefix: /open}], permitInsecure: true, services: [{name: app, port: 80}]}
- {services: [{name: app, port: 80}]}
"""


@pytest.mark.parametrize("tls", [PASS, "secretName: tls"])
def test_routes_are_for_plain_http_and_lead_to_https(tls: str) -> None:
    served = site(root(f"{ROUTES}\n{TO_APP}", tls), service(), secret())
    actions = [type(route.action) for route in served.http]
    assert actions == [ir.Forward, ir.HttpsRedirect]
    assert served.https == ()
    assert len(served.clusters) == 2


def test_a_closed_tunnel_leaves_plain_http_open() -> None:
    item = root(f"{ROUTES}\ntcpproxy: {{include: {{name: gone}}}}")
    result = compiled(item, service())
    assert result.site is not None
    assert len(result.site.http) == 2


def test_passthrough_without_a_tcpproxy_is_told() -> None:
    item = root(ROUTES)
    result = compiled(item, service())
    assert result.site is not None
    assert (result.site.tunnel, result.site.own_chain) == (None, False)
    assert [type(route.action) for route in result.site.http] == [ir.Forward, ir.HttpsRedirect]
    assert [warning.type for warning in result.statuses[item.key].warnings] == ["TLSError"]


def test_an_ingress_beside_a_tunnel_has_plain_http() -> None:
    (ingress,) = objects(
        f"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: web, namespace: default}}
        spec:
          tls: [{{hosts: [{HOST}], secretName: tls}}]
          rules:
          - host: {HOST}
            http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: b, port: {{number: 80}}}}}}}}]}}
        """
    )
    served = site(root(TO_APP), ingress, service(), service("b"), secret())
    assert tunnel(served) == [("default/app/80", 1)]
    assert (served.tls, served.https) == (None, ())
    assert [type(route.action) for route in served.http] == [ir.Forward]
    assert sorted(cluster.endpoints for cluster in served.clusters) == ["default/app/80", "default/b/80"]


@pytest.mark.parametrize("tls", [PASS, "secretName: tls"])
def test_exact_hosts_are_not_caught_by_a_wildcards_tunnel(tls: str) -> None:
    wild = root(TO_APP, tls, "wild", "*.example.com")
    exact = root("routes: [{services: [{name: app, port: 80}]}]", "secretName: tls")
    assert site(exact, wild, service(), secret()).own_chain


def test_another_class_is_not_included() -> None:
    item = proxy(
        f"ingressClassName: mine\nvirtualhost: {{fqdn: {HOST}, tls: {{{PASS}}}}}\n"
        "tcpproxy: {include: {name: child}}"
    )
    result = compiled(item, child(), service(), settings=Settings(ingress_class="mine"))
    assert errors(result.statuses[key_of("voice")]) == [("TCPProxyIncludeError", "IncludeNotFound")]
