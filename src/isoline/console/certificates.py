"""Certificates in words: whom they name, who issued them, until when they hold."""

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from isoline.objects import Secret


class CertificateFacts(NamedTuple):
    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime

    def validity(self, now: datetime) -> str:
        """When it ends, and what that means today."""
        days = (self.not_after - now).days
        if now >= self.not_after:
            return f"{self.not_after:%Y-%m-%d %H:%M} UTC, expired"
        if now < self.not_before:
            return f"from {self.not_before:%Y-%m-%d %H:%M} UTC on, not valid yet"
        return f"{self.not_after:%Y-%m-%d %H:%M} UTC, {days} days left"


def facts_of(chain: bytes) -> CertificateFacts | None:
    """What the first certificate of a PEM chain says; None when there is none to be read."""
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
        subject = _common_name(leaf.subject)
        names = _alternative_names(leaf) or ((subject,) if subject else ())
        issuer = _common_name(leaf.issuer) or leaf.issuer.rfc4514_string()
    except ValueError:
        return None
    return CertificateFacts(names, issuer, leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def certificate_of(secret: Secret) -> CertificateFacts | None:
    """What the certificate in a Secret says; None when there is none in it."""
    chain = secret.data.get("tls.crt")
    return facts_of(bytes(chain)) if chain else None


def now() -> datetime:
    return datetime.now(UTC)


def _common_name(name: x509.Name) -> str:
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""


def _alternative_names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return ()
    value = extension.value
    assert isinstance(value, x509.SubjectAlternativeName)
    return tuple(value.get_values_for_type(x509.DNSName))
