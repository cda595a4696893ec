"""The base of every typed manifest part: frozen, compact, with the JSON names that Kubernetes uses."""

from typing import Any

import msgspec

# Words that the Kubernetes and Contour APIs write in capitals in the middle of a field's name.
_CAPITALISED = {
    word.lower(): word
    for word in ("IP", "IPs", "IPC", "PID", "ID", "IDs", "JWT", "JWKS", "FQDN", "URL", "URLs", "KiB", "CIDR", "CIDRs")
}


def json_name(attribute: str) -> str:
    """Return the JSON field name of a Python attribute: `cluster_ip` is `clusterIP`, `from_` is `from`."""
    first, *others = attribute.rstrip("_").split("_")
    return first + "".join(_CAPITALISED.get(word, word.capitalize()) for word in others)


# gc=False: manifests are trees, so the cycle collector has nothing to find in them and need not walk 10 000 of them.
class Model(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, rename=json_name):
    """A part of a manifest. Sequences are tuples, absent sub-objects are None, and defaults are not encoded."""


def constant(value: str) -> Any:
    """Return a field that has one possible value and is always encoded, such as `kind`."""
    return msgspec.field(default_factory=lambda: value)
