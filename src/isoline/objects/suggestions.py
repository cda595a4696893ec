"""Guesses at what a misspelt word was meant to be."""

import difflib
from collections.abc import Iterable

# More names than this are a list that nobody reads.
_LISTED = 24


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like the given one, whatever their case; None when none is."""
    by_folded = {_fold(name): name for name in known}
    matches = difflib.get_close_matches(_fold(word), by_folded, n=1, cutoff=0.7)
    return by_folded[matches[0]] if matches else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "services"?`, or else the list of what is allowed, as the hint of a problem."""
    names = list(known)
    if not names:
        return "no fields are allowed here"
    match = closest(word, names)
    if match is not None:
        return f'did you mean "{match}"?'
    more = ", …" if len(names) > _LISTED else ""
    return f"allowed: {', '.join(names[:_LISTED])}{more}"


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
