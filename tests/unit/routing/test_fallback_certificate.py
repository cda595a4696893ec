"""enableFallbackCertificate: a certificate for clients that name no known host."""

import pytest

from isoline.objects import GatewayConfig, HTTPProxy, Object, decode_object
from isoline.routing import ir
from isoline.routing.settings import Settings, settings_from_config
from unit.routing.support import HOST, compiled, errors, objects, proxy, secret, service, status_of

SETTINGS = Settings(fallback_certificate="certs/fallback")
FALLBACK = secret("fallback", "certs")


def root(more: str = "", tls: str = "secretName: tls", spec: str = "") -> HTTPProxy:
    routes = spec or "routes: [{directResponsePolicy: {statusCode: 200}}]"
    return proxy(f"virtualhost: {{fqdn: {HOST}, tls: {{{tls}, enableFallbackCertificate: true}}{more}}}\n{routes}")


def lend(targets: str = "'*'", name: str = "fallback") -> Object:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {{name: lend, namespace: certs}}
        spec: {{delegations: [{{secretName: {name}, targetNamespaces: [{targets}]}}]}}
        """
    )
    return item


@pytest.mark.parametrize("targets", ["'*'", "default", "other, default"])
def test_a_host_that_enables_it_is_served_with_it_too(targets: str) -> None:
    result = compiled(root(), secret(), FALLBACK, lend(targets), settings=SETTINGS)
    assert result.site is not None
    assert result.site.fallback == "certs/fallback"
    assert result.site.tls == ir.Tls(certificate="default/tls")
    assert not result.site.own_chain
    assert result.certificates == ("default/tls", "certs/fallback")


def test_a_host_that_does_not_is_not() -> None:
    plain = proxy(
        f"virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}\n"
        "routes: [{directResponsePolicy: {statusCode: 200}}]"
    )
    result = compiled(plain, secret(), FALLBACK, lend(), settings=SETTINGS)
    assert result.site is not None
    assert result.site.fallback == ""
    assert result.certificates == ("default/tls",)


@pytest.mark.parametrize(
    ("settings", "others", "reason"),
    [
        (Settings(), (FALLBACK, lend()), "FallbackNotPresent"),
        (SETTINGS, (FALLBACK,), "FallbackNotDelegated"),
        (SETTINGS, (FALLBACK, lend("other")), "FallbackNotDelegated"),
        (SETTINGS, (FALLBACK, lend(name="another")), "FallbackNotDelegated"),
        (SETTINGS, (lend(),), "FallbackNotValid"),
        (SETTINGS, (secret("fallback", "certs", contents=(b"hello", b"hello")), lend()), "FallbackNotValid"),
    ],
)
def test_what_is_missing_takes_the_host_out(settings: Settings, others: tuple[Object, ...], reason: str) -> None:
    item = root()
    result = compiled(item, secret(), *others, settings=settings)
    assert result.site is None
    assert errors(result.statuses[item.key]) == [("TLSError", reason)]


@pytest.mark.parametrize(
    ("more", "tls"),
    [
        ("", "passthrough: true"),
        ("", "secretName: tls, clientValidation: {skipClientCertValidation: true}"),
        (", authorization: {extensionRef: {name: auth}}", "secretName: tls"),
        (", jwtProviders: [{name: a, remoteJWKS: {uri: 'https://example.com'}}]", "secretName: tls"),
    ],
    ids=["passthrough", "clientValidation", "authorization", "jwt"],
)
def test_it_lets_nobody_past_a_guard(more: str, tls: str) -> None:
    status = status_of(root(more, tls), secret(), FALLBACK, lend(), settings=SETTINGS)
    assert ("TLSError", "TLSIncompatibleFeatures") in errors(status)


def test_a_tcpproxy_cannot_be_found_without_a_server_name() -> None:
    item = root(spec="tcpproxy: {services: [{name: app, port: 80}]}")
    result = compiled(item, secret(), FALLBACK, lend(), service(), settings=SETTINGS)
    assert result.site is not None
    assert result.site.fallback == ""
    assert [warning.type for warning in result.statuses[item.key].warnings] == ["TLSError"]


def test_the_gateway_config_names_it() -> None:
    config = decode_object(
        {
            "apiVersion": "isoline.dev/v1alpha1",
            "kind": "GatewayConfig",
            "metadata": {"name": "default"},
            "spec": {"tls": {"fallbackCertificate": {"namespace": "certs", "name": "fallback"}}},
        }
    )
    assert isinstance(config, GatewayConfig)
    assert settings_from_config(config, one_machine=True).fallback_certificate == "certs/fallback"
    assert settings_from_config(None, one_machine=True).fallback_certificate == ""
