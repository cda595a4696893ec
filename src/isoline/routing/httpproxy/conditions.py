"""Conditions of routes and includes → `ir.Match`.

Prefixes concatenate down a chain of includes; header and query conditions add up; the leaf decides whether the path is
exact, an expression or a prefix. `inherited` is what the includes above gave, `own` the conditions written here.
"""

import re
from collections.abc import Sequence

from isoline.objects.httpproxy import HeaderMatchCondition, MatchCondition, QueryParameterMatchCondition
from isoline.routing import ir, regexes, wording
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.statuses import ErrorType

Conditions = Sequence[MatchCondition]

ANY_PATH = ir.PathMatch(kind=ir.PathKind.PREFIX, value="/")
_SLASHES = re.compile("//+")


def match(inherited: Conditions, own: Conditions, scope: Scope) -> ir.Match:
    """Return what a route matches. Raises Fault for conditions that cannot be, each kind with Contour's reason."""
    check_path(own, scope)
    if not inherited and not own:
        return ir.Match(path=ANY_PATH)
    path = merged_path(inherited, own, scope)
    if all(condition.header is None and condition.query_parameter is None for condition in (*inherited, *own)):
        return ir.Match(path=path)
    return ir.Match(
        path=path,
        headers=header_matches(inherited, own, scope),
        query=query_matches(inherited, own, scope),
    )


# --- path ----------------------------------------------------------------------------------------------------------


def check_path(conditions: Conditions, scope: Scope, *, kind: ErrorType = "RouteError") -> None:
    """Raise Fault unless there is at most one path condition, it starts with a slash, and RE2 takes a regex."""
    found = 0
    what = "include" if kind == "IncludeError" else "route"
    for position, condition in enumerate(conditions):
        for name, value in (("prefix", condition.prefix), ("exact", condition.exact), ("regex", condition.regex)):
            if not value:
                continue
            found += 1
            place = scope.at(f"conditions[{position}].{name}")
            if not value.startswith("/"):
                words = f"{what}: {name} conditions must start with /, {value} was supplied"
                text = f"must start with /, found {value!r}"
                raise place.fault(kind, "PathMatchConditionsNotValid", text, words=words)
            if name == "regex" and (problem := regexes.problem(value)):
                reason = wording.bad_expression(problem)
                words = f"{what}: supplied regex: {value} invalid. error: {reason}" if reason else ""
                raise place.fault(kind, "PathMatchConditionsNotValid", problem, words=words)
    if found > 1:
        raise scope.at("conditions").fault(
            kind,
            "PathMatchConditionsNotValid",
            f"at most one of prefix, exact and regex is possible, found {found}",
            words=f"{what}: more than one prefix, exact or regex is not allowed in a condition block",
        )


def merged_prefix(conditions: Conditions) -> str:
    """Return the concatenation of all prefixes with slashes merged; empty when there is none."""
    return _SLASHES.sub("/", "".join(condition.prefix for condition in conditions))


def merged_path(inherited: Conditions, own: Conditions, scope: Scope) -> ir.PathMatch:
    """Return the path that a leaf's conditions match under those of its includes."""
    prefix = "".join(condition.prefix for condition in inherited)
    kind, value = ir.PathKind.PREFIX, ""
    for condition in own:
        if condition.regex:
            return _regex_path(prefix, condition.regex, scope)
        if condition.exact:
            kind, value = ir.PathKind.EXACT, condition.exact
        elif condition.prefix:
            value = condition.prefix
    return ir.PathMatch(kind=kind, value=_SLASHES.sub("/", prefix + value) or "/")


def _regex_path(prefix: str, regex: str, scope: Scope) -> ir.PathMatch:
    regex = _SLASHES.sub("/", regex)
    prefix = _SLASHES.sub("/", prefix).rstrip("/")
    if prefix:
        # Quoted and grouped: a child's `/a|/b` must not reach beyond the prefix that its parent gave it.
        regex = f"{regexes.quote(prefix)}(?:{regex})"
        if problem := regexes.problem(regex):
            words = "route: regex invalid after merging with include prefix"
            raise scope.at("conditions").fault("RouteError", "PathMatchConditionsNotValid", problem, words=words)
    return ir.PathMatch(kind=ir.PathKind.REGEX, value=regex)


# --- headers -------------------------------------------------------------------------------------------------------


def header_matches(inherited: Conditions, own: Conditions, scope: Scope) -> tuple[ir.HeaderMatch, ...]:
    """Return all header conditions. Raises Fault for two that cannot both hold, and for what Envoy would refuse."""
    matches: list[ir.HeaderMatch] = []
    first_own = len(inherited)
    for position, condition in enumerate((*inherited, *own)):
        if condition.header is None:
            continue
        place = scope.at(f"conditions[{position - first_own}].header" if position >= first_own else "conditions")
        header = _header_match(condition.header, place, own=position >= first_own)
        if header is not None:
            _check_contradiction(header, matches, place)
            matches.append(header)
    return tuple(matches)


_BAD_EXPRESSION = "invalid regular expression specified for 'regex' condition"
_HEADER_FIELDS = (
    ("present", ir.ValueKind.PRESENT, False),
    ("notpresent", ir.ValueKind.PRESENT, True),
    ("contains", ir.ValueKind.CONTAINS, False),
    ("notcontains", ir.ValueKind.CONTAINS, True),
    ("exact", ir.ValueKind.EXACT, False),
    ("notexact", ir.ValueKind.EXACT, True),
    ("regex", ir.ValueKind.REGEX, False),
)
_CASELESS = {ir.ValueKind.CONTAINS, ir.ValueKind.EXACT}


def _header_match(condition: HeaderMatchCondition, scope: Scope, *, own: bool) -> ir.HeaderMatch | None:
    if not header_names.is_name(condition.name.removeprefix(":")):
        raise _header_fault(scope, f"{condition.name!r} is no header name")
    chosen = [entry for entry in _HEADER_FIELDS if getattr(condition, entry[0])]
    if own and len(chosen) != 1:
        scope.warn(
            "RouteError",
            "names no kind of match, so it matches everything"
            if not chosen
            else f"only {chosen[0][0]} counts, {', '.join(entry[0] for entry in chosen[1:])} does not",
        )
    if not chosen:
        return None
    name, kind, invert = chosen[0]
    value = "" if kind is ir.ValueKind.PRESENT else str(getattr(condition, name))
    if kind is ir.ValueKind.REGEX and (problem := regexes.problem(value)):
        raise _header_fault(scope.at("regex"), problem, _BAD_EXPRESSION)
    negative_value = invert and kind in _CASELESS
    if own and condition.ignore_case and kind not in _CASELESS:
        scope.at("ignoreCase").warn("RouteError", f"does not count with {name}")
    if own and condition.treat_missing_as_empty and not negative_value:
        scope.at("treatMissingAsEmpty").warn("RouteError", f"does not count with {name}")
    return ir.HeaderMatch(
        name=condition.name.lower(),
        kind=kind,
        value=value,
        invert=invert,
        ignore_case=condition.ignore_case and kind in _CASELESS,
        missing_as_empty=condition.treat_missing_as_empty and negative_value,
    )


def _check_contradiction(header: ir.HeaderMatch, others: Sequence[ir.HeaderMatch], scope: Scope) -> None:
    for other in others:
        if other.name != header.name or other.kind is not header.kind:
            continue
        if header.kind is ir.ValueKind.EXACT and not header.invert and not other.invert:
            text = f"two exact conditions on the header {header.name!r} can never both hold"
            words = "cannot specify duplicate header 'exact match' conditions in the same route"
            raise _header_fault(scope, text, words)
        if header.kind is not ir.ValueKind.REGEX and other.value == header.value and other.invert != header.invert:
            name = header.kind.value
            text = f"{name} and not{name} of the header {header.name!r} exclude each other"
            both = f"'{name}' and 'not{name}'"
            words = f"cannot specify contradictory {both} conditions for the same route and header"
            raise _header_fault(scope, text, words)


def _header_fault(scope: Scope, text: str, words: str = "") -> Exception:
    return scope.fault("RouteError", "HeaderMatchConditionsNotValid", text, words=words)


# --- query parameters ----------------------------------------------------------------------------------------------

MAXIMUM_PARAMETER_NAME = 1024
_QUERY_FIELDS = (
    ("exact", ir.ValueKind.EXACT),
    ("prefix", ir.ValueKind.PREFIX),
    ("suffix", ir.ValueKind.SUFFIX),
    ("regex", ir.ValueKind.REGEX),
    ("contains", ir.ValueKind.CONTAINS),
    ("present", ir.ValueKind.PRESENT),
)


def query_matches(inherited: Conditions, own: Conditions, scope: Scope) -> tuple[ir.QueryMatch, ...]:
    """Return all query conditions. Raises Fault unless each has one kind of match and no parameter two exact ones."""
    matches: list[ir.QueryMatch] = []
    exact: set[str] = set()
    first_own = len(inherited)
    for position, condition in enumerate((*inherited, *own)):
        if condition.query_parameter is None:
            continue
        field = f"conditions[{position - first_own}].queryParameter" if position >= first_own else "conditions"
        query = _query_match(condition.query_parameter, scope.at(field))
        if query.kind is ir.ValueKind.EXACT:
            if query.name.lower() in exact:
                text = f"two exact conditions on the query parameter {query.name!r} can never both hold"
                words = "cannot specify duplicate query parameter 'exact match' conditions in the same route"
                raise _query_fault(scope.at(field), text, words)
            exact.add(query.name.lower())
        matches.append(query)
    return tuple(matches)


def _query_match(condition: QueryParameterMatchCondition, scope: Scope) -> ir.QueryMatch:
    chosen = [entry for entry in _QUERY_FIELDS if getattr(condition, entry[0])]
    if len(chosen) != 1:
        found = ", ".join(entry[0] for entry in chosen) or "none"
        wanted = "exactly one of exact, prefix, suffix, regex, contains and present is needed"
        words = "cannot specify more than one condition in the same match condition branch"
        if not chosen:
            words = "must specify at least one query parameter condition"
        raise _query_fault(scope, f"{wanted}, found {found}", words)
    if not 0 < len(condition.name.encode()) <= MAXIMUM_PARAMETER_NAME:
        raise _query_fault(scope.at("name"), f"must have between 1 and {MAXIMUM_PARAMETER_NAME} bytes")
    name, kind = chosen[0]
    value = "" if kind is ir.ValueKind.PRESENT else str(getattr(condition, name))
    if kind is ir.ValueKind.REGEX and (problem := regexes.problem(value)):
        raise _query_fault(scope.at("regex"), problem, _BAD_EXPRESSION)
    return ir.QueryMatch(
        name=condition.name,
        kind=kind,
        value=value,
        ignore_case=condition.ignore_case and kind not in {ir.ValueKind.REGEX, ir.ValueKind.PRESENT},
    )


def _query_fault(scope: Scope, text: str, words: str = "") -> Exception:
    return scope.fault("RouteError", "QueryParameterMatchConditionsNotValid", text, words=words)
