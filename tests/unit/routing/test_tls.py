"""TLS of a host: the Secret, versions, plain HTTP beside it, filter chains."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from isoline.objects import HTTPProxy, Object, Secret, SecretValue
from isoline.routing import ir
from isoline.routing.certificates import compile_certificate, secret_problem
from isoline.routing.ir import TlsVersion
from isoline.routing.settings import Settings
from isoline.routing.view import View
from unit.routing.support import (
    HOST,
    compiled,
    errors,
    objects,
    pair,
    proxy,
    root,
    secret,
    self_signed,
    service,
    site,
    status_of,
    store_of,
)

ANSWER = "routes: [{directResponsePolicy: {statusCode: 200}}]"


def secure(tls: str = "secretName: tls", *, host: str = HOST, name: str = "voice", spec: str = ANSWER) -> HTTPProxy:
    return proxy(f"virtualhost: {{fqdn: '{host}', tls: {{{tls}}}}}\n{spec}", name)


def test_plain_http_goes_to_https_except_where_permitted() -> None:
    item = secure(
        spec="""
routes:
- conditions: [{prefix: /open}]
  permitInsecure: true
  directResponsePolicy: {statusCode: 200}
- requestRedirectPolicy: {hostname: elsewhere.example.com}
"""
    )
    served = site(item, secret())
    assert [route.match for route in served.http] == [route.match for route in served.https]
    assert [route.action for route in served.https] == [
        ir.Respond(status=200),
        ir.Redirect(hostname="elsewhere.example.com"),
    ]
    assert [route.action for route in served.http] == [ir.Respond(status=200), ir.HttpsRedirect()]
    assert served.tls == ir.Tls(certificate="default/tls")
    assert not served.own_chain


def test_the_gateway_may_permit_no_plain_http_beside_https() -> None:
    strict = Settings(permit_insecure=False)
    spec = "routes: [{permitInsecure: true, directResponsePolicy: {statusCode: 200}}]"
    result = compiled(secure(spec=spec), secret(), settings=strict)
    assert result.site is not None
    assert [route.action for route in result.site.http] == [ir.HttpsRedirect()]
    plain = compiled(root(spec), settings=strict)
    assert plain.site is not None
    assert [route.action for route in plain.site.http] == [ir.Respond(status=200)]


def test_a_plain_host_has_no_https() -> None:
    served = site(root(ANSWER))
    assert served.http
    assert served.https == ()
    assert served.tls is None


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        ("{}", "TLSConfigNotValid"),
        ("{secretName: ''}", "TLSConfigNotValid"),
        ("{secretName: tls, passthrough: true}", "TLSConfigNotValid"),
        ("{secretName: gone}", "SecretNotValid"),
        ("{secretName: tls, minimumProtocolVersion: '1.3', maximumProtocolVersion: '1.2'}", "TLSConfigNotValid"),
        ("{secretName: other/tls}", "DelegationNotPermitted"),
        ("{passthrough: true, enableFallbackCertificate: true}", "TLSIncompatibleFeatures"),
        ("{passthrough: true, clientValidation: {caSecret: ca}}", "TLSIncompatibleFeatures"),
    ],
)
def test_tls_that_cannot_be_takes_the_host_out(tls: str, reason: str) -> None:
    item = proxy(f"virtualhost: {{fqdn: {HOST}, tls: {tls}}}\n{ANSWER}")
    result = compiled(item, secret())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [("TLSError", reason)]


def test_a_missing_secret_is_about_to_come_where_the_local_ca_issues() -> None:
    status = status_of(secure(), settings=Settings(self_signed=True))
    assert errors(status) == [("TLSError", "SecretNotValid")]
    assert "local CA" in status.errors[0].message
    assert "local CA" not in status_of(secure()).errors[0].message


@pytest.mark.parametrize(
    ("fields", "versions", "unlike_the_gateways"),
    [
        ("", (None, None), False),
        (", minimumProtocolVersion: '1.3'", (TlsVersion.V1_3, None), True),
        (", maximumProtocolVersion: '1.2'", (None, TlsVersion.V1_2), True),
        (", minimumProtocolVersion: '1.2', maximumProtocolVersion: '1.3'", (TlsVersion.V1_2, TlsVersion.V1_3), False),
    ],
)
def test_versions(
    fields: str, versions: tuple[TlsVersion | None, TlsVersion | None], unlike_the_gateways: bool
) -> None:
    served = site(secure(f"secretName: tls{fields}"), secret())
    assert served.tls is not None
    assert (served.tls.minimum, served.tls.maximum) == versions
    assert served.own_chain is unlike_the_gateways


def test_an_unknown_version_is_told_and_the_default_holds() -> None:
    item = secure("secretName: tls, minimumProtocolVersion: '1.1'")
    result = compiled(item, secret())
    assert result.site is not None
    assert result.site.tls == ir.Tls(certificate="default/tls")
    assert [warning.reason for warning in result.statuses[item.key].warnings] == ["IgnoredField"]


def test_versions_of_the_gateway_bound_a_hosts_own() -> None:
    item = secure("secretName: tls, maximumProtocolVersion: '1.2'")
    status = status_of(item, secret(), settings=Settings(tls_minimum=TlsVersion.V1_3))
    assert errors(status) == [("TLSError", "TLSConfigNotValid")]


# --- filter chains


def wildcard(tls: str) -> HTTPProxy:
    return secure(tls, host="*.example.com", name="wildcard")


@pytest.mark.parametrize(
    ("others", "own_chain"),
    [
        ([], False),
        ([wildcard("secretName: tls")], False),
        ([wildcard("secretName: default/tls")], False),
        ([wildcard("secretName: second")], True),
        ([wildcard("secretName: tls, minimumProtocolVersion: '1.3'")], True),
        ([wildcard("passthrough: true")], True),
        ([root(ANSWER, "wildcard", host="*.example.com")], False),
        ([secure("secretName: second", host="*.other.com", name="wildcard")], False),
    ],
)
def test_a_chain_of_its_own_where_a_wildcards_would_catch_it(others: list[Object], own_chain: bool) -> None:
    served = site(secure(), secret(), secret("second"), *others)
    assert served.own_chain is own_chain


@pytest.mark.parametrize(("secret_name", "own_chain"), [("second", True), ("tls", False)])
def test_a_wildcards_chain_catches_hosts_any_number_of_labels_below(secret_name: str, own_chain: bool) -> None:
    host = "a.b.example.com"
    items = (secure(host=host), secret(), secret("second"), wildcard(f"secretName: {secret_name}"))
    assert site(*items, host=host).own_chain is own_chain


def test_a_wildcard_always_has_its_own_chain() -> None:
    assert site(wildcard("secretName: tls"), secret(), host="*.example.com").own_chain
    assert not site(root(ANSWER, host="*.example.com"), host="*.example.com").own_chain


# --- delegation


def delegation(targets: str, name: str = "tls") -> Object:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {{name: lend, namespace: certs}}
        spec: {{delegations: [{{secretName: {name}, targetNamespaces: {targets}}}]}}
        """
    )
    return item


@pytest.mark.parametrize(
    ("targets", "name", "permitted"),
    [
        ("[default]", "tls", True),
        ("[other, default]", "tls", True),
        ("['*']", "tls", True),
        ("[other, '*']", "tls", True),
        ("[other]", "tls", False),
        ("[default]", "another", False),
        ("[]", "tls", False),
    ],
)
def test_delegation(targets: str, name: str, permitted: bool) -> None:
    item = secure("secretName: certs/tls")
    result = compiled(item, delegation(targets, name), secret("tls", "certs"))
    assert (result.site is not None) is permitted
    if not permitted:
        assert errors(result.statuses[item.key]) == [("TLSError", "DelegationNotPermitted")]
    else:
        assert result.certificates == ("certs/tls",)


# --- the contents of Secrets


def with_data(kind: str = "kubernetes.io/tls", **data: bytes) -> Secret:
    return Secret(
        metadata=secret().metadata,
        type=kind,
        data={name.replace("_", "."): SecretValue(value) for name, value in data.items()},
    )


CHAIN, KEY = pair()
GOOD = [
    with_data(tls_crt=CHAIN, tls_key=KEY),
    with_data("Opaque", tls_crt=CHAIN, tls_key=KEY),
    with_data(tls_crt=CHAIN + self_signed("ca.example.com")[0], tls_key=KEY),
    secret(contents=self_signed(named=False)),
    secret(contents=self_signed(alternative=False)),
    secret(contents=self_signed(key=rsa.generate_private_key(65537, 2048))),
    secret(contents=self_signed(key=ec.generate_private_key(ec.SECP384R1()))),
]


@pytest.mark.parametrize("item", GOOD, ids=range(len(GOOD)))
def test_secrets_that_can_be_served(item: Secret) -> None:
    assert secret_problem(item) == ""


BAD = {
    "type": (with_data("kubernetes.io/dockercfg", tls_crt=CHAIN, tls_key=KEY), "its type is"),
    "nothing": (with_data(), "missing tls.crt and tls.key"),
    "no key": (with_data(tls_crt=CHAIN), "missing tls.key"),
    "an empty certificate": (with_data(tls_crt=b"", tls_key=KEY), "missing tls.crt"),
    "no PEM": (with_data(tls_crt=b"hello", tls_key=KEY), "tls.crt holds no PEM certificate chain"),
    "a key as certificate": (with_data(tls_crt=KEY, tls_key=KEY), "tls.crt holds no PEM certificate chain"),
    "a broken certificate": (with_data(tls_crt=CHAIN.replace(b"M", b"N"), tls_key=KEY), "tls.crt holds no PEM"),
    "a certificate as key": (with_data(tls_crt=CHAIN, tls_key=CHAIN), "exactly one private key"),
    "two keys": (with_data(tls_crt=CHAIN, tls_key=KEY * 2), "exactly one private key"),
    "a broken key": (with_data(tls_crt=CHAIN, tls_key=KEY.replace(b"M", b"N")), "tls.key holds no private key"),
    "another's key": (with_data(tls_crt=CHAIN, tls_key=self_signed()[1]), "do not belong together"),
    "nameless": (secret(contents=self_signed(named=False, alternative=False)), "neither a common name nor"),
    "a small key": (secret(contents=self_signed(key=rsa.generate_private_key(65537, 1024))), "2048 bits"),
    "a curve": (secret(contents=self_signed(key=ec.generate_private_key(ec.SECP256K1()))), "secp256k1"),
    "an algorithm": (secret(contents=self_signed(key=ed25519.Ed25519PrivateKey.generate())), "RSA and ECDSA"),
}


@pytest.mark.parametrize(("item", "told"), BAD.values(), ids=BAD.keys())
def test_secrets_that_cannot(item: Secret, told: str) -> None:
    assert told in secret_problem(item)
    status = status_of(secure(), item)
    assert errors(status) == [("TLSError", "SecretNotValid")]
    assert 'Secret "default/tls" is invalid' in status.errors[0].message
    certificate, _ = compile_certificate("default/tls", View(store_of(item), Settings()))
    assert certificate is None


def test_a_certificate_is_the_secrets_pem_and_its_key_prints_nowhere() -> None:
    certificate, reads = compile_certificate("default/tls", View(store_of(secret()), Settings()))
    assert certificate is not None
    assert (certificate.chain, certificate.key) == (CHAIN, KEY)
    assert "BEGIN PRIVATE" not in repr(certificate)
    assert reads == {secret().key}


def test_a_certificate_that_has_ended_is_told_and_served() -> None:
    item = secure()
    result = compiled(item, secret(contents=self_signed(days=1)))
    assert result.site is not None
    (warning,) = result.statuses[item.key].warnings
    assert warning.type == "TLSError"
    assert "ended on 2026-01-02" in warning.message


def test_a_root_that_fails_as_a_whole_compiles_no_routes() -> None:
    child = proxy("routes: [{services: [{name: app, port: 80}]}]", "child")
    item = secure("secretName: gone", spec="routes: [{}]\nincludes: [{name: child}]")
    result = compiled(item, child, service())
    assert errors(result.statuses[item.key]) == [("TLSError", "SecretNotValid")]
    assert child.key not in result.statuses


def test_a_chain_whose_last_certificate_is_cut_off_is_no_chain() -> None:
    chain, key = pair()
    whole = secret(contents=(chain + chain, key))
    cut = secret(contents=(chain + b"-----BEGIN CERTIFICATE-----\nMIIB", key))
    assert secret_problem(whole) == ""
    assert "cut off" in secret_problem(cut)
