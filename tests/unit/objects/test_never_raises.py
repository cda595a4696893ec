"""Whatever a text holds, decoding tells; it does not raise, and nothing disappears in silence."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from isoline.objects import decode_documents, to_yaml
from isoline.objects.registry import KINDS

WORDS = ["---\n", "...\n", "a: ", "- ", "{", "}", "[", "]", "&x ", "*x", "<<: ", "!!int ", "!y ", "|\n", "\t", "'", '"']
WORDS += ["? ", ": ", "#", "%YAML 1.1\n", "%TAG ! x\n", "\n  ", "\n", "1e3", "\ufeff", "\x00", "\x85", "{{ x }}"]
WORDS += ["apiVersion: v1\n", "kind: Service\n", "kind: List\nitems:\n", "metadata: {name: a}\n", "items: [{}]\n"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join) | st.text() | st.binary())
def test_any_text(text: str | bytes) -> None:
    decoded = decode_documents(text)
    for problem in decoded.errors + decoded.warnings:
        assert problem.line >= 1
        assert problem.document >= 1
        assert problem.message


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_what_is_no_object_is_an_error(value: Any) -> None:
    assert bool(decode_documents(to_yaml({"value": value})).errors)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(KINDS), metadata=VALUES, spec=VALUES, data=VALUES)
def test_any_value_in_any_field(kind: Any, metadata: Any, spec: Any, data: Any) -> None:
    value = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec, "data": data}
    decoded = decode_documents(to_yaml(value))
    assert decoded.errors or decoded.objects
