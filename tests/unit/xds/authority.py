"""A CA for tests: what it issues, and what it takes back."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_START = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
_END = _START + dt.timedelta(days=30)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Issues certificates for clients."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._build(name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._name = _name(name)
        self.pem = self._certificate.issuer_name(self._name).sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issue(self, file: Path, name: str, *, uri: str = "spiffe://clients/one") -> int:
        """Writes a client's certificate and key. Returns its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), x509.UniformResourceIdentifier(uri)]
        certificate = (
            self._build(name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .issuer_name(self._name)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return certificate.serial_number

    def revoke(self, *numbers: int) -> bytes:
        """The list of what is taken back, PEM."""
        builder = x509.CertificateRevocationListBuilder(self._name, _START, _END)
        for number in numbers:
            entry = x509.RevokedCertificateBuilder(number, _START).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    @staticmethod
    def _build(name: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_START)
            .not_valid_after(_END)
        )
