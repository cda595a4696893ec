"""Secrets → `ir.Certificate`: what can be served and what cannot, with the reason."""

import datetime as dt
import hashlib
from collections import OrderedDict
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from isoline.objects import Key, Secret
from isoline.routing import ir
from isoline.routing.view import Read, View

CHAIN = "tls.crt"
KEY = "tls.key"
_TYPES = {"kubernetes.io/tls", "Opaque", ""}
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_SMALLEST_RSA = 2048
_REMEMBERED = 32768


class _Judgement(NamedTuple):
    problem: str
    ends: float
    """Seconds since the epoch; 0 where there is a problem."""


# Parsing costs a hundred times what hashing does, and one Secret often serves many sites. No key is kept here.
_judged: OrderedDict[bytes, _Judgement] = OrderedDict()


def compile_certificate(name: str, view: View) -> tuple[ir.Certificate | None, frozenset[Read]]:
    """Return the certificate of the Secret `<namespace>/<secret>`, None if it cannot be served; and what was read."""
    secret = find_secret(name, view)
    certificate = None
    if secret is not None and not secret_problem(secret):
        certificate = ir.Certificate(
            name=name,
            chain=bytes(secret.data[CHAIN]),
            key=ir.PrivateBytes(bytes(secret.data[KEY])),
            ends=_judgement(secret).ends,
        )
    return certificate, frozenset(view.reads)


def find_secret(name: str, view: View) -> Secret | None:
    """Return the Secret `<namespace>/<secret>`, or None."""
    namespace, _, secret = name.partition("/")
    found = view.get(Key("Secret", namespace, secret))
    return found if isinstance(found, Secret) else None


def secret_problem(secret: Secret) -> str:
    """Return why a Secret cannot serve as a certificate; empty if it can. Says nothing of its contents."""
    if secret.type not in _TYPES:
        return f"its type is {secret.type!r}, not kubernetes.io/tls"
    missing = [name for name in (CHAIN, KEY) if not secret.data.get(name)]
    if missing:
        return f"missing {' and '.join(missing)}"
    return _judgement(secret).problem


def end_of(secret: Secret) -> dt.datetime:
    """Return when the certificate of a Secret without a problem ends, in UTC."""
    return dt.datetime.fromtimestamp(_judgement(secret).ends, dt.UTC)


def _judgement(secret: Secret) -> _Judgement:
    chain, key = bytes(secret.data[CHAIN]), bytes(secret.data[KEY])
    digest = hashlib.blake2b(len(chain).to_bytes(8, "big") + chain + key, digest_size=16).digest()
    judgement = _judged.get(digest)
    if judgement is None:
        problem = _pair_problem(chain, key)
        judgement = _judged[digest] = _Judgement(problem, 0.0 if problem else _end(chain))
        if len(_judged) > _REMEMBERED:
            _judged.popitem(last=False)
    return judgement


def _end(chain: bytes) -> float:
    return x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc.timestamp()


def _pair_problem(chain: bytes, key: bytes) -> str:
    try:
        found = x509.load_pem_x509_certificates(chain)
        leaf = found[0]
        public = leaf.public_key()
    except Exception as error:
        return f"{CHAIN} holds no PEM certificate chain ({type(error).__name__})"
    # The parser passes over a block that is cut off, which Envoy refuses.
    if chain.count(b"-----BEGIN CERTIFICATE-----") > len(found):
        return f"{CHAIN} holds a certificate that is cut off"
    if key.count(b"PRIVATE KEY-----") != 2:
        return f"{KEY} must hold exactly one private key"
    try:
        private = load_pem_private_key(key, password=None, unsafe_skip_rsa_key_validation=True)
    except Exception as error:
        return f"{KEY} holds no private key in PEM without a password ({type(error).__name__})"
    as_bytes = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*as_bytes) != public.public_bytes(*as_bytes):
        return f"{CHAIN} and {KEY} do not belong together"
    return _name_problem(leaf) or _algorithm_problem(public)


def _name_problem(leaf: x509.Certificate) -> str:
    if any(name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)):
        return ""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        names = None
    return "" if names else "the certificate has neither a common name nor a subject alternative name"


def _algorithm_problem(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        small = public.key_size < _SMALLEST_RSA
        return f"an RSA key needs at least {_SMALLEST_RSA} bits, found {public.key_size}" if small else ""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "" if public.curve.name in _CURVES else f"the gateway does not serve the curve {public.curve.name}"
    return "the gateway serves RSA and ECDSA certificates only"
