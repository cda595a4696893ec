"""Secrets that a policy names, in its own namespace."""

from isoline.objects import Key, Secret
from isoline.routing.traffic.place import Place


def secret_of(name: str, place: Place) -> Secret:
    """Return the Secret that the field at this place names. Raises Fault where there is none."""
    found = place.view.get(Key("Secret", place.namespace, name))
    if not isinstance(found, Secret):
        raise place.missing("SecretNotFound", f'Secret "{place.namespace}/{name}" not found')
    return found


def entry_of(name: str, key: str, place: Place) -> bytes:
    """Return one entry of a Secret, without a line break at its end. Raises Fault where there is none, or nothing."""
    found = bytes(secret_of(name, place).data.get(key, b"")).rstrip(b"\r\n")
    if not found:
        raise place.missing("SecretInvalid", f'Secret "{place.namespace}/{name}" has nothing under "{key}"')
    return found
