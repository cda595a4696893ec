"""One form for what is the same to a reader: lower case, plain ASCII for full-width, simplified characters."""

from __future__ import annotations

from functools import cache

from isoline_voice.styles.catalog import read_data


def fold(text: str) -> str:
    """The text in its plainest form, with every character still where it was."""
    return text.translate(_table())


@cache
def _table() -> dict[int, int]:
    table = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
    for code in range(0xFF01, 0xFF5F):
        plain = code - 0xFEE0
        table[code] = plain + 32 if ord("A") <= plain <= ord("Z") else plain
    for like, plain_one in (("’‘`´", "'"), ("-_\u2010\u2011\u3000\t\u00a0\u2009", " "), ("×✕", "x")):
        table |= dict.fromkeys(map(ord, like), ord(plain_one))
    for letters, letter in (("áàâä", "a"), ("éèêë", "e"), ("íìîï", "i"), ("óòôö", "o"), ("úùûü", "u"), ("ñ", "n")):
        table |= dict.fromkeys(map(ord, letters + letters.upper()), ord(letter))
    for traditional, simplified in read_data("characters")["lines"]:
        table |= dict(zip(map(ord, traditional), map(ord, simplified), strict=True))
    return table
