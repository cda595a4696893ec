"""Secrets with CA certificates → the bundle that a peer's certificate must lead to."""

import re
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from isoline.objects import Secret

BUNDLE = "ca.crt"
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?(?=-----BEGIN |\Z)", re.DOTALL)


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
