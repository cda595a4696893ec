"""What Contour says of Secrets that cannot be used, word for word; ours say more, and judge more."""

import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from isoline.objects import Secret
from isoline.routing.authorities import BUNDLE, REVOCATIONS
from isoline.routing.certificates import CHAIN, KEY

_TYPES: Final = {"kubernetes.io/tls", "Opaque", ""}
_BLOCK: Final = re.compile(rb"-----BEGIN ([^\n-]*)-----.*?-----END \1-----", re.DOTALL)
_BEGIN: Final = b"-----BEGIN"
_KEYS: Final = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
_NOT_FOUND: Final = "Secret not found"
_WRONG_TYPE: Final = 'secret type is not "kubernetes.io/tls" or "Opaque"'


def about_certificate(secret: Secret | None) -> str:
    """Return why a Secret cannot serve as a certificate; empty where Contour sees nothing wrong."""
    if secret is None:
        return _NOT_FOUND
    if secret.type not in _TYPES:
        return _WRONG_TYPE
    chain, key = secret.data.get(CHAIN), secret.data.get(KEY)
    if chain is None:
        return "missing TLS certificate"
    if fault := _about_chain(bytes(chain)):
        return f"invalid TLS certificate: {fault}"
    if key is None:
        return "missing TLS private key"
    fault = _about_key(bytes(key))
    return f"invalid TLS private key: {fault}" if fault else ""


def about_authorities(secret: Secret | None) -> str:
    """Return why a Secret cannot serve as a CA bundle; empty where Contour sees nothing wrong."""
    bundle, fault = _content(secret, BUNDLE)
    if fault:
        return fault
    types = _types(bundle)
    wrong = [each for each in types if each != "CERTIFICATE"]
    if wrong:
        return f"invalid CA certificate bundle: {_unexpected(wrong[0])}"
    return "" if types else "invalid CA certificate bundle: failed to locate certificate"


def about_revocations(secret: Secret | None) -> str:
    """Return why a Secret cannot serve as revocation lists; empty where Contour sees nothing wrong."""
    lists, fault = _content(secret, REVOCATIONS)
    if fault:
        return fault
    types = _types(lists)
    if "" in types and "X509 CRL" not in types:
        return "failed to parse PEM block"
    return "" if "X509 CRL" in types else "failed to locate CRL"


def _content(secret: Secret | None, key: str) -> tuple[bytes, str]:
    if secret is None:
        return b"", _NOT_FOUND
    if secret.type not in _TYPES:
        return b"", _WRONG_TYPE
    content = secret.data.get(key)
    return (bytes(content), "") if content else (b"", f'empty "{key}" key')


def _about_chain(chain: bytes) -> str:
    types = _types(chain)
    if not types:
        return "failed to locate certificate"
    if types[0] != "CERTIFICATE":
        return _unexpected(types[0])
    try:
        first = x509.load_pem_x509_certificate(chain)
        named = any(str(each.value).strip() for each in first.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    except ValueError:
        return ""
    if not named and not _alternative_names(first):
        return "certificate has no common name or subject alt name"
    wrong = [each for each in types if each != "CERTIFICATE"]
    return _unexpected(wrong[0]) if wrong else ""


def _alternative_names(certificate: x509.Certificate) -> bool:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return bool(names.get_values_for_type(x509.DNSName) or names.get_values_for_type(x509.IPAddress))


def _about_key(key: bytes) -> str:
    types = [each for each in _types(key) if each != "EC PARAMETERS"]
    wrong = [each for each in types if each not in _KEYS]
    if wrong:
        return _unexpected(wrong[0])
    if not types:
        return "failed to locate private key"
    return "multiple private keys" if len(types) > 1 else ""


def _unexpected(kind: str) -> str:
    return f"unexpected block type '{kind}'" if kind else "failed to parse PEM block"


def _types(text: bytes) -> list[str]:
    """The types of the PEM blocks, in order; the last is empty when what follows is broken."""
    found = list(_BLOCK.finditer(text))
    types = [each[1].decode(errors="replace") for each in found]
    rest = text[found[-1].end() :] if found else text
    return [*types, ""] if _BEGIN in rest else types
