"""Taking a refused response apart."""

from isoline.xds.nacks import suspects_apart
from isoline.xds.resources import Resource, resource


def entries(*names: str) -> list[tuple[str, Resource]]:
    return [(name, resource("kind", name, b"")) for name in names]


def parts(names: list[str], message: str) -> list[list[str]]:
    return [[name for name, _ in part] for part in suspects_apart(entries(*names), message)]


def test_without_a_name_it_is_halved() -> None:
    assert parts(["a", "b", "c"], "missing ]") == [["a"], ["b", "c"]]
    assert parts(["a"], "missing ]") == [["a"]]


def test_what_is_named_goes_alone() -> None:
    message = "Error adding/updating cluster(s) b: bad timeout, d: bad port"
    assert parts(["a", "b", "c", "d"], message) == [["b"], ["d"], ["a", "c"]]


def test_a_name_within_a_longer_one_is_not_meant() -> None:
    names = ["https/a.example.com", "https/a.example.com.org", "https/b.a.example.com", "a.example.com"]
    assert parts(names, "https/a.example.com: no good.") == [["https/a.example.com"], names[1:]]


def test_where_all_are_named_it_is_halved() -> None:
    assert parts(["a", "b"], "a: bad, b: bad") == [["a"], ["b"]]
