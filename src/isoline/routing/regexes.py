"""Regular expressions, judged by the engine that Envoy runs them with."""

from functools import lru_cache

import re2

MAXIMUM_PROGRAM_SIZE = 1_048_576
"""What Envoy's runtime is given as `re2.max_program_size.error_level`; RE2's own memory limit is often met before."""

NO_EXPRESSION = " is no RE2 expression: "
"""Stands between an expression and what RE2 says of it."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


@lru_cache(maxsize=4096)
def problem(pattern: str) -> str | None:
    """Return why Envoy would refuse the pattern, or None."""
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        reason = error.args[0]
        return f"{pattern!r}{NO_EXPRESSION}{reason.decode() if isinstance(reason, bytes) else reason}"
    if compiled.programsize > MAXIMUM_PROGRAM_SIZE:
        return (
            f"{pattern!r} compiles to {compiled.programsize} instructions, more than the {MAXIMUM_PROGRAM_SIZE} that "
            "the gateway accepts; shorten it or split the route"
        )
    return None


def quote(text: str) -> str:
    """Return the expression that matches exactly this text."""
    quoted: str = re2.escape(text)
    return quoted


def groups(pattern: str) -> int:
    """Return how many groups an expression has that has no problem."""
    count: int = re2.compile(pattern, _OPTIONS).groups
    return count
