"""The certificates of the stream between control plane and Envoys: one CA, one certificate a side, renewed in time.

Each of the three is kept under a name, as a Secret or a folder has it. Nobody has to restart for a renewal: both sides
read their files again. A new CA is trusted by both, beside the old one, before anything is issued by it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from isoline.controllers.authority import key_usage
from isoline.envoy.remote import SERVER_NAMES

AUTHORITY: Final = "isoline-xds-ca"
CONTROL_PLANE: Final = "isoline-xds-control-plane"
ENVOY: Final = "isoline-xds-envoy"

CHAIN, KEY, TRUSTED = "tls.crt", "tls.key", "ca.crt"
"""What each holds; the CA has no `ca.crt`."""

AUTHORITY_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=90)
KNOWN_AFTER = timedelta(days=1)
"""After so long everybody has read of a new CA: files of Secrets follow within minutes."""
SKEW = timedelta(hours=1)

Contents = Mapping[str, bytes]


class Keeper(Protocol):
    """Where the three are kept."""

    async def read(self, name: str) -> Contents | None:
        """What is kept under a name; None for nothing."""
        ...

    async def write(self, name: str, contents: Contents) -> None:
        """Keep this under a name, in place of what was."""
        ...


async def renew(keeper: Keeper, *, namespace: str, now: datetime, anew: bool = False) -> list[str]:
    """Make what is missing or due for renewal, all with `anew`. Returns the names of what was written."""
    names = (AUTHORITY, CONTROL_PLANE, ENVOY)
    kept = {name: None if anew else await keeper.read(name) for name in names}
    due = renewals(kept, namespace=namespace, now=now)
    # The CA first: what is lost half-way is then found missing by the next look, and not of a CA that nobody has.
    for name in names:
        if name in due:
            await keeper.write(name, due[name])
    return [name for name in names if name in due]


def renewals(kept: Mapping[str, Contents | None], *, namespace: str, now: datetime) -> dict[str, Contents]:
    """Return what has to be written, by name: what is missing, unusable, or past two thirds of its life. Pure but for
    the keys that are made."""
    written: dict[str, Contents] = {}
    authority = _usable(kept.get(AUTHORITY))
    if authority is None or _is_due(_first(authority), now):
        old = authority[CHAIN] if authority is not None else b""
        # Whoever has a certificate of the old one is believed until that ends.
        authority = written[AUTHORITY] = _new_authority(now, trusted_before=_leaf(old))
    trusted = authority[CHAIN]
    for name, hosts, usage in (
        (CONTROL_PLANE, server_names(namespace), ExtendedKeyUsageOID.SERVER_AUTH),
        (ENVOY, ("envoy",), ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        side = _usable(kept.get(name))
        if (
            side is None
            or _was_issued_by_another(side, trusted)
            or (_is_due(_first(side), now) and _is_known(authority, now))
        ):
            written[name] = _issue(authority, hosts, usage, now)
        elif side.get(TRUSTED) != trusted:
            written[name] = {**side, TRUSTED: trusted}
    return written


def server_names(namespace: str) -> tuple[str, ...]:
    """Return the names by which Envoys find the control plane; they look for the first."""
    service = f"isoline.{namespace}"
    return (SERVER_NAMES[0], service, f"{service}.svc", f"{service}.svc.cluster.local")


def _usable(contents: Contents | None) -> Contents | None:
    if contents is None:
        return None
    try:
        key = load_pem_private_key(contents[KEY], None)
        certificate = _first(contents)
    except (KeyError, ValueError, TypeError):
        return None
    return contents if key.public_key() == certificate.public_key() else None


def _first(contents: Contents) -> x509.Certificate:
    return x509.load_pem_x509_certificate(contents[CHAIN])


def _leaf(chain: bytes) -> bytes:
    """The newest of a CA's certificates: one that was followed by a successor is needed by nobody any more."""
    return x509.load_pem_x509_certificate(chain).public_bytes(Encoding.PEM) if chain else b""


def _is_due(certificate: x509.Certificate, now: datetime) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begin + (end - begin) * 2 / 3


def _is_known(authority: Contents, now: datetime) -> bool:
    return now - _first(authority).not_valid_before_utc - SKEW >= KNOWN_AFTER


def _was_issued_by_another(side: Contents, trusted: bytes) -> bool:
    issuer = _first(side).issuer
    return all(issuer != each.subject for each in x509.load_pem_x509_certificates(trusted))


def _new_authority(now: datetime, *, trusted_before: bytes) -> Contents:
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own for each, or nobody can tell which of two has signed.
    serial = x509.random_serial_number()
    name = _name(f"Isoline xDS CA {serial % 16**8:08x}")
    builder = _builder(name, name, key, serial, now, AUTHORITY_LIFETIME)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {CHAIN: certificate.public_bytes(Encoding.PEM) + trusted_before, KEY: _pem(key)}


def _issue(authority: Contents, hosts: Sequence[str], usage: ObjectIdentifier, now: datetime) -> Contents:
    issuer = _first(authority)
    signer = load_pem_private_key(authority[KEY], None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(hosts[0]), issuer.subject, key, x509.random_serial_number(), now, LIFETIME)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = (
        builder.add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(signer, hashes.SHA256())
    )
    return {CHAIN: certificate.public_bytes(Encoding.PEM), KEY: _pem(key), TRUSTED: authority[CHAIN]}


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    serial: int,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - SKEW)
        .not_valid_after(now + lifetime)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
