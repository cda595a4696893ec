"""Text to documents: what Kubernetes reads in YAML and JSON, and faults that stay in their document."""

from typing import Any
from unittest.mock import ANY

import pytest

from isoline.objects.manifests import Document, Fault, read_documents
from isoline.objects.yaml_nodes import DEEPEST


def values(text: str) -> list[Any]:
    return [each.value if isinstance(each, Document) else each[1] for each in read_documents(text)]


def fault(text: str) -> Fault:
    (found,) = [each[1] for each in read_documents(text) if not isinstance(each, Document)]
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("1:30", "1:30"),
        ("12:34:56", "12:34:56"),
        ("1.2.3.4", "1.2.3.4"),
        ("16Gi", "16Gi"),
        ("500m", "500m"),
        ("=", "="),
        ("-", [None]),
        (".", "."),
        ("0x", "0x"),
        ("on", True),
        ("yes", True),
        ("y", True),
        ("True", True),
        ("off", False),
        ("No", False),
        ("tRue", "tRue"),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-12", -12),
        ("1_000", 1000),
        ("0644", 0o644),
        ("0o644", 0o644),
        ("0x1F", 31),
        ("0b101", 5),
        ("089", 89),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.5E-1", -0.15),
        ("-.inf", float("-inf")),
        ('"12"', "12"),
        ("'yes'", "yes"),
        ("!!str 12", "12"),
        ('!!int "12"', 12),
        ("!!binary aGk=", "aGk="),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("9" * 41, "9" * 41),
    ],
)
def test_scalars_are_what_kubernetes_reads(text: str, value: Any) -> None:
    (document,) = values(f"a: {text}" if text != "-" else "a:\n-")
    assert document == {"a": value}
    assert type(document["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "key"), [("80: x", "80"), ("yes: x", "true"), ('"yes": x', "yes"), ("1.50: x", "1.50")]
)
def test_keys_are_strings_as_in_json(text: str, key: str) -> None:
    assert values(text) == [{key: "x"}]


def test_anchors_and_merges() -> None:
    text = "base: &b {x: 1, z: [1]}\none: {<<: *b, x: 2}\ntwo: {<<: [{w: 3}, *b]}\nthree: *b"
    (value,) = values(text)
    assert value["one"] == {"x": 2, "z": [1]}
    assert value["two"] == {"w": 3, "x": 1, "z": [1]}
    assert value["three"] == value["base"] == {"x": 1, "z": [1]}


def test_a_document_ends_at_its_separator_and_empty_ones_are_skipped() -> None:
    documents = list(read_documents("# remark\n---\na: 1\n---\n---\n# none\n--- # two\nb: |\n  x\n   ---\n"))
    assert all(isinstance(document, Document) for document in documents)
    found = [
        (document.number, document.line, document.value) for document in documents if isinstance(document, Document)
    ]
    assert found == [(1, 3, {"a": 1}), (4, 8, {"b": "x\n ---\n"})]


def test_nothing_at_all_is_no_document() -> None:
    assert values("") == values("\n\n") == values("---\n---\n") == values("# only a remark\n") == []


def test_a_directive_belongs_to_the_document_after_it() -> None:
    assert values("%YAML 1.1\n---\na: 1\n") == [{"a": 1}]


def test_a_byte_order_mark_is_no_content() -> None:
    assert values("\ufeffa: 1") == [{"a": 1}]


def test_windows_line_ends() -> None:
    assert values("a: 1\r\n---\r\nb: 2\r\n") == [{"a": 1}, {"b": 2}]


def test_a_syntax_error_ends_only_its_document() -> None:
    first, broken, last = read_documents("a: 1\n---\nb: [1\nc: 2\n---\nd: 4\n")
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert (first.value, last.value, last.number, last.line) == ({"a": 1}, {"d": 4}, 3, 6)
    assert not isinstance(broken, Document)
    assert (broken[0], broken[1].line) == (2, 4)
    assert broken[1].message.startswith("not valid YAML: ")


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("a:\n\tb: 1\n", 2, "not valid YAML", "spaces, not with tabs"),
        ("a: b: c\n", 1, "not valid YAML: mapping values", "quotes"),
        ("a: {{ .Values.x }}\n", 1, "a mapping or a list as a key", "template must be rendered"),
        ("{{- if .x }}\na: 1\n", 1, "not valid YAML", "template must be rendered"),
        ("a: 1\nb: *nowhere\n", 2, "undefined alias", ""),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "python/object", "remove it"),
        ("a: 1\nb: !custom {x: 1}\n", 2, '"!custom"', "remove it"),
        ("a: 1\nb: \x01\n", 2, "not valid YAML: ", ""),
        ("a:\n  <<: 5\n", 2, "only a mapping can be merged", ""),
    ],
)
def test_a_fault_has_its_line_and_what_to_do(text: str, line: int, message: str, hint: str) -> None:
    found = fault(text)
    assert found.line == line
    assert message in found.message
    assert hint in found.hint


def test_aliases_cannot_multiply_without_bound() -> None:
    lines = ["l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases multiply" in fault("\n".join(lines)).message


def test_an_anchor_that_holds_itself_is_a_fault() -> None:
    assert fault("a: 1\n---\na: &a\n  b: *a\n") == Fault(3, "an anchor holds an alias of itself", ANY)


def test_depth_is_bounded() -> None:
    # libyaml's binding overflows the stack far beyond this.
    for text in ("[" * 200_000, "a: " + "{b: " * 200_000, "- " * 100_000):
        assert "levels deep" in fault(text).message
    assert fault('[{"a": ' + "[" * 200_000 + "]" * 200_000 + "}]").message
    assert values("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)) != []


class TestJson:
    def test_objects_one_after_the_other(self) -> None:
        documents = list(read_documents('{"a": 1}\n{"b": 2} [3]\n'))
        assert [each.value for each in documents if isinstance(each, Document)] == [{"a": 1}, {"b": 2}, [3]]
        assert [each.line for each in documents if isinstance(each, Document)] == [1, 2, 2]

    def test_after_a_separator(self) -> None:
        assert values('---\n{"a": 1}\n---\n{"b": "\\ud83d\\ude00"}') == [{"a": 1}, {"b": "😀"}]

    def test_yaml_in_flow_style_is_no_json_and_fine(self) -> None:
        assert values("{a: 1, b: [x]}") == [{"a": 1, "b": ["x"]}]

    def test_lines_are_known_even_beside_characters_that_yaml_cannot_escape(self) -> None:
        (document,) = read_documents('{\n"a": "\\ud83d\\ude00",\n\t"b": {\n"c": 1}}')
        assert isinstance(document, Document)
        assert (document.line_of(("b", "c")), document.line_of(("b", "missing"))) == (4, 3)

    def test_a_fault(self) -> None:
        found = fault('{"a": 1,\n"b" 2}')
        assert (found.line, found.message) == (2, "not valid JSON: Expecting ':' delimiter (column 5)")


def test_duplicate_keys_are_each_told_with_their_line() -> None:
    (document,) = read_documents("a: 1\nb:\n- x: 1\n  y: 2\n  x: 3\na: 2\n")
    assert isinstance(document, Document)
    assert sorted((each.path, each.line) for each in document.duplicates) == [(("a",), 6), (("b", 0, "x"), 5)]


def test_duplicate_keys_in_json() -> None:
    (document,) = read_documents('{"a": {\n"b": 1,\n"b": 2}}')
    assert isinstance(document, Document)
    assert [(each.path, each.line) for each in document.duplicates] == [(("a", "b"), 3)]


def test_fields_know_their_lines() -> None:
    (document,) = read_documents("base: &b\n  x: 1\nuse:\n  <<: *b\n  list:\n  - one\n  -\n    k: v\n")
    assert isinstance(document, Document)
    lines = {
        path: document.line_of(path) for path in [("use",), ("use", "x"), ("use", "list", 1, "k"), ("use", "list", 0)]
    }
    assert lines == {("use",): 3, ("use", "x"): 2, ("use", "list", 1, "k"): 8, ("use", "list", 0): 6}
    assert document.written(("use", "list", 0)) == "one"
    assert document.written(("use",)) is None
