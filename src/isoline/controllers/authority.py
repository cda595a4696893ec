"""The local certificate authority: one for each state folder, made once, trusted by who runs `isoline trust`."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isoline.cluster.state import write_private

AUTHORITY_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=90)
RENEW_AFTER = LIFETIME * 2 / 3
AUTHORITY_RENEWAL = timedelta(days=180)
"""An authority that ends before this is made anew."""
SKEW = timedelta(hours=1)
"""Certificates begin so much earlier, for clients whose clock is behind."""
LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its private key, PEM, and when it should be replaced."""

    certificate: bytes
    key: bytes
    renew_at: datetime


class LocalAuthority:
    """Issues certificates for host names. Its methods may be called from any thread."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    def save(self, certificate: Path, key: Path) -> None:
        """Keep it in these two files, the key for its owner only."""
        # The key first: a certificate without its key would be taken for an authority that can issue.
        write_private(key, _pem(self._key))
        write_private(certificate, self._certificate.public_bytes(Encoding.PEM))
        # The certificate is for everybody who is to trust it; the folder around it still is the owner's.
        certificate.chmod(0o644)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, in hexadecimal digits."""
        return self._certificate.fingerprint(hashes.SHA256()).hex()

    def issue(self, hosts: Sequence[str], *, now: datetime) -> Issued:
        """Return a certificate for these host names, wildcards among them: ECDSA P-256, 90 days.

        Raises ValueError for no host, or one that cannot be in a certificate.
        """
        if not hosts:
            raise ValueError("a certificate needs at least one host name")
        key = ec.generate_private_key(ec.SECP256R1())
        common_name = hosts[0] if len(hosts[0]) <= LONGEST_COMMON_NAME else "Isoline"
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Issued(certificate=certificate.public_bytes(Encoding.PEM), key=_pem(key), renew_at=now + RENEW_AFTER)


def open_authority(certificate: Path, key: Path, *, now: datetime) -> tuple[LocalAuthority, bool]:
    """Return the authority kept in these two files, and whether it had to be made.

    It is made where there is none, where the files cannot be used, and where it is about to end.
    """
    kept = _load(certificate, key, now)
    if kept is not None:
        return kept, False
    made = _make(now)
    made.save(certificate, key)
    return made, True


def _load(certificate: Path, key: Path, now: datetime) -> LocalAuthority | None:
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        key.chmod(0o600)
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    usable = (
        isinstance(private, ec.EllipticCurvePrivateKey)
        and private.public_key() == parsed.public_key()
        and parsed.not_valid_after_utc > now + AUTHORITY_RENEWAL
    )
    if not usable:
        return None
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return LocalAuthority(parsed, private)


def _make(now: datetime) -> LocalAuthority:
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own for each, or a browser that trusts two cannot tell which one signed.
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Isoline local CA {serial % 16**8:08x}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - SKEW)
        .not_valid_after(now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_constraints(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return LocalAuthority(certificate, key)


def _constraints() -> x509.NameConstraints:
    """Host names only, no addresses. Which hosts there will be nobody knows yet, so none can be left out."""
    everything: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
        x509.IPAddress(ipaddress.ip_network("::/0")),
    ]
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=everything)


def key_usage(*, signs: bool) -> x509.KeyUsage:
    """Return what the key of a certificate is for: to sign certificates, or to prove who one is."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def utc(seconds: float) -> datetime:
    """Return the moment of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
