"""GatewayConfig → gateway and settings."""

from isoline.objects import GatewayConfig
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
