"""Objects as plain data for people to see: what is secret is replaced before it leaves the process."""

import base64
import hashlib
import os
from typing import Any

import msgspec

from isoline.console.wire import SECRET
from isoline.objects import Object
from isoline.objects.encoding import to_dict
from isoline.objects.secrets import SecretValue

_SALT = os.urandom(16)


def _redact(value: Any) -> str:
    if isinstance(value, SecretValue):
        return SECRET
    raise NotImplementedError(type(value))


def _redact_by_digest(value: Any) -> str:
    if isinstance(value, SecretValue):
        # With a salt that nobody knows, equal values are told from unequal ones and nothing else is.
        digest = hashlib.blake2b(bytes(value), key=_SALT, digest_size=6).digest()
        return f"{SECRET} {base64.b32encode(digest).decode().lower().rstrip('=')}"
    raise NotImplementedError(type(value))


_ENCODER = msgspec.json.Encoder(enc_hook=_redact, order="deterministic")
_DIGESTING_ENCODER = msgspec.json.Encoder(enc_hook=_redact_by_digest, order="deterministic")


def plain(item: Object, *, secrets: bool = False) -> dict[str, Any]:
    """An object as JSON has it. Secrets are in it only if asked for."""
    if secrets:
        return to_dict(item)
    result: dict[str, Any] = msgspec.json.decode(_ENCODER.encode(item))
    return result


def comparable(item: Object) -> dict[str, Any]:
    """What a person says of an object: no status, none of the bookkeeping; of secrets only whether they are equal."""
    result: dict[str, Any] = msgspec.json.decode(_DIGESTING_ENCODER.encode(item))
    result.pop("status", None)
    metadata = result.get("metadata", {})
    for field in ("uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences"):
        metadata.pop(field, None)
    return result
