"""Our types have exactly the fields of Contour's CRDs, with their types and defaults.

`contour_schema.json` is the property tree of the published schema: a `*` marks a required field, `=` a default.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from isoline.objects.meta import ObjectMeta
from isoline.objects.registry import BY_API
from isoline.objects.shapes import FieldShape, Mapping, Record, Scalar, Sequence, Shape, record_shape

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "contour_schema.json").read_text())

# What may be absent here, as the compiler answers its absence with the API's own status words, and what is optional
# since a status may be written in parts. Path ends.
LENIENT = ("fqdn", "port", "healthCheckPolicy.path", "reason", "message", "lastTransitionTime")
# An ExtensionService without a spec or a name says nothing, whatever its schema allows.
STRICTER = ("metadata", "spec")
# Defaults that the schema leaves to prose, or that stand for "unset".
OUR_DEFAULTS = {"status.currentStatus": "NotReconciled", "status.description": "Waiting for controller"}


@pytest.mark.parametrize("title", SCHEMAS)
def test_every_field_is_there_and_no_other(title: str) -> None:
    api_version, _, kind = title.partition(" ")
    differences = list(_compare(SCHEMAS[title], record_shape(BY_API[api_version, kind].type), ""))
    assert differences == []


def test_the_comparison_sees_a_difference() -> None:
    schema = {"name*": "string", "weight": "integer=3", "mirror": "boolean", "unheard": "string"}
    shape = Record(type=BY_API["projectcontour.io/v1", "HTTPProxy"].type)
    assert len(list(_compare(schema, shape, ""))) == 4 + 5


def _compare(expected: Any, shape: Shape, path: str) -> Any:
    match expected, shape:
        case dict(), Record() if shape.type is ObjectMeta:
            return
        case dict(), Record():
            yield from _compare_fields(expected, shape, path)
        case {"<any>": value}, Mapping():
            yield from _compare(value, shape.value, f"{path}.*")
        case [item], Sequence():
            yield from _compare(item, shape.item, path)
        case str(), Scalar():
            if expected != shape.kind:
                yield f"{path}: {expected} there, {shape.kind} here"
        case _:
            yield f"{path}: {expected} there, {shape} here"


def _compare_fields(expected: dict[str, Any], shape: Record, path: str) -> Any:
    fields = shape.fields
    theirs = {name.rstrip("*"): (name.endswith("*"), value) for name, value in expected.items()}
    for name in fields.keys() ^ theirs.keys():
        yield f"{path}.{name}: {'not there' if name in fields else 'not here'}"
    for name in fields.keys() & theirs.keys():
        required, value = theirs[name]
        here = f"{path}.{name}".lstrip(".")
        default = None
        if isinstance(value, str) and "=" in value:
            value, _, text = value.partition("=")
            default = json.loads(text)
        yield from _compare(value, fields[name].shape, here)
        yield from _compare_presence(fields[name], here, required=required, default=default)


def _compare_presence(field: FieldShape, path: str, *, required: bool, default: Any) -> Any:
    if required != field.required and not path.endswith(LENIENT if required else STRICTER):
        yield f"{path}: {'required' if required else 'optional'} there"
    if (field.default or None) != (default or OUR_DEFAULTS.get(path)):
        yield f"{path}: default {default} there, {field.default} here"
