"""What a rate-limit service limits: rules, and which of them a descriptor meets."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Unit = Literal["second", "minute", "hour", "day", "month", "year"]
Entries = Sequence[tuple[str, str]]


class Limit(NamedTuple):
    requests: int
    unit: Unit


class Rule(NamedTuple):
    """A limit for descriptors with exactly these entries, in order. A value that is None stands for any."""

    entries: tuple[tuple[str, str | None], ...]
    limit: Limit


class _Node:
    __slots__ = ("below", "limits")

    def __init__(self) -> None:
        self.below: dict[tuple[str, str | None], _Node] = {}
        self.limits: dict[Limit, None] = {}


class Rules:
    """Rules as a tree: what a descriptor meets is found in its own length, however many rules there are."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._root = _Node()
        for rule in rules:
            node = self._root
            for entry in rule.entries:
                node = node.below.setdefault(entry, _Node())
            node.limits[rule.limit] = None

    def limits_of(self, entries: Entries) -> tuple[Limit, ...]:
        """Return the limits of a descriptor, of the most specific rule for it; none when no rule is for it."""
        node = _find(self._root, entries)
        return () if node is None else tuple(node.limits)


def _find(node: _Node, entries: Entries) -> _Node | None:
    """A value that is named counts before any value, an earlier one before a later one."""
    if not entries:
        return node if node.limits else None
    key, value = entries[0]
    for choice in ((key, value), (key, None)):
        below = node.below.get(choice)
        found = None if below is None else _find(below, entries[1:])
        if found is not None:
            return found
    return None
