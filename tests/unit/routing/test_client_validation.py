"""tls.clientValidation: whom clients must prove to be, and what is said when that cannot be told."""

import datetime as dt

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from isoline.objects import HTTPProxy, Object, ObjectMeta, Secret, SecretValue
from isoline.routing import ir
from unit.routing.support import HOST, compiled, errors, objects, pair, proxy, secret, self_signed, site, status_of

CA, OTHER = pair()[0], self_signed("other")[0]
REQUIRED = "caSecret: ca"


def revocations(*numbers: int) -> bytes:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    builder = x509.CertificateRevocationListBuilder(issuer, start, start + dt.timedelta(days=3650))
    for number in numbers:
        entry = x509.RevokedCertificateBuilder(number, start).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)


LISTS = revocations(7, 8)


def opaque(name: str, namespace: str = "default", **data: bytes) -> Secret:
    values = {field.replace("_", "."): SecretValue(value) for field, value in data.items()}
    return Secret(metadata=ObjectMeta(name=name, namespace=namespace), type="Opaque", data=values)


def guarded(validation: str, tls: str = "secretName: tls", host: str = HOST, routes: str = "") -> HTTPProxy:
    routes = routes or "routes: [{directResponsePolicy: {statusCode: 200}}]"
    return proxy(f"virtualhost: {{fqdn: '{host}', tls: {{{tls}, clientValidation: {{{validation}}}}}}}\n{routes}")


def lend(name: str) -> Object:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {{name: lend, namespace: certs}}
        spec: {{delegations: [{{secretName: {name}, targetNamespaces: ['*']}}]}}
        """
    )
    return item


def clients(item: HTTPProxy, *others: Object) -> ir.ClientCertificates:
    """What is compiled, but for the name."""
    served = site(item, secret(), opaque("ca", ca_crt=CA), opaque("lists", crl_pem=LISTS), *others)
    assert served.tls is not None
    assert served.tls.clients is not None
    assert served.own_chain
    return msgspec.structs.replace(served.tls.clients, name="")


@pytest.mark.parametrize(
    ("validation", "wanted"),
    [
        (REQUIRED, ir.ClientCertificates(authorities=CA)),
        (f"{REQUIRED}, optionalClientCertificate: true", ir.ClientCertificates(authorities=CA, optional=True)),
        (f"{REQUIRED}, skipClientCertValidation: true", ir.ClientCertificates(authorities=CA, verify=False)),
        ("skipClientCertValidation: true", ir.ClientCertificates(verify=False)),
        (f"{REQUIRED}, crlSecret: lists", ir.ClientCertificates(authorities=CA, revocations=LISTS)),
        (
            f"{REQUIRED}, crlSecret: lists, crlOnlyVerifyLeafCert: true",
            ir.ClientCertificates(authorities=CA, revocations=LISTS, only_leaf_revocation=True),
        ),
        (f"{REQUIRED}, crlOnlyVerifyLeafCert: true", ir.ClientCertificates(authorities=CA)),
        (
            f"{REQUIRED}, forwardClientCertificate: {{}}",
            ir.ClientCertificates(authorities=CA, forward=ir.ForwardedCertificate()),
        ),
        (
            f"{REQUIRED}, forwardClientCertificate: {{subject: true, cert: true, chain: true, dns: true, uri: true}}",
            ir.ClientCertificates(
                authorities=CA,
                forward=ir.ForwardedCertificate(subject=True, certificate=True, chain=True, dns=True, uri=True),
            ),
        ),
    ],
)
def test_fields(validation: str, wanted: ir.ClientCertificates) -> None:
    assert clients(guarded(validation)) == wanted


def test_another_namespaces_secrets_by_delegation() -> None:
    item = guarded("caSecret: certs/ca2, crlSecret: certs/lists2")
    lent = (opaque("ca2", "certs", ca_crt=OTHER), opaque("lists2", "certs", crl_pem=LISTS), lend("ca2"))
    (second,) = objects(
        """
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {name: second, namespace: certs}
        spec: {delegations: [{secretName: lists2, targetNamespaces: [default]}]}
        """
    )
    assert clients(item, *lent, second) == ir.ClientCertificates(authorities=OTHER, revocations=LISTS)


@pytest.mark.parametrize(
    ("validation", "name"),
    [
        (REQUIRED, "default/ca -"),
        (f"{REQUIRED}, crlSecret: lists", "default/ca default/lists"),
        ("skipClientCertValidation: true", "- -"),
        ("skipClientCertValidation: true, crlSecret: lists", "- -"),
        ("caSecret: certs/ca2", "certs/ca2 -"),
    ],
)
def test_whoever_names_the_same_secrets_checks_with_the_same(validation: str, name: str) -> None:
    others = (secret(), opaque("ca", ca_crt=CA), opaque("lists", crl_pem=LISTS))
    lent = (opaque("ca2", "certs", ca_crt=OTHER), lend("ca2"))
    served = compiled(guarded(validation), *others, *lent).site
    assert served is not None
    assert served.tls is not None
    assert served.tls.clients is not None
    assert served.tls.clients.name == name


@pytest.mark.parametrize(
    ("validation", "reason", "told"),
    [
        ("{}", "ClientValidationInvalid", "CA Secret must be specified"),
        ("{caSecret: gone}", "ClientValidationInvalid", 'invalid CA Secret "default/gone": Secret not found'),
        ("{caSecret: lists}", "ClientValidationInvalid", "missing ca.crt"),
        ("{caSecret: bad}", "ClientValidationInvalid", "no PEM certificate"),
        ("{caSecret: certs/ca}", "DelegationNotPermitted", "not permitted"),
        ("{caSecret: ca, crlSecret: gone}", "ClientValidationInvalid", 'invalid CRL Secret "default/gone"'),
        ("{caSecret: ca, crlSecret: ca}", "ClientValidationInvalid", "missing crl.pem"),
        ("{caSecret: ca, crlSecret: bad}", "ClientValidationInvalid", "no PEM revocation list"),
        ("{caSecret: ca, crlSecret: broken}", "ClientValidationInvalid", "list 2 of crl.pem cannot be read"),
        ("{caSecret: ca, crlSecret: certs/lists}", "DelegationNotPermitted", "not permitted"),
    ],
)
def test_what_cannot_be_told_closes_the_host(validation: str, reason: str, told: str) -> None:
    item = guarded(validation.strip("{}") or "caSecret: ''")
    others = (
        opaque("ca", ca_crt=CA),
        opaque("lists", crl_pem=LISTS),
        opaque("bad", ca_crt=b"hello", crl_pem=b"hello"),
        opaque("broken", crl_pem=LISTS + LISTS.replace(b"M", b"N", 1)),
    )
    result = compiled(item, secret(), *others)
    assert result.site is None
    (error,) = result.statuses[item.key].errors
    assert (error.type, error.reason) == ("TLSError", reason)
    assert told in error.message


def test_both_secrets_are_looked_at_and_the_routes_too() -> None:
    item = guarded("caSecret: gone, crlSecret: gone", routes="routes: [{}]\nincludes: [{name: child}]")
    child = proxy("routes: [{directResponsePolicy: {statusCode: 200}}]", "child")
    result = compiled(item, child, secret())
    assert result.site is None
    assert errors(result.statuses[item.key]) == [
        ("TLSError", "ClientValidationInvalid"),
        ("TLSError", "ClientValidationInvalid"),
        ("RouteError", "RouteActionCountNotValid"),
    ]
    assert child.key in result.statuses


def test_a_broken_block_is_told_and_the_others_count() -> None:
    bundle = CA + CA.replace(b"M", b"N", 1) + OTHER
    item = guarded("caSecret: ca")
    result = compiled(item, secret(), opaque("ca", ca_crt=bundle))
    assert result.site is not None
    assert result.site.tls is not None
    assert result.site.tls.clients == ir.ClientCertificates(name="default/ca -", authorities=CA + OTHER)
    (warning,) = result.statuses[item.key].warnings
    assert "1 certificates of ca.crt" in warning.message


def test_lists_without_a_ca_are_no_use() -> None:
    item = guarded("skipClientCertValidation: true, crlSecret: lists")
    result = compiled(item, secret(), opaque("lists", crl_pem=LISTS))
    assert result.site is not None
    assert result.site.tls is not None
    assert result.site.tls.clients == ir.ClientCertificates(name="- -", verify=False)
    assert [warning.type for warning in result.statuses[item.key].warnings] == ["TLSError"]


def test_exact_hosts_beside_a_guarded_wildcard_ask_nobody() -> None:
    wild = proxy(
        "virtualhost: {fqdn: '*.example.com', tls: {secretName: tls, clientValidation: {caSecret: ca}}}\n"
        "routes: [{directResponsePolicy: {statusCode: 200}}]",
        "wild",
    )
    plain = proxy(
        f"virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}\n"
        "routes: [{directResponsePolicy: {statusCode: 200}}]"
    )
    served = site(plain, wild, secret(), opaque("ca", ca_crt=CA))
    assert served.own_chain
    assert served.tls == ir.Tls(certificate="default/tls")


@pytest.mark.parametrize(
    "tls", ["passthrough: true", "secretName: tls, enableFallbackCertificate: true"], ids=["passthrough", "fallback"]
)
def test_what_it_cannot_be_combined_with(tls: str) -> None:
    status = status_of(guarded("caSecret: ca", tls), secret(), opaque("ca", ca_crt=CA))
    assert errors(status) == [("TLSError", "TLSIncompatibleFeatures")]
