"""What may be the name and the value of a header (RFC 9110 section 5; Envoy refuses the rest)."""

import re

from isoline.objects.formats import HEADER_NAME

_FORBIDDEN_IN_VALUE = re.compile(r"[\r\n\0]")
MAXIMUM_LENGTH = 16384


def is_name(text: str) -> bool:
    return len(text) <= MAXIMUM_LENGTH and HEADER_NAME.fullmatch(text) is not None


def value_problem(text: str) -> str | None:
    """Return why the text cannot be a header's value, or None."""
    if _FORBIDDEN_IN_VALUE.search(text):
        return "a header's value holds no line break and no NUL"
    if len(text.encode()) > MAXIMUM_LENGTH:
        return f"a header's value is at most {MAXIMUM_LENGTH} bytes long"
    return None
