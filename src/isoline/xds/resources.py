"""One xDS resource as the cache and the server see it: bytes with a name, and what must be there before it."""

from hashlib import blake2b
from typing import NamedTuple


class Name(NamedTuple):
    """What identifies a resource on a stream."""

    type_url: str
    name: str


class Resource(NamedTuple):
    name: Name
    version: str
    """The hash of `body`: equal content has an equal version in every process and after every restart."""
    body: bytes
    """The serialised message, without its `Any`."""
    needs: tuple[Name, ...] = ()
    """What an Envoy must have accepted before it may get this one, and must keep while it holds it: make before
    break."""
    brings: tuple[Name, ...] = ()
    """What Envoy waits for once it has this one. It asks for them only where it did not know them, so a stream that
    has them is told them again."""
    settles: float = 0.0
    """Seconds at most from when Envoy has what this brings until it can be used."""
    empty: bool = False
    """It leads nowhere yet: what worked without it is not replaced by what needs it, for a while."""


def resource(
    type_url: str,
    name: str,
    body: bytes,
    needs: tuple[Name, ...] = (),
    brings: tuple[Name, ...] = (),
    *,
    settles: float = 0.0,
    empty: bool = False,
) -> Resource:
    """A resource whose version is the hash of its content."""
    version = blake2b(body, digest_size=8).hexdigest()
    return Resource(Name(type_url, name), version, body, needs, brings, settles, empty)
