"""Fields that are understood but not compiled yet: the entries are in their policies' files, the words are here."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from isoline.routing.httpproxy.scope import Scope
from isoline.routing.statuses import ErrorType

REASON = "NotSupported"


class Unsupported(NamedTuple):
    """A field, the type of error that its faults have, and whether an object makes use of it."""

    field: str
    type: ErrorType
    in_use: Callable[[Any], object]
    reason: str = REASON


def report_unsupported(table: Iterable[Unsupported], item: object, scope: Scope, prefix: str = "") -> list[Unsupported]:
    """Report every field of the table that the item uses, and return those entries. `prefix` leads to the item."""
    used = [entry for entry in table if entry.in_use(item)]
    for entry in used:
        scope.at(prefix + entry.field).error(
            entry.type, entry.reason, "this version does not support the field; remove it to have the rest served"
        )
    return used
