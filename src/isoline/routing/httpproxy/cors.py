"""virtualhost.corsPolicy."""

import re

from isoline.objects import parse_go_duration
from isoline.objects.httpproxy import CORSPolicy
from isoline.routing import ir, regexes, wording
from isoline.routing.httpproxy.scope import Fault, Scope

_EXACT_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=-]+)(?::[0-9]*)?")
_VALUE = re.compile(r"[a-zA-Z0-9!#$%&'*+.^_`|~-]+")
_LONGEST = 2**31 - 1


def compile_cors(policy: CORSPolicy | None, scope: Scope) -> ir.Cors | None:
    """Return what other origins may do. Raises Fault, once every fault has been reported."""
    if policy is None:
        return None
    scope = scope.at("corsPolicy")
    faults = [
        *_list_faults(policy.allow_origin, scope.at("allowOrigin"), empty=False, pattern=None),
        *_list_faults(policy.allow_methods, scope.at("allowMethods"), empty=False, pattern=_VALUE),
        *_list_faults(policy.allow_headers, scope.at("allowHeaders"), empty=True, pattern=_VALUE),
        *_list_faults(policy.expose_headers, scope.at("exposeHeaders"), empty=True, pattern=_VALUE),
    ]
    origins: list[ir.Origin] = []
    max_age: int | None = None
    for position, text in enumerate(policy.allow_origin):
        try:
            origins.append(_origin(text, scope.at(f"allowOrigin[{position}]")))
        except Fault as fault:
            faults.append(fault)
    try:
        max_age = _max_age(policy.max_age, scope.at("maxAge"))
    except Fault as fault:
        faults.append(fault)
    if faults:
        for found in faults:
            scope.report.errors[found.finding] = None
        raise faults[-1]
    return ir.Cors(
        origins=tuple(dict.fromkeys(origins)),
        methods=policy.allow_methods,
        request_headers=policy.allow_headers,
        exposed_headers=policy.expose_headers,
        max_age=max_age,
        credentials=policy.allow_credentials,
        private_network=policy.allow_private_network,
    )


def _list_faults(
    entries: tuple[str, ...], scope: Scope, *, empty: bool, pattern: re.Pattern[str] | None
) -> list[Fault]:
    if not entries and not empty:
        what = "origin" if scope.path.endswith("allowOrigin") else "methods"
        return [_fault(scope, "at least one is needed", f"invalid allowed {what} configuration with length 0")]
    if pattern is None:
        return []
    return [
        _fault(Scope(scope.report, f"{scope.path}[{position}]"), f"{entry!r} is no method and no name of a header")
        for position, entry in enumerate(entries)
        if not pattern.fullmatch(entry)
    ]


def _origin(text: str, scope: Scope) -> ir.Origin:
    if text == "*" or _EXACT_ORIGIN.fullmatch(text):
        return ir.Origin(value=text)
    problem = regexes.problem(text)
    if problem is not None or not text:
        raise _fault(
            scope,
            f'invalid allowed origin "{text}": neither an origin such as https://example.com nor a regex',
            f'invalid allowed origin "{text}": allowed origin is invalid exact match and invalid regex match',
        )
    return ir.Origin(value=text, regex=True)


def _max_age(text: str, scope: Scope) -> int | None:
    if not text:
        return None
    try:
        seconds = parse_go_duration(text)
    except ValueError as error:
        raise _fault(scope, str(error), wording.bad_timeout(text)) from error
    if not 0 <= seconds <= _LONGEST:
        problem = f'invalid max age value "{text}"'
        raise _fault(scope, f"{problem}: must be between 0 and {_LONGEST}s", problem if seconds < 0 else "")
    return round(seconds)


def _fault(scope: Scope, text: str, words: str = "") -> Fault:
    whole = f"Spec.VirtualHost.CORSPolicy: {words}" if words else ""
    return scope.fault("CORSError", "PolicyDidNotParse", text, words=whole)
