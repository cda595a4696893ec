"""GatewayConfig → gateway and settings."""

import pytest

from isoline.objects import GatewayConfig
from isoline.objects.decoding import decode_documents
from isoline.objects.httpproxy import HeadersPolicy
from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from isoline.routing.ir import NEVER, TlsVersion
from isoline.routing.settings import Settings, settings_from_config
from unit.routing.support import objects


def config(spec: str) -> GatewayConfig:
    (item,) = objects(
        f"apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {{name: default}}\nspec: {{{spec}}}\n"
    )
    assert isinstance(item, GatewayConfig)
    return item


def test_without_a_config_the_callers_ports_and_safe_defaults_hold() -> None:
    gateway = gateway_from_config(None, http_port=8080, https_port=8443)
    assert gateway.http == ir.Listener(address="0.0.0.0", port=8080)
    assert gateway.https == ir.Listener(address="0.0.0.0", port=8443)
    assert gateway.public_https_port == 8443
    assert gateway.request_timeout == NEVER
    assert gateway.headers_with_underscores == "reject"
    assert gateway.trusted_hops == 0
    assert gateway.access_log == ir.AccessLog(path="/dev/stdout")
    assert gateway == gateway_from_config(config(""), http_port=8080, https_port=8443)


def test_a_config_in_full() -> None:
    gateway = gateway_from_config(
        config(
            "listeners: {http: {port: 81, address: 127.0.0.1}, https: {port: 444, address: '::1'}}, "
            "tls: {minimumVersion: '1.3', maximumVersion: '1.3'}, trustedHops: 2, "
            "timeouts: {request: 1m, requestHeaders: 2s, streamIdle: infinity, connectionIdle: 3s, connect: 4s, "
            "drain: 5s}, limits: {connections: 6, concurrentStreams: 7, requestHeadersKiB: 8, requestHeadersCount: 9}, "
            "headers: {underscores: Drop}, paths: {escapedSlashes: KeepUnchanged, mergeSlashes: false}, "
            "accessLog: {path: /var/log/x, format: text}"
        ),
        http_port=1,
        https_port=2,
        public_https_port=443,
    )
    assert gateway == ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=81),
        https=ir.Listener(address="::1", port=444),
        public_https_port=443,
        tls_minimum=TlsVersion.V1_3,
        tls_maximum=TlsVersion.V1_3,
        trusted_hops=2,
        request_timeout=60.0,
        request_headers_timeout=2.0,
        stream_idle_timeout=NEVER,
        connection_idle_timeout=3.0,
        drain_timeout=5.0,
        connect_timeout=4.0,
        max_concurrent_streams=7,
        max_request_headers_kib=8,
        max_request_headers=9,
        max_connections=6,
        headers_with_underscores="drop",
        escaped_slashes="keep",
        merge_slashes=False,
        access_log=ir.AccessLog(path="/var/log/x", json=False),
    )


def test_listeners_timeouts_and_headers_beyond_the_usual() -> None:
    gateway = gateway_from_config(
        config(
            "listeners: {http: {moreAddresses: ['::1', '::1'], proxyProtocol: true}}, "
            "timeouts: {response: 1m, connectionLifetime: 2m, delayedClose: 3s}, "
            "limits: {requestsPerConnection: 4}, headers: {server: AppendIfAbsent}"
        ),
        http_port=1,
        https_port=2,
    )
    assert gateway.http == ir.Listener(address="0.0.0.0", port=1, more_addresses=("::1",), proxy_protocol=True)
    assert (gateway.route_timeout, gateway.connection_lifetime, gateway.delayed_close_timeout) == (60.0, 120.0, 3.0)
    assert gateway.max_requests_per_connection == 4
    assert gateway.server_header == "add"


def test_upstreams_and_versions() -> None:
    breakers = "{maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRetries: 4, perHostMaxConnections: 5}"
    cluster = f"{{maxRequestsPerConnection: 9, circuitBreakers: {breakers}}}"
    gateway = gateway_from_config(
        config(f"defaultHTTPVersions: [HTTP/2], cluster: {cluster}"), http_port=1, https_port=2
    )
    assert gateway.http_versions == ("2",)
    assert gateway.upstream_requests_per_connection == 9
    assert gateway.upstream_limits == ir.Limits(
        connections=1, pending_requests=2, requests=3, retries=4, connections_per_endpoint=5
    )
    assert gateway_from_config(None, http_port=1, https_port=2).http_versions == ("1.1", "2")


def test_what_sites_depend_on_of_it() -> None:
    settings = settings_from_config(
        config(
            "enableExternalNameService: true, disablePermitInsecure: true, cluster: {dnsLookupFamily: v4}, "
            "policy: {requestHeadersPolicy: {remove: [X-A]}, responseHeadersPolicy: {remove: [X-B]}, "
            "applyToIngress: true}"
        ),
        one_machine=False,
    )
    assert settings == Settings(
        external_names=True,
        permit_insecure=False,
        dns_family=ir.DnsFamily.V4,
        request_headers=HeadersPolicy(remove=("X-A",)),
        response_headers=HeadersPolicy(remove=("X-B",)),
        headers_of_ingresses=True,
    )


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("requestHeadersPolicy: {set: [{name: 'a b', value: c}]}", 'set[0].name: "a b" is no header name'),
        ("requestHeadersPolicy: {set: [{name: a, value: b}, {name: A, value: c}]}", 'set[1].name: "A" is set already'),
        ("requestHeadersPolicy: {set: [{name: Host, value: '%REQ(a)%'}]}", "Host can be set to a fixed name only"),
        ("responseHeadersPolicy: {set: [{name: Host, value: a}]}", "Host can be set on requests only"),
        ('requestHeadersPolicy: {set: [{name: a, value: "b\\nc"}]}', "set[0].value: a header's value holds no line"),
        ("responseHeadersPolicy: {remove: ['a b']}", 'spec.policy.responseHeadersPolicy.remove[0]: "a b" is no header'),
        ("requestHeadersPolicy: {remove: [host]}", "Host cannot be removed"),
    ],
)
def test_headers_that_cannot_be(policy: str, told: str) -> None:
    text = "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\n"
    found = decode_documents(f"{text}spec: {{policy: {{{policy}}}}}\n")
    assert not found.located
    assert told in str(found.errors[0])


def test_tracing() -> None:
    traced = "endpoint: '[::1]:4317', serviceName: front, overallSampling: 12.5, maxPathTagLength: 9"
    tags = "customTags: [{tagName: a, literal: b}, {tagName: c, requestHeaderName: X-D}]"
    gateway = gateway_from_config(config(f"tracing: {{{traced}, {tags}}}"), http_port=1, https_port=2)
    assert gateway.tracing == ir.Tracing(
        collector=ir.Dns(hostname="::1", port=4317),
        service_name="front",
        percent=12.5,
        max_path_length=9,
        tags=(ir.TraceTag(name="a", literal="b"), ir.TraceTag(name="c", header="x-d")),
    )


@pytest.mark.parametrize(
    ("tracing", "told"),
    [
        ("endpoint: nowhere", "spec.tracing.endpoint"),
        ("endpoint: 'a:70000'", 'spec.tracing.endpoint: "a:70000" is no endpoint'),
        ("endpoint: 'a:1', customTags: [{tagName: a}]", "spec.tracing.customTags[0]: exactly one of literal"),
        ("endpoint: 'a:1', customTags: [{tagName: a, requestHeaderName: 'x y'}]", 'Name: "x y" is no header name'),
        (
            "endpoint: 'a:1', customTags: [{tagName: a, literal: b}, {tagName: a, literal: c}]",
            'customTags[1].tagName: another tag is named "a"',
        ),
        ("endpoint: 'a:1', overallSampling: 101", "spec.tracing.overallSampling"),
    ],
)
def test_tracing_that_cannot_be(tracing: str, told: str) -> None:
    text = "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\n"
    found = decode_documents(f"{text}spec: {{tracing: {{{tracing}}}}}\n")
    assert not found.located
    assert told in str(found.errors[0])


def test_no_access_log() -> None:
    assert gateway_from_config(config("accessLog: {enabled: false}"), http_port=1, https_port=2).access_log is None


def test_settings() -> None:
    assert settings_from_config(None, one_machine=False) == Settings()
    assert settings_from_config(None, one_machine=True) == Settings(self_signed=True)
    assert not settings_from_config(config("tls: {selfSigned: false}"), one_machine=True).self_signed
    assert settings_from_config(config("tls: {selfSigned: true}"), one_machine=False).self_signed
    full = config("ingressClassName: mine, rootNamespaces: [a, b], tls: {minimumVersion: '1.3'}")
    assert settings_from_config(full, one_machine=False) == Settings(
        ingress_class="mine", root_namespaces=frozenset({"a", "b"}), tls_minimum=TlsVersion.V1_3
    )
