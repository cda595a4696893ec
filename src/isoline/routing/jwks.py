"""JSON Web Key Sets (RFC 7517): the keys that can verify a token, and nothing else of what was written.

Each key is read as strictly as the data plane does, or more so: a set without one key that it takes would be refused.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_RSA_EXPONENTS = {3, 65537}
_RSA_BITS = range(1024, 8193)
_RSA_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
_HMAC_ALGORITHMS = {"HS256", "HS384", "HS512"}
_CURVES: dict[str, tuple[ec.EllipticCurve, str]] = {
    "P-256": (ec.SECP256R1(), "ES256"),
    "P-384": (ec.SECP384R1(), "ES384"),
    "P-521": (ec.SECP521R1(), "ES512"),
}


class Keys(NamedTuple):
    """The usable keys as a key set in JSON, without anything private but shared secrets; and how many are not."""

    jwks: bytes
    unusable: int


@lru_cache(maxsize=256)
def parse_jwks(text: bytes) -> Keys | str:
    """Return the keys of a set, or why there are none. Says nothing of its contents."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON"
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        return 'it has no list "keys"'
    usable = [key for each in keys if (key := _usable(each)) is not None]
    if not usable:
        return "none of its keys can verify a token"
    return Keys(json.dumps({"keys": usable}, separators=(",", ":")).encode(), len(keys) - len(usable))


def _usable(key: object) -> dict[str, str] | None:
    if not isinstance(key, dict) or key.get("use", "sig") != "sig":
        return None
    read = _KINDS.get(str(key.get("kty")))
    algorithm, identity = key.get("alg"), key.get("kid")
    if read is None or not (algorithm is None or isinstance(algorithm, str)):
        return None
    if not (identity is None or isinstance(identity, str)):
        return None
    try:
        members = read(key, algorithm)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
    if members is None:
        return None
    named = (
        {"kty": str(key["kty"])} | ({"alg": algorithm} if algorithm else {}) | ({"kid": identity} if identity else {})
    )
    return named | members


def _rsa(key: Mapping[str, Any], algorithm: str | None) -> dict[str, str] | None:
    if algorithm is not None and algorithm not in _RSA_ALGORITHMS:
        return None
    modulus, exponent = _number(key.get("n", "")), _number(key.get("e", ""))
    if exponent not in _RSA_EXPONENTS or modulus.bit_length() not in _RSA_BITS:
        return None
    rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return {"n": _encoded(_bytes(modulus)), "e": _encoded(_bytes(exponent))}


def _ec(key: Mapping[str, Any], algorithm: str | None) -> dict[str, str] | None:
    curve, wanted = _CURVES.get(str(key.get("crv")), (None, ""))
    if curve is None or algorithm not in {None, wanted}:
        return None
    x, y = _number(key.get("x", "")), _number(key.get("y", ""))
    ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    size = (curve.key_size + 7) // 8
    return {
        "crv": str(key["crv"]),
        "x": _encoded(x.to_bytes(size, "big")),
        "y": _encoded(y.to_bytes(size, "big")),
    }


def _octets(key: Mapping[str, Any], algorithm: str | None) -> dict[str, str] | None:
    secret = _decoded(key.get("k", ""))
    if not secret or (algorithm is not None and algorithm not in _HMAC_ALGORITHMS):
        return None
    return {"k": _encoded(secret)}


def _edwards(key: Mapping[str, Any], algorithm: str | None) -> dict[str, str] | None:
    if key.get("crv") != "Ed25519" or algorithm not in {None, "EdDSA"}:
        return None
    x = _decoded(key.get("x", ""))
    ed25519.Ed25519PublicKey.from_public_bytes(x)
    return {"crv": "Ed25519", "x": _encoded(x)}


_KINDS: dict[str, Callable[[Mapping[str, Any], str | None], dict[str, str] | None]] = {
    "RSA": _rsa,
    "EC": _ec,
    "oct": _octets,
    "OKP": _edwards,
}


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _number(text: object) -> int:
    return int.from_bytes(_decoded(text), "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
