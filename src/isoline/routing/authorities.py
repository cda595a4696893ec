"""Secrets with CA certificates and revocation lists → what a peer's certificate must lead to, and must not be in."""

import re
import ssl
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from isoline.objects import Secret

BUNDLE = "ca.crt"
REVOCATIONS = "crl.pem"
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?(?=-----BEGIN |\Z)", re.DOTALL)
_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?(?=-----BEGIN |\Z)", re.DOTALL)


class Authorities(NamedTuple):
    """The certificates of a bundle that can be read, PEM, and how many cannot. Envoy would refuse all for one."""

    pem: bytes
    broken: int


def authorities_of(secret: Secret | None) -> Authorities | str:
    """Return the CA certificates of a Secret, or why there are none."""
    if secret is None:
        return "Secret not found"
    bundle = secret.data.get(BUNDLE)
    if not bundle:
        return f"missing {BUNDLE}"
    found = _parsed(bytes(bundle))
    return found if found.pem else f"{BUNDLE} holds no PEM certificate"


@lru_cache(maxsize=256)
def _parsed(bundle: bytes) -> Authorities:
    readable: list[bytes] = []
    broken = 0
    for block in _BLOCK.findall(bundle):
        try:
            certificate = x509.load_pem_x509_certificate(block)
            certificate.public_key()
        except Exception:
            broken += 1
        else:
            readable.append(certificate.public_bytes(Encoding.PEM))
    return Authorities(b"".join(dict.fromkeys(readable)), broken)


@cache
def machine_authorities() -> bytes:
    """Return the CA certificates that this machine trusts, PEM, as OpenSSL finds them; empty where there are none."""
    paths = ssl.get_default_verify_paths()
    files = [Path(paths.cafile)] if paths.cafile else sorted(Path(paths.capath).glob("*.0")) if paths.capath else []
    return _parsed(b"\n".join(file.read_bytes() for file in files)).pem


class Revocations(NamedTuple):
    """Revocation lists, PEM."""

    pem: bytes


def revocations_of(secret: Secret | None) -> Revocations | str:
    """Return the revocation lists of a Secret, or why there are none.

    One that cannot be read is a reason: whoever is on it would be let in.
    """
    if secret is None:
        return "Secret not found"
    lists = secret.data.get(REVOCATIONS)
    return _parsed_lists(bytes(lists)) if lists else f"missing {REVOCATIONS}"


@lru_cache(maxsize=256)
def _parsed_lists(text: bytes) -> Revocations | str:
    found: list[bytes] = []
    for position, block in enumerate(_LIST.findall(text)):
        try:
            revocations = x509.load_pem_x509_crl(block)
            # Read lazily: a list with a broken entry is found out here.
            len(list(revocations))
            found.append(revocations.public_bytes(Encoding.PEM))
        except Exception as error:
            return f"list {position + 1} of {REVOCATIONS} cannot be read ({type(error).__name__})"
    return Revocations(b"".join(dict.fromkeys(found))) if found else f"{REVOCATIONS} holds no PEM revocation list"
