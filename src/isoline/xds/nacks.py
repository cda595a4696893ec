"""Which resource of a refused response is at fault? Envoy says it for some types, in words; for others, nothing."""

import re
from collections.abc import Iterator, Sequence

from isoline.xds.resources import Resource

Entry = tuple[str, Resource]


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
