"""Secret bytes, which no log line, traceback or console page shows."""

import base64
import binascii
from typing import Any

import msgspec

REDACTED = "<redacted>"


class SecretValue(bytes):
    """Bytes that print as `<redacted>`; base64 in JSON. Slices are secret too, so that shortened reprs leak nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, _specification: str) -> str:
        return REDACTED

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return type(self)(item) if isinstance(item, bytes) else item


class SecretText(SecretValue):
    """The same, written as plain text in JSON (`stringData`)."""

    __slots__ = ()


def decode_hook(wanted: type, value: Any) -> Any:
    """Return a secret from its JSON form. Raises ValueError for what is no base64, without quoting it."""
    if not issubclass(wanted, SecretValue):
        raise NotImplementedError(wanted)
    if not isinstance(value, str):
        raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")
    if wanted is SecretText:
        return SecretText(value.encode())
    try:
        return SecretValue(base64.b64decode("".join(value.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise msgspec.ValidationError("Invalid base64") from error


def encode_hook(value: Any) -> str:
    """Return the JSON form of a secret, the truth and not the redaction."""
    if isinstance(value, SecretText):
        return value.decode()
    if isinstance(value, SecretValue):
        return base64.b64encode(value).decode()
    raise NotImplementedError(type(value))
