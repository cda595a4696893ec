"""What the corpus's Secrets hold: made anew for each run, so that nothing of it ends while nobody looks."""

import datetime as dt
import functools
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NOW: Final = dt.datetime.now(dt.UTC)
_DAY: Final = dt.timedelta(days=1)
_LONG_AGO: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""When what has ended did: a date that warnings name."""


def made(wanted: str) -> bytes:
    """Return what a placeholder stands for, PEM.

    `certificate:HOST` and `key:HOST` belong together; `client:NAME` is a certificate of the CA, with `client-key:NAME`;
    `ca` is that CA; `crl` is its list of revoked certificates; `nameless` is a certificate without a name, `expired`
    one that has ended; `text:…` is what it says.
    """
    what, _, rest = wanted.partition(":")
    match what:
        case "certificate" | "nameless" | "expired" | "client":
            return _pem(_certificate(what, rest))
        case "key" | "client-key":
            return _key_pem(_key(rest))
        case "ca":
            return _pem(_authority())
        case "crl":
            return _crl()
        case "text":
            return rest.encode()
    raise ValueError(f"the corpus asks for @{wanted}, which nobody makes")


@functools.cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def _authority() -> x509.Certificate:
    name = _name("parity CA")
    key = _key("@ca")
    return (
        _builder(name, name, key, _NOW + 365 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


@functools.cache
def _certificate(what: str, host: str) -> x509.Certificate:
    key = _key(host)
    end = _LONG_AGO if what == "expired" else _NOW + 365 * _DAY
    subject = x509.Name([]) if what == "nameless" else _name(host)
    builder = _builder(subject, _authority().subject, key, end)
    if what != "nameless":
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(_key("@ca"), hashes.SHA256())


@functools.cache
def _crl() -> bytes:
    builder = x509.CertificateRevocationListBuilder(_authority().subject, _NOW - _DAY, _NOW + 365 * _DAY)
    return builder.sign(_key("@ca"), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, end: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_LONG_AGO - _DAY)
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
