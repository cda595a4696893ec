"""Contour's configuration file means what it means to Contour; what cannot be honoured is told, never passed over."""

from pathlib import Path

import pytest

from isoline.cli.contour_config import read_contour_config
from isoline.cli.errors import UsedWronglyError
from isoline.objects.gateway_upstreams import DefaultPolicy
from isoline.objects.httpproxy_policies import HeadersPolicy, HeaderValue

FILE = """
incluster: true
disableMergeSlashes: true
serverHeaderTransformation: append_if_absent
disablePermitInsecure: true
tls:
  minimum-protocol-version: "1.3"
  fallback-certificate: {name: fallback, namespace: gateway}
  cipher-suites: [ECDHE-RSA-AES128-GCM-SHA256]
  envoy-client-certificate: {name: c, namespace: gateway}
accesslog-format: envoy
accesslog-level: disabled
timeouts:
  request-timeout: infinite
  connection-idle-timeout: 60s
  stream-idle-timeout: 0s
  max-connection-duration: 10m
network: {num-trusted-hops: 1}
listener: {max-requests-per-connection: 100, http2-max-concurrent-streams: 50, connection-balancer: exact}
policy:
  request-headers: {set: {X-A: b}, remove: [X-C]}
  response-headers: {remove: [X-D]}
  applyToIngress: true
enableExternalNameService: true
default-http-versions: [http/1.1]
cluster:
  dns-lookup-family: v4
  max-requests-per-connection: 7
  circuit-breakers: {max-connections: 8, max-retries: 0}
  upstream-tls: {minimum-protocol-version: "1.3"}
rateLimitService:
  extensionService: gateway/limits
  domain: edge
  failOpen: true
globalExtAuth:
  extensionService: gateway/login
  failOpen: false
  authPolicy: {context: {a: b}}
  withRequestBody: {maxRequestBytes: 10}
"""


def test_settings_that_mean_the_same_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "contour.yaml"
    path.write_text(FILE)
    config, _ = read_contour_config(path)
    spec = config.spec
    assert not spec.paths.merge_slashes
    assert spec.headers.server == "AppendIfAbsent"
    assert (spec.tls.minimum_version, spec.tls.maximum_version) == ("1.3", "1.3")
    assert spec.tls.cipher_suites == ("ECDHE-RSA-AES128-GCM-SHA256",)
    assert spec.tls.fallback_certificate is not None
    assert (spec.tls.fallback_certificate.namespace, spec.tls.fallback_certificate.name) == ("gateway", "fallback")
    assert (spec.access_log.format, spec.access_log.enabled) == ("text", False)
    assert (spec.timeouts.request, spec.timeouts.connection_idle) == ("infinity", "60s")
    assert (spec.timeouts.stream_idle, spec.timeouts.connection_lifetime) == ("5m", "10m")
    assert spec.trusted_hops == 1
    assert (spec.disable_permit_insecure, spec.enable_external_name_service) == (True, True)
    assert spec.policy == DefaultPolicy(
        request_headers_policy=HeadersPolicy(set=(HeaderValue(name="X-A", value="b"),), remove=("X-C",)),
        response_headers_policy=HeadersPolicy(remove=("X-D",)),
        apply_to_ingress=True,
    )
    assert spec.default_http_versions == ("HTTP/1.1",)
    assert (spec.cluster.dns_lookup_family, spec.cluster.max_requests_per_connection) == ("v4", 7)
    assert (spec.cluster.circuit_breakers.max_connections, spec.cluster.circuit_breakers.max_retries) == (8, None)
    assert (spec.limits.requests_per_connection, spec.limits.concurrent_streams) == (100, 50)
    assert spec.rate_limit_service is not None
    assert spec.rate_limit_service.extension_service is not None
    assert spec.rate_limit_service.extension_service.name == "limits"
    assert (spec.rate_limit_service.domain, spec.rate_limit_service.fail_open) == ("edge", True)
    assert spec.global_external_authorization is not None
    assert spec.global_external_authorization.extension_ref.name == "login"
    assert spec.global_external_authorization.with_request_body is not None
    assert spec.global_external_authorization.with_request_body.max_request_bytes == 10


def test_what_cannot_be_honoured_is_told_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "contour.yaml"
    path.write_text(FILE + "ingress-status-address: 192.0.2.1\ndisableMergeSlash: true\nmetrics: {}\n")
    _, told = read_contour_config(path)
    assert sorted(text.partition(":")[0] for text in told) == [
        "cluster.upstream-tls",
        "disableMergeSlash",
        "ingress-status-address",
        "listener.connection-balancer",
        "tls.envoy-client-certificate",
    ]
    assert 'disableMergeSlash: did you mean "disableMergeSlashes"?' in told
    assert "ingress-status-address: say it by --ingress-status-address" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tls: {minimum-protocol-version: '1.1'}", "spec.tls.minimumVersion"),
        ("timeouts: {connect-timeout: soon}", "spec.timeouts.connect"),
        ("- a list", "no mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_what_contour_would_not_take_either_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "contour.yaml"
    path.write_text(text)
    with pytest.raises(UsedWronglyError, match=words):
        read_contour_config(path)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "contour.yaml"
    path.write_text("")
    config, told = read_contour_config(path)
    assert (config.metadata.name, told) == ("default", [])
