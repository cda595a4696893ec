"""What is decoded and encoded again is the same object, in JSON and in YAML, and the same bytes."""

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isoline.objects import ConfigMap, ObjectMeta, decode_documents, decode_object, encode, to_dict, to_yaml
from isoline.objects.meta import ObjectMeta as Metadata
from isoline.objects.registry import KINDS, Kind
from isoline.objects.rules import check_object
from isoline.objects.shapes import (
    Anything,
    Encoded,
    Mapping,
    OneOf,
    Record,
    Scalar,
    Sequence,
    Shape,
    record_shape,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
WORDS = st.sampled_from(
    ["y", "no", "1e3", "0644", "1:30", "2024-01-01", "~", "", "null", "- a", "a: b", "#", "a\nb\n", " x"]
)
FORMATTED = {
    "duration": ["30s", "infinity"],
    "quantity": ["16Gi", "2"],
    "cidr": ["10.0.0.0/8"],
    "address": ["::"],
    "host": ["a.example.com"],
    "endpoint": ["[::1]:4317"],
    "path": ["/v1"],
    "schedule": ["@daily"],
    "name": ["a-1"],
}


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """JSON values that a shape allows."""
    match shape:
        case Record() if shape.type is Metadata and depth == 1:
            return records(shape, depth).map(lambda value: value | {"name": "a", "namespace": ""})
        case Record():
            return records(shape, depth)
        case Sequence(item=item, fewest=fewest):
            return st.deferred(lambda: st.lists(values(item, depth + 1), min_size=fewest, max_size=max(2, fewest)))
        case Mapping(value=value):
            return st.dictionaries(TEXT | WORDS, values(value, depth + 1), max_size=2)
        case OneOf(options=options):
            return st.one_of([values(option, depth) for option in options])
        case Encoded(base64=base64):
            return st.sampled_from(["aGk=", "", "AA=="]) if base64 else TEXT
        case Scalar():
            return scalars(shape)
        case Anything():
            return st.none() | st.booleans() | TEXT | st.lists(st.integers(-5, 5), max_size=2)
    raise TypeError(shape)


def records(shape: Record, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: values(field.shape, depth + 1) for name, field in shape.fields.items() if field.required}
    others = {name: field for name, field in shape.fields.items() if not field.required and name != "stringData"}
    chosen = st.lists(st.sampled_from(sorted(others)), unique=True, max_size=4) if others else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries(required | {name: values(others[name].shape, depth + 1) for name in names})
    )


def scalars(shape: Scalar) -> st.SearchStrategy[Any]:
    if shape.choices:
        return st.sampled_from(shape.choices)
    if shape.format:
        return st.sampled_from(FORMATTED[shape.format])
    if shape.pattern:
        return st.from_regex(shape.pattern, fullmatch=True)
    match shape.kind:
        case "string":
            return (TEXT | WORDS).filter(lambda text: len(text) >= shape.shortest)
        case "integer":
            low = 0 if shape.minimum is None else int(shape.minimum)
            return st.integers(low, 65535 if shape.maximum is None else int(shape.maximum))
        case "number":
            return st.floats(shape.minimum or 0, 1000 if shape.maximum is None else shape.maximum, allow_nan=False)
    return st.booleans()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_decoding_and_encoding_undo_each_other(kind: Kind, data: st.DataObject) -> None:
    value = data.draw(values(record_shape(kind.type)))
    metadata = value["metadata"] | ({"namespace": "b"} if kind.namespaced else {})
    if kind.name == "GatewayConfig":
        metadata["name"] = "default"
    value |= {"metadata": metadata, "apiVersion": kind.api_version, "kind": kind.name}
    if "spec" in value and kind.name in ("App", "GatewayConfig", "Deployment"):
        value["spec"] = abide(kind, value["spec"])
    item = decode_object(value)
    assert list(check_object(item)) == []
    assert decode_object(encode(item)) == item
    assert encode(decode_object(encode(item))) == encode(item)
    assert list(lost(record_shape(kind.type), value, to_dict(item), "")) == []
    decoded = decode_documents(to_yaml(item))
    assert (decoded.errors, decoded.warnings, decoded.objects) == ([], [], [item])


def abide(kind: Kind, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec without what breaks the rules between fields, which have tests of their own."""
    if isinstance(spec.get("tracing"), dict):
        spec["tracing"].pop("customTags", None)
    if kind.name == "Deployment":
        template = {"metadata": {}, "spec": {"containers": [{"name": "a"}]}}
        return spec | {"selector": {}, "template": template}
    broken = {"run", "scale", "tls", "storage", "listeners", "accessLogs", "policy"}
    return {name: value for name, value in spec.items() if name not in broken} | (
        {"profile": "x"} if kind.name == "App" else {}
    )


def lost(shape: Shape, before: Any, after: Any, path: str) -> Any:
    """Yield the path of every value that is not there any more and was neither empty nor the default."""
    match shape:
        case Record():
            for name, field in shape.fields.items():
                default = {"currentStatus": "NotReconciled"}.get(name, field.default)
                if name in before and name in after:
                    yield from lost(field.shape, before[name], after[name], f"{path}.{name}")
                elif name in before and before[name] not in (default, None, "", [], {}):
                    yield f"{path}.{name}"
        case Sequence(item=item):
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from lost(item, one, other, f"{path}[{index}]")
        case Mapping():
            if before != after:
                yield path
        case _:
            if before != after:
                yield path


def test_equal_objects_are_equal_bytes_whatever_their_order() -> None:
    one = decode_object(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}}
    )
    other = decode_object(
        {"data": {"y": "2", "x": "1"}, "kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}}
    )
    assert one == other
    assert encode(one) == encode(other)


def test_json_begins_with_what_it_is_and_leaves_defaults_out() -> None:
    item = ConfigMap(metadata=ObjectMeta(name="a", namespace="b"), data={"x": "y"})
    expected = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"},"data":{"x":"y"}}'
    assert encode(item) == expected
    assert list(to_dict(item)) == ["apiVersion", "kind", "metadata", "data"]


HARD = ["y", "no", "on", "1e3", "0644", "0x1f", "1_000", "~", "", "2024-01-01", "12:30", "a: b", "- a", "é"]
HARD += ["\x85", "a\u2028b\n", "x\n\n", " a\n b"]


@pytest.mark.parametrize("text", HARD)
def test_yaml_keeps_strings_strings_for_every_reader(text: str) -> None:
    written = to_yaml(ConfigMap(metadata=ObjectMeta(name="a"), data={"k": text}))
    assert decode_documents(written).objects[0].data == {"k": text}  # type: ignore[attr-defined]
    assert yaml.safe_load(written)["data"] == {"k": text}


def test_yaml_of_several_objects() -> None:
    items = [ConfigMap(metadata=ObjectMeta(name=name, namespace="b")) for name in "ac"]
    assert decode_documents(to_yaml(*items)).objects == items
