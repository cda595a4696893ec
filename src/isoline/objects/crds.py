"""CustomResourceDefinitions of our own kinds, generated from their types, descriptions and defaults included."""

from typing import Any, NamedTuple

from isoline.objects.app import App
from isoline.objects.formats import FORMATS
from isoline.objects.gateway_config import GatewayConfig
from isoline.objects.meta import Object, ObjectMeta
from isoline.objects.registry import BY_NAME, Kind
from isoline.objects.shapes import (
    Anything,
    Encoded,
    FieldShape,
    Mapping,
    OneOf,
    Record,
    Scalar,
    Sequence,
    Shape,
    record_shape,
)
from isoline.objects.traffic_policy import TrafficPolicy


class _Column(NamedTuple):
    """A column of `kubectl get`. `priority` 1 shows it only with `-o wide`."""

    name: str
    type: str
    path: str
    priority: int = 0


_AGE = _Column("Age", "date", ".metadata.creationTimestamp")
_COLUMNS: dict[type[Object], tuple[_Column, ...]] = {
    App: (
        _Column("Phase", "string", ".status.phase"),
        _Column("Ready", "integer", ".status.readyReplicas"),
        _Column("Address", "string", ".status.address"),
        _Column("Version", "string", ".status.version", 1),
        _Column("Profile", "string", ".status.profile", 1),
        _AGE,
    ),
    GatewayConfig: (_Column("Addresses", "string", ".status.addresses"), _AGE),
    TrafficPolicy: (
        _Column("Accepted", "string", '.status.conditions[?(@.type=="Accepted")].status'),
        _Column("Reason", "string", '.status.conditions[?(@.type=="Accepted")].reason'),
        _AGE,
    ),
}
# Kubernetes' names for what the schema language calls an IntOrString and an opaque value.
_INT_OR_STRING = {"x-kubernetes-int-or-string": True}
_OPAQUE = {"x-kubernetes-preserve-unknown-fields": True}


def crd_documents() -> list[dict[str, Any]]:
    """Return an apiextensions.k8s.io/v1 CustomResourceDefinition, as plain data, for each kind of our own."""
    return [_definition(BY_NAME[record.__name__], columns) for record, columns in _COLUMNS.items()]


def _definition(kind: Kind, columns: tuple[_Column, ...]) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.name.lower(),
        "categories": ["isoline"],
    }
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _schema(record_shape(kind.type))},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in columns],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _column(column: _Column) -> dict[str, Any]:
    entry = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return entry | ({"priority": column.priority} if column.priority else {})


def _record(shape: Record) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if shape.fields:
        schema["properties"] = {name: _field(name, field) for name, field in shape.fields.items()}
    required = [name for name, field in shape.fields.items() if field.required]
    return schema | ({"required": required} if required else {})


def _field(name: str, field: FieldShape) -> dict[str, Any]:
    if name in ("apiVersion", "kind") and isinstance(field.shape, Scalar) and len(field.shape.choices) == 1:
        return {"type": "string"}
    schema = _schema(field.shape)
    # Empty defaults say what absence says already.
    if field.default not in (None, "", 0, False):
        schema["default"] = field.default
    return schema


def _schema(shape: Shape) -> dict[str, Any]:
    described = {"description": shape.description} if shape.description else {}
    match shape:
        case Record(type=record) if record is ObjectMeta:
            # The API server knows it, and takes no other word about it.
            return {"type": "object"}
        case Record():
            return described | _record(shape)
        case Sequence(item=item):
            return described | {"type": "array", "items": _schema(item)} | _length(shape)
        case Mapping(value=value):
            return described | {"type": "object", "additionalProperties": _schema(value)}
        case Scalar():
            return described | _scalar(shape)
        case Encoded():
            return described | {"type": "string", "format": "byte"}
        case OneOf(options=options):
            return described | _one_of(options)
        case Anything():
            return described | _OPAQUE
    raise TypeError(shape)


def _length(shape: Sequence) -> dict[str, Any]:
    fewest = {"minItems": shape.fewest} if shape.fewest else {}
    return fewest | ({"maxItems": shape.most} if shape.most is not None else {})


def _scalar(shape: Scalar) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": shape.kind}
    if shape.choices:
        schema["enum"] = list(shape.choices)
    if shape.shortest:
        schema["minLength"] = shape.shortest
    if shape.pattern:
        schema["pattern"] = shape.pattern
    if shape.format:
        schema["pattern"] = FORMATS[shape.format].pattern
    if shape.minimum is not None:
        schema["minimum"] = shape.minimum
    if shape.maximum is not None:
        schema["maximum"] = shape.maximum
    return schema


def _one_of(options: tuple[Shape, ...]) -> dict[str, Any]:
    scalars = [option for option in options if isinstance(option, Scalar)]
    if len(scalars) == len(options) and {scalar.kind for scalar in scalars} <= {"integer", "number", "string"}:
        pattern = next((FORMATS[scalar.format].pattern for scalar in scalars if scalar.format), None)
        return _INT_OR_STRING | ({"pattern": pattern} if pattern else {})
    # A structural schema cannot say "a string or a list"; decoding checks it.
    return dict(_OPAQUE)
