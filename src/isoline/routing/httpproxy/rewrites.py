"""pathRewritePolicy.replacePrefix.

Envoy replaces characters, not segments: `/foo` → `/` turns `/foo/x` into `//x`. So a rewritten prefix becomes two
routes, one for `/foo` and one for `/foo/`, unless the other form is routed by somebody already.
"""

from collections.abc import Sequence

import msgspec

from isoline.objects.httpproxy import PathRewritePolicy
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.order import Draft
from isoline.routing.httpproxy.scope import Scope


def compile_rewrite(policy: PathRewritePolicy | None, path: ir.PathMatch, scope: Scope) -> str | None:
    """Return what replaces the route's prefix: the entry for that prefix, else the one without a prefix, else None.

    Raises Fault on a route without a prefix and for entries that contradict each other.
    """
    if policy is None or not policy.replace_prefix:
        return None
    scope = scope.at("pathRewritePolicy.replacePrefix")
    if path.kind is not ir.PathKind.PREFIX:
        text = "needs a route that matches a prefix"
        words = "cannot specify prefix replacements without a prefix condition"
        raise scope.fault("PrefixReplaceError", "MustHavePrefix", text, words=words)
    replacements: dict[str, str] = {}
    for entry in policy.replace_prefix:
        if entry.prefix in replacements:
            if entry.prefix:
                text = f"the prefix {entry.prefix!r} is replaced twice"
                words = f"duplicate replacement prefix '{entry.prefix}'"
                raise scope.fault("PrefixReplaceError", "DuplicateReplacement", text, words=words)
            text = "two entries have no prefix"
            words = "ambiguous prefix replacement"
            raise scope.fault("PrefixReplaceError", "AmbiguousReplacement", text, words=words)
        if problem := header_names.value_problem(entry.replacement):
            raise scope.fault("PrefixReplaceError", "InvalidReplacement", problem.replace("a header's value", "a path"))
        replacements[entry.prefix] = entry.replacement
    return replacements.get(path.value) or replacements.get("")


def with_both_forms(drafts: Sequence[Draft]) -> list[Draft]:
    """Return the routes, each rewritten prefix in both of its forms, the second right after the first."""
    if not any(_rewrite(draft) is not None for draft in drafts):
        return list(drafts)
    written = {draft.route.match.path.value for draft in drafts if draft.route.match.path.kind is ir.PathKind.PREFIX}
    result: list[Draft] = []
    for draft in drafts:
        rewrite, path = _rewrite(draft), draft.route.match.path.value
        base = path.rstrip("/")
        other = base if path.endswith("/") else f"{base}/"
        if rewrite is None or not base or other in written:
            result.append(draft)
            continue
        trimmed = rewrite.rstrip("/")
        result.append(_with(draft, base, trimmed or "/", draft.route.name))
        result.append(_with(draft, f"{base}/", f"{trimmed}/", f"{draft.route.name}/"))
    return result


def _rewrite(draft: Draft) -> str | None:
    action = draft.route.action
    return action.prefix_rewrite if isinstance(action, ir.Forward) else None


def _with(draft: Draft, prefix: str, rewrite: str, name: str) -> Draft:
    route = draft.route
    path = ir.PathMatch(kind=ir.PathKind.PREFIX, value=prefix)
    return draft._replace(
        route=msgspec.structs.replace(
            route,
            name=name,
            match=msgspec.structs.replace(route.match, path=path),
            action=msgspec.structs.replace(route.action, prefix_rewrite=rewrite),
        )
    )
