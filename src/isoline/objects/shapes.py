"""The shape of each type, derived from it once: what the checks, the CRDs and the tests walk."""

from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from isoline.objects.meta import ObjectMeta
from isoline.objects.secrets import SecretText, SecretValue


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a value may be. `description` is of the field that holds it; `nullable` allows null besides."""

    description: str = ""
    nullable: bool = False


class Scalar(Shape, frozen=True, kw_only=True):
    """`kind` is string, integer, number or boolean; `choices` are all values of an enumeration."""

    kind: str
    choices: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    format: str = ""
    shortest: int = 0
    """Of a string, in characters."""
    pattern: str = ""
    """What a string must match; a format says more to people."""


class Encoded(Shape, frozen=True, kw_only=True):
    """Bytes in a string: base64, or plain text for `stringData`."""

    secret: bool
    base64: bool


class Sequence(Shape, frozen=True, kw_only=True):
    item: Shape
    fewest: int = 0
    most: int | None = None


class Mapping(Shape, frozen=True, kw_only=True):
    value: Shape


class Record(Shape, frozen=True, kw_only=True):
    """An object with fields. Its fields are looked up when they are needed, as types may be large."""

    type: type[msgspec.Struct]

    @property
    def fields(self) -> dict[str, "FieldShape"]:
        """The fields by JSON name."""
        return record_fields(self.type)

    @property
    def ignored(self) -> frozenset[str]:
        """Fields that are known but dropped when read."""
        return _IGNORED if self.type is ObjectMeta else frozenset()


class OneOf(Shape, frozen=True, kw_only=True):
    options: tuple[Shape, ...]


class Anything(Shape, frozen=True, kw_only=True):
    """Handed on as it is."""


class FieldShape(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a record. `default` is None where there is none that is worth telling."""

    attribute: str
    shape: Shape
    required: bool
    default: Any = None


_IGNORED = frozenset({"managedFields", "selfLink"})


@cache
def record_shape(record: type[msgspec.Struct]) -> Record:
    """Return the shape of a struct type."""
    return Record(type=record, description=" ".join((record.__doc__ or "").split()))


@cache
def record_fields(record: type[msgspec.Struct]) -> dict[str, FieldShape]:
    """Return the fields of a struct type by JSON name, in their order."""
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    return {
        field.encode_name: FieldShape(
            attribute=field.name,
            shape=_translate(field.type),
            required=field.required,
            default=field.default if isinstance(field.default, str | int | float | bool) else None,
        )
        for field in info.fields
    }


def _translate(info: inspect.Type) -> Shape:  # noqa: C901 - one line for each type there is
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=schema, extra=extra):
            shape = _translate(inner)
            if extra and "format" in extra:
                shape = msgspec.structs.replace(shape, format=extra["format"])
            return msgspec.structs.replace(shape, description=(schema or {}).get("description", shape.description))
        case inspect.UnionType(types=types):
            return _union(types)
        case inspect.StructType(cls=cls):
            return record_shape(cls)
        case (
            inspect.ListType(item_type=item, min_length=fewest, max_length=most)
            | inspect.VarTupleType(item_type=item, min_length=fewest, max_length=most)
        ):
            return Sequence(item=_translate(item), fewest=fewest or 0, most=most)
        case inspect.DictType(value_type=value):
            return Mapping(value=_translate(value))
        case inspect.StrType(min_length=shortest, max_length=None, pattern=pattern):
            return Scalar(kind="string", shortest=shortest or 0, pattern=pattern or "")
        case inspect.BoolType():
            return Scalar(kind="boolean")
        case inspect.IntType(ge=ge, le=le):
            return Scalar(kind="integer", minimum=ge, maximum=le)
        case inspect.FloatType(ge=ge, le=le):
            return Scalar(kind="number", minimum=ge, maximum=le)
        case inspect.LiteralType(values=values):
            return Scalar(kind="string", choices=tuple(str(value) for value in values))
        case inspect.BytesType():
            return Encoded(secret=False, base64=True)
        case inspect.CustomType(cls=cls) if issubclass(cls, SecretValue):
            return Encoded(secret=True, base64=not issubclass(cls, SecretText))
        case inspect.AnyType():
            return Anything()
    raise TypeError(f"no shape for {info}")


def _union(types: tuple[inspect.Type, ...]) -> Shape:
    options = tuple(_translate(option) for option in types if not isinstance(option, inspect.NoneType))
    nullable = len(options) < len(types)
    if len(options) == 1:
        return msgspec.structs.replace(options[0], nullable=nullable)
    return OneOf(options=options, nullable=nullable)
