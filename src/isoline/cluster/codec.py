"""Objects as bytes for our own files: written by the running version, read by the next, so no questions are asked."""

from functools import cache
from typing import Any

import msgspec

from isoline.objects import Key, Object
from isoline.objects.registry import BY_NAME
from isoline.objects.secrets import decode_hook, encode_hook

_ENCODER = msgspec.json.Encoder(enc_hook=encode_hook)


class StaleError(ValueError):
    """The bytes are of a kind or shape that this version does not know."""


def pack(value: msgspec.Struct) -> bytes:
    """An object, a status or any part of one as JSON. Secrets are written as they are: mind where it goes."""
    return _ENCODER.encode(value)


def unpack(kind: str, body: bytes) -> Object:
    """The object that `pack` wrote. Raises StaleError."""
    return _decode(_object_decoder(kind), body)  # type: ignore[no-any-return]


def unpack_status(kind: str, body: bytes) -> msgspec.Struct:
    """The status that `pack` wrote for an object of this kind. Raises StaleError."""
    return _decode(_status_decoder(kind), body)  # type: ignore[no-any-return]


def has_status(kind: str) -> bool:
    """Whether objects of this kind carry a status that we write."""
    return kind in BY_NAME and "status" in BY_NAME[kind].type.__struct_fields__


def key_of(text: str) -> Key | None:
    """The key that `text_of` wrote; None for the empty text."""
    kind, _, rest = text.partition(" ")
    namespace, _, name = rest.partition("/")
    return Key(kind, namespace, name) if kind else None


def text_of(key: Key | None) -> str:
    """A key as `Kind namespace/name`; a cluster-wide one has nothing before the slash. None is the empty text."""
    return f"{key.kind} {key.namespace}/{key.name}" if key is not None else ""


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise StaleError(str(error)) from error


@cache
def _object_decoder(kind: str) -> msgspec.json.Decoder[Any]:
    if kind not in BY_NAME:
        raise StaleError(f"unknown kind {kind}")
    return msgspec.json.Decoder(BY_NAME[kind].type, dec_hook=decode_hook)


@cache
def _status_decoder(kind: str) -> msgspec.json.Decoder[Any]:
    if not has_status(kind):
        raise StaleError(f"{kind} has no status")
    (status,) = (field for field in msgspec.structs.fields(BY_NAME[kind].type) if field.name == "status")
    return msgspec.json.Decoder(status.type, dec_hook=decode_hook)
