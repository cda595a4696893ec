"""pathType → how a path is matched."""

from isoline.objects.networking import HTTPIngressPath
from isoline.routing import ir, regexes
from isoline.routing.httpproxy.scope import Scope

EVERYTHING = ir.PathMatch(kind=ir.PathKind.PREFIX, value="/")
_LOOKS_LIKE_A_REGEX = frozenset("^+*[]%")


def compile_path(path: HTTPIngressPath, scope: Scope) -> ir.PathMatch:
    """Return how a path is matched: a Prefix by whole segments, a path of ImplementationSpecific by characters, or as
    a regular expression if it has a character of one (Contour's rule). Raises Fault for what cannot be matched."""
    value = path.path or "/"
    if not value.startswith("/"):
        text = f"must start with /, found {value!r}"
        raise scope.at("path").fault("RouteError", "PathMatchConditionsNotValid", text)
    match path.path_type:
        case "Prefix":
            # No segment is left of a bare slash, and with one at its end `/foo/` would not match `/foo`.
            segments = value.rstrip("/")
            return ir.PathMatch(kind=ir.PathKind.SEGMENTS, value=segments) if segments else EVERYTHING
        case "Exact":
            return ir.PathMatch(kind=ir.PathKind.EXACT, value=value)
        case "ImplementationSpecific":
            if not _LOOKS_LIKE_A_REGEX.intersection(value):
                return ir.PathMatch(kind=ir.PathKind.PREFIX, value=value)
            if problem := regexes.problem(value):
                raise scope.at("path").fault("RouteError", "PathMatchConditionsNotValid", problem)
            return ir.PathMatch(kind=ir.PathKind.REGEX, value=value)
    text = f"{path.path_type!r} is none of Exact, Prefix, ImplementationSpecific"
    raise scope.at("pathType").fault("RouteError", "PathMatchConditionsNotValid", text)
