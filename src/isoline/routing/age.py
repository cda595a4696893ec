"""Who was there first: of several objects that want the same, the oldest has it."""

from collections.abc import Iterable
from typing import TypeVar

from isoline.objects import Object

_UNKNOWN = "~"  # After every timestamp: what nobody can date takes nothing from anybody.

T = TypeVar("T", bound=Object)


def oldest_first(objects: Iterable[T]) -> list[T]:
    """Return objects of one kind by age, then by namespace and name."""
    return sorted(objects, key=lambda each: (each.metadata.creation_timestamp or _UNKNOWN, each.key))
