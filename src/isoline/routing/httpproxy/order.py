"""The order in which routes are tried, and what becomes of two with the same conditions."""

from collections.abc import Iterable
from typing import NamedTuple

from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope


class Draft(NamedTuple):
    """A compiled route before it has its place. `scope` is where it was written."""

    route: ir.Route
    insecure: bool
    """Whether plain HTTP serves it too, where the host ends TLS."""
    scope: Scope


_RANK = {ir.PathKind.EXACT: 0, ir.PathKind.REGEX: 1, ir.PathKind.PREFIX: 2, ir.PathKind.SEGMENTS: 2}


def _precedence(draft: Draft) -> tuple[int, int, int, int]:
    match = draft.route.match
    return _RANK[match.path.kind], -len(match.path.value), -len(match.headers), -len(match.query)


def in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """Return the routes as they are tried: exact before regex before prefix, longer paths first, then more header
    conditions, then more query conditions, else as they came. Of equal conditions the first counts, with a warning."""
    kept: dict[object, Draft] = {}
    for draft in drafts:
        match = draft.route.match
        first = kept.setdefault((match.path, frozenset(match.headers), frozenset(match.query)), draft)
        if first is not draft and first.scope != draft.scope:
            draft.scope.warn("RouteError", f"has the same conditions as {first.route.name}, which counts")
    return sorted(kept.values(), key=_precedence)
