"""Sentences of Contour's that several faults share, word for word: statuses are compared, by people and by tools.

Many end in what Go's standard library says of a value, so that is said here as well.
"""

import re
from typing import Final

from isoline.objects.formats import HEADER_NAME
from isoline.routing.regexes import NO_EXPRESSION

_UNITS: Final = frozenset({"ns", "us", "µs", "μs", "ms", "s", "m", "h"})
_HEADER_RULE: Final = (
    "a valid HTTP header must consist of alphanumeric characters or '-' "
    "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
)
_EXPRESSION_FAULTS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}
"""What RE2 says in C++, and what it says in Go."""


def bad_duration(text: str) -> str:
    """Return what Go says of a text that is no duration (`time.ParseDuration`)."""
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    rest = unsigned
    while rest:
        number = re.match(r"\d+\.?\d*|\.\d+", rest)
        if number is None:
            break
        unit = re.match(r"[^.\d]+", rest[number.end() :])
        if unit is None:
            return f'time: missing unit in duration "{text}"'
        if unit[0] not in _UNITS:
            return f'time: unknown unit "{unit[0]}" in duration "{text}"'
        rest = rest[number.end() + unit.end() :]
    return f'time: invalid duration "{text}"'


def bad_timeout(text: str) -> str:
    """Return what is said of a text that is no timeout."""
    return f'unable to parse timeout string "{text}": {bad_duration(text)}'


def bad_header(role: str, name: str) -> str:
    """Return what is said of an impossible header name, after its role, such as `invalid set header`."""
    return f'{role} "{canonical_header(name)}": [{_HEADER_RULE}]'


def canonical_header(name: str) -> str:
    """Return a header's name as Go writes it: `x-api-key` is `X-Api-Key`; what is no name stays as it is."""
    return "-".join(part.capitalize() for part in name.split("-")) if HEADER_NAME.fullmatch(name) else name


def bad_expression(problem: str) -> str:
    """Return what Go says of a regular expression, from what `regexes.problem` says; empty where Go would take it."""
    _, known, said = problem.partition(NO_EXPRESSION)
    if not known:
        return ""
    fault, _, where = said.partition(": ")
    return f"error parsing regexp: {_EXPRESSION_FAULTS.get(fault, fault)}: `{where}`"


def bad_url(text: str) -> str:
    """Return what Go says of a URL with an impossible host or port; empty where it sees nothing wrong with them."""
    authority = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)", text)
    if authority is None:
        return ""
    host, colon, port = authority[1].rpartition("@")[2].partition(":")
    if " " in host:
        return f'parse "{text}": invalid character " " in host name'
    bad_port = bool(colon) and not host.startswith("[") and not re.fullmatch(r"[0-9]*", port)
    return f'parse "{text}": invalid port ":{port}" after host' if bad_port else ""


def not_delegated(field: str, name: str) -> str:
    """Return what is said of a Secret of another namespace that was not lent."""
    return f'{field} Secret "{name}" is not configured for certificate delegation'
