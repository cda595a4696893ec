"""Plain YAML scalars as Kubernetes reads them (its YAML library follows YAML 1.1, without dates and base 60)."""

import re
from sys import intern
from typing import Any

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
for _truth, _spellings in ((True, ("y", "yes", "true", "on")), (False, ("n", "no", "false", "off"))):
    for _word in _spellings:
        _WORDS |= dict.fromkeys((_word, _word.capitalize(), _word.upper()), _truth)

_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Short strings come again and again in manifests; one copy of each saves memory at 10 000 objects.
_SHORT = 32
_NOT_A_WORD = object()


def resolve_plain(text: str) -> Any:
    """Return the value of an unquoted scalar: None, a bool, an int, a float or a string."""
    word = _WORDS.get(text, _NOT_A_WORD)
    if word is not _NOT_A_WORD:
        return word
    if text[0] in _NUMBER_START:
        if _INTEGER.fullmatch(text):
            return _integer(text)
        if _FLOAT.fullmatch(text):
            return float(text.replace(".i", "i").replace(".I", "I").replace(".n", "n").replace(".N", "N"))
    return intern(text) if len(text) <= _SHORT else text


def _integer(text: str) -> Any:
    digits = text.replace("_", "")
    sign = -1 if digits[0] == "-" else 1
    digits = digits.lstrip("+-")
    if digits in ("", "0b", "0o", "0x"):
        return text
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    octal = digits[0] == "0" and not set(digits) & {"8", "9"}
    # Longer digits are beyond any field, and reading them takes quadratic time.
    return text if len(digits) > 40 else sign * int(digits, 8 if octal else 10)
