"""How much goes through by a TrafficPolicy, and where it goes instead: what it compiles to, and what cannot be."""

import msgspec
import pytest

from isoline.objects import GatewayConfig, Key
from isoline.routing import ir
from isoline.routing.compiler import compile_site
from isoline.routing.endpoints import compile_endpoints
from isoline.routing.gateway import gateway_from_config
from isoline.routing.settings import Settings
from isoline.routing.view import View
from unit.routing.support import HOST, objects, root, secret, store_of
from unit.routing.test_traffic_policies import ONE, A, B, one, policy, said, site, status


def test_compression() -> None:
    wanted = policy("compression: {algorithms: [brotli, gzip], contentTypes: [Text/HTML, text/css], minSize: 2Ki}")
    assert site(*one(), wanted).traffic == ir.Traffic(
        compression=ir.Compression(encodings=("brotli", "gzip"), content_types=("text/html", "text/css"), minimum=2048)
    )


def test_bandwidth_and_adaptive_concurrency() -> None:
    wanted = policy("bandwidth: {responses: 10Mi}, adaptiveConcurrency: {maxRequests: 20, percentile: 90}")
    assert site(*one(), wanted).traffic == ir.Traffic(
        bandwidth=ir.Bandwidth(responses=10 * 1024),
        adaptive_concurrency=ir.AdaptiveConcurrency(
            maximum=20, minimum=3, percentile=90, update_interval=0.1, measure_interval=60.0, samples=50
        ),
    )


def test_requests_go_to_the_endpoint_that_has_fewest() -> None:
    wanted = policy("endpointConcurrency: {maxRequests: 2, maxWaiting: 10}", "{kind: Service, name: a}")
    (found,) = site(*one(), wanted).clusters
    assert (found.limits.requests_per_endpoint, found.limits.pending_requests) == (2, 10)
    assert found.balance is ir.Balance.LEAST_REQUEST
    chosen = root("routes: [{services: [{name: a, port: 80}], loadBalancerPolicy: {strategy: Random}}]")
    (found,) = site(chosen, A, wanted).clusters
    assert found.balance is ir.Balance.RANDOM


def test_services_take_over_in_their_order() -> None:
    wanted = policy("failover: [{name: b, port: 80}, {name: a, port: 80}]", "{kind: Service, name: a}")
    (found,) = site(*one(), B, wanted).clusters
    assert found.endpoints == "default/a/80;default/b/80"
    slices = [
        f"""\
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {{name: {name}, namespace: default, labels: {{kubernetes.io/service-name: {name}}}}}
        addressType: IPv4
        ports: [{{port: 8080}}]
        endpoints: [{{addresses: [{address}]}}, {{addresses: [10.0.0.9]}}]
        """
        for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"))
    ]
    store = store_of(*(item for text in slices for item in objects(text)))
    endpoints, reads = compile_endpoints(found.endpoints, View(store, Settings()))
    assert {each.address: each.priority for each in endpoints.endpoints} == {
        "10.0.0.1": 0,
        "10.0.0.2": 1,
        # Who stands in for itself has its first place.
        "10.0.0.9": 0,
    }
    assert {Key("EndpointSlice", "default", "a"), Key("EndpointSlice", "default", "b")} <= reads


TLS_ROUTE = "routes: [{services: [{name: a, port: 80, protocol: tls}]}]"


def test_upstreams_of_tls_are_shown_a_certificate() -> None:
    wanted = policy("clientCertificate: {secretName: cert}")
    world = (A, wanted, secret("cert"))
    compiled = compile_site(HOST, View(store_of(root(TLS_ROUTE), *world), Settings()))
    assert compiled.site is not None
    assert [cluster.client_certificate for cluster in compiled.site.clusters] == ["default/cert"]
    assert compiled.certificates == ("default/cert",)
    assert [cluster.client_certificate for cluster in site(root(ONE), *world).clusters] == [""]


def test_a_certificate_that_goes_away_is_shown_on() -> None:
    wanted = policy("clientCertificate: {secretName: cert}")
    view = View(store_of(root(TLS_ROUTE), A, wanted), Settings(), kept={"default/cert": 2e9})
    found = compile_site(HOST, view).site
    assert found is not None
    assert [cluster.client_certificate for cluster in found.clusters] == ["default/cert"]


def test_http3_is_for_the_host() -> None:
    assert site(*one(), policy("http3: {maxAge: 1h}")).http3 == 3600.0
    assert site(*one()).http3 is None


def test_http3_needs_tls_a_port_and_no_certificates_of_clients() -> None:
    (config,) = objects(
        """\
        apiVersion: isoline.dev/v1alpha1
        kind: GatewayConfig
        metadata: {name: default}
        spec: {listeners: {https: {http3: true}}}
        """
    )
    assert isinstance(config, GatewayConfig)
    assert gateway_from_config(config, http_port=1, https_port=2).http3
    assert not gateway_from_config(None, http_port=1, https_port=2).http3
    found = site(*one(), policy("http3: {}"))
    assert found.http3_chain is None
    tls = ir.Tls(certificate="default/tls")
    secure = msgspec.structs.replace(found, https=found.http, tls=tls)
    assert secure.http3_chain == ir.Chain(host=HOST, tls=tls)
    asking = msgspec.structs.replace(tls, clients=ir.ClientCertificates(verify=False))
    assert msgspec.structs.replace(secure, tls=asking).http3_chain is None


INVALID = [
    ("compression: {algorithms: []}", "compression.algorithms"),
    ("compression: {contentTypes: []}", "compression.contentTypes"),
    ("compression: {contentTypes: [text/html, text/event-stream]}", "compression.contentTypes[1]"),
    ("compression: {contentTypes: [audio/wav]}", "compression.contentTypes[0]"),
    ("compression: {contentTypes: ['text/html; charset=utf-8']}", "compression.contentTypes[0]"),
    ("compression: {minSize: 0}", "compression.minSize"),
    ("bandwidth: {}", "bandwidth"),
    ("bandwidth: {requests: 100}", "bandwidth.requests"),
    ("adaptiveConcurrency: {minRequests: 2000}", "adaptiveConcurrency.minRequests"),
    ("adaptiveConcurrency: {updateInterval: infinity}", "adaptiveConcurrency.updateInterval"),
    ("endpointConcurrency: {maxRequests: 4294967296}", "endpointConcurrency.maxRequests"),
    ("http3: {maxAge: infinity}", "http3.maxAge"),
]


@pytest.mark.parametrize(("spec", "field"), INVALID)
def test_what_cannot_be_is_told_and_left_out(spec: str, field: str) -> None:
    wrong = policy(spec)
    assert said(status(wrong, *one())) == [("Accepted", "Invalid", f"spec.{field}")]
    assert site(*one(), wrong) == site(*one())


@pytest.mark.parametrize(
    ("spec", "reason", "field"),
    [
        ("failover: [{name: a, port: 80}, {name: gone, port: 80}]", "ServiceNotFound", "failover[1].name"),
        ("failover: [{name: a, port: 81}]", "ServiceNotFound", "failover[0].port"),
        ("clientCertificate: {secretName: gone}", "SecretNotFound", "clientCertificate.secretName"),
        ("clientCertificate: {secretName: s}", "SecretInvalid", "clientCertificate.secretName"),
    ],
)
def test_what_is_not_there_is_told_and_left_out(spec: str, reason: str, field: str) -> None:
    (empty,) = objects("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}}")
    wrong = policy(spec)
    world = (root(TLS_ROUTE), A, empty)
    assert said(status(wrong, *world)) == [("ResolvedRefs", reason, f"spec.{field}")]
    assert site(*world, wrong) == site(*world)
