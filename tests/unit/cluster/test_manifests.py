"""One file of manifests: cut into pieces, read in the light of its last version, kept in the state folder."""

from pathlib import Path

import pytest

from isoline.cluster.codec import StaleError
from isoline.cluster.manifests import (
    ManifestFile,
    Signature,
    decode_file,
    is_manifest,
    pack_file,
    read_file,
    unpack_file,
)
from isoline.objects import ConfigMap

SIGNATURE = Signature(1, 2, 3, 4)


def document(name: str, value: str = "1") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {value!r}\n".replace("'", '"')


def read(text: str, previous: ManifestFile | None = None) -> ManifestFile:
    return decode_file(text.encode(), name="a.yaml", signature=SIGNATURE, previous=previous)


def values(file: ManifestFile) -> dict[str, str]:
    found = {}
    for definition in file.definitions.values():
        assert isinstance(definition.object, ConfigMap)
        found[definition.object.metadata.name] = definition.object.data["value"]
    return found


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.json", "#a.yaml"])
def test_manifests_are_known_by_their_suffix(name: str) -> None:
    assert is_manifest(name)


@pytest.mark.parametrize("name", [".a.yaml.swp", "a.yaml~", "#a.yaml#", ".a.yaml", "4913", "a.yaml.bak", "README.md"])
def test_what_editors_leave_beside_is_not_read(name: str) -> None:
    assert not is_manifest(name)


@pytest.mark.parametrize("separator", ["---\n", "--- # next\n", "---\r\n"])
def test_every_document_of_a_file_counts(separator: str) -> None:
    file = read("# a comment\n" + separator + separator.join(document(name) for name in "abc"))
    assert values(file) == {"a": "1", "b": "1", "c": "1"}
    assert file.problems == ()


def test_only_pieces_that_changed_are_decoded_again() -> None:
    before = read("---\n".join(document(name) for name in "abc"))
    after = read("---\n".join([document("a"), document("b", "2"), document("c")]), before)
    assert values(after) == {"a": "1", "b": "2", "c": "1"}
    same = {key.name for key in before.definitions if after.definitions[key].object is before.definitions[key].object}
    assert same == {"a", "c"}


def test_lines_are_the_files_lines_when_pieces_move() -> None:
    before = read("---\n".join(document(name) for name in "ab"))
    after = read("# one\n# two\n---\n" + "---\n".join(document(name) for name in "ab"), before)
    lines = {key.name: definition.line for key, definition in after.definitions.items()}
    assert (lines["a"], lines["b"]) == (4, 11)


def test_a_problem_has_its_line_in_the_file() -> None:
    file = read(document("a") + "---\n" + document("b").replace("\ndata:", "\ndat:"))
    (problem,) = file.problems
    assert problem.severity == "warning"
    assert problem.text.startswith("a.yaml:12: ConfigMap default/b: dat: unknown field")


def test_a_text_with_directives_is_read_as_a_whole() -> None:
    assert values(read("%YAML 1.1\n---\n" + document("a") + "...\n---\n" + document("b"))) == {"a": "1", "b": "1"}


def test_a_broken_document_keeps_what_it_defined_and_lets_the_others_through() -> None:
    before = read("---\n".join(document(name) for name in "ab"))
    after = read("apiVersion: v1\nkind: [ConfigMap\n---\n" + document("b", "2"), before)
    assert values(after) == {"a": "1", "b": "2"}
    assert [problem.severity for problem in after.problems] == ["error"]
    mended = read(document("b", "2"), after)
    assert values(mended) == {"b": "2"}


def test_the_first_of_two_definitions_in_a_file_counts() -> None:
    file = read(document("a", "1") + "---\n" + document("a", "2"))
    assert values(file) == {"a": "1"}
    (problem,) = file.problems
    assert problem.text.startswith("a.yaml:8: ConfigMap default/a is defined in line 1 already")


def test_a_file_comes_back_from_the_state_folder_as_it_was() -> None:
    for text in (document("a"), "# first\n" + "---\n".join(document(name) for name in "abc"), ""):
        file = read(text)
        assert unpack_file(pack_file(file)) == file


def test_a_file_with_something_wrong_comes_back_to_be_read_again() -> None:
    file = read(document("a") + "---\nkind: [")
    back = unpack_file(pack_file(file))
    assert values(back) == {"a": "1"}
    assert back.signature != file.signature


def test_what_another_version_packed_is_stale() -> None:
    with pytest.raises(StaleError):
        unpack_file(b"\x93\x01\x02\x03")


def test_a_file_that_is_no_text_keeps_what_it_defined(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(document("a"))
    before = read_file(path, name="a.yaml")
    path.write_bytes(b"\xff\xfe\x00")
    after = read_file(path, name="a.yaml", previous=before)
    assert values(after) == {"a": "1"}
    assert [problem.severity for problem in after.problems] == ["error"]


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(document("a"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    (problem,) = read_file(path, name="a.yaml").problems
    assert str(problem) == "a.yaml: cannot be read: Permission denied"
