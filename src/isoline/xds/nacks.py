"""Which resource of a refused response is at fault? Envoy says it for some types, in words; for others, nothing."""

import re
from collections.abc import Iterator, Sequence

from isoline.xds.resources import Resource

Entry = tuple[str, Resource]

_REFUSED = "refused:"
_MAX_WORDS = 500


def suspects_apart(entries: Sequence[Entry], message: str) -> Iterator[list[Entry]]:
    """Splits what was refused together into parts to be sent again. A part of one that is refused again is at fault.

    What the message names goes alone, the rest together; if it names nothing, or everything, halves.
    """
    named = [entry for entry in entries if _mentions(message, entry[0])]
    if 0 < len(named) < len(entries):
        yield from ([entry] for entry in named)
        rest = [entry for entry in entries if entry not in named]
        yield rest
        return
    middle = len(entries) // 2
    for half in (entries[:middle], entries[middle:]):
        if half:
            yield list(half)


def _mentions(message: str, name: str) -> bool:
    """Whether `name` stands in `message` whole, not as a part of a longer name."""
    return re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w/-]|\.\w)", message) is not None


def note(refused: Resource, message: str) -> Resource:
    """What was refused, under a version that says so, and why.

    Envoy keeps the version of a secret that it refuses, and takes the same bytes the next time without a word.
    """
    return Resource(refused.name, f"{_REFUSED}{refused.version} {message[:_MAX_WORDS]}", refused.body)


def is_note(resource: Resource) -> bool:
    return resource.version.startswith(_REFUSED)


def words_of(noted: str, version: str) -> str | None:
    """Envoy's words, if the version `noted` says that it refused `version`."""
    head, _, words = noted.partition(" ")
    return words if head == _REFUSED + version else None
