"""The words by which people name kinds and objects."""

from isoline.objects import KINDS, Key, Kind, find_kind
from isoline.objects.suggestions import closest

MAIN = ("App", "HTTPProxy", "Service", "Deployment")
"""What is listed when nothing is asked for."""


class NamingError(LookupError):
    """Nothing is called that; the text says what is."""


def known_kinds() -> tuple[Kind, ...]:
    return KINDS


def find_kinds(words: str) -> list[Kind]:
    """The kinds that a word means, or several with commas between; `all` and nothing mean the main ones.

    Raises NamingError.
    """
    if words.lower() in ("", "all"):
        return [kind for kind in KINDS if kind.name in MAIN]
    return [find_one_kind(word) for word in words.split(",") if word]


def find_one_kind(word: str) -> Kind:
    """The kind that a word means. Raises NamingError."""
    kind = find_kind(word)
    if kind is not None:
        return kind
    match = closest(word, [name for kind in KINDS for name in kind.names])
    hint = f'did you mean "{match}"?' if match else f"known are: {', '.join(kind.plural for kind in KINDS)}"
    raise NamingError(f'there is no kind "{word}"; {hint}')


def find_key(word: str, namespace: str, name: str) -> Key:
    """The key of an object whose kind is given by a word. Raises NamingError."""
    kind = find_one_kind(word)
    return Key(kind.name, (namespace or "default") if kind.namespaced else "", name)
