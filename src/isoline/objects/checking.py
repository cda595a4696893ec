"""The slow look at an object: every fault, with its path, what was found and what is allowed."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from isoline.objects.errors import Finding, PathStep
from isoline.objects.formats import FORMATS
from isoline.objects.shapes import Anything, Encoded, FieldShape, Mapping, OneOf, Record, Scalar, Sequence, Shape
from isoline.objects.suggestions import closest, suggestion
from isoline.objects.yaml_scalars import resolve_plain

Path = tuple[PathStep, ...]
# The text of a scalar as it stands in the file, or None where that is not known.
Written = Callable[[Path], str | None]

_NAMES = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false"}
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


class Checker:
    """Collects in `findings` all that is wrong with a value, and returns the value without what can be left out."""

    def __init__(self, written: Written = lambda _: None) -> None:
        self.findings: list[Finding] = []
        self._written = written

    def check(self, shape: Shape, value: Any, path: Path = ()) -> Any:
        """Return the value less its nulls (which mean "not set") and unknown fields, with what is wrong noted."""
        match shape:
            case Anything():
                return value
            case Record():
                return self._record(shape, value, path)
            case Sequence(item=item):
                if not isinstance(value, list):
                    return self._wrong(value, path, "a list", "start each item with '- '" if value is not None else "")
                self._count(shape, value, path)
                return [self.check(item, each, (*path, index)) for index, each in enumerate(value)]
            case Mapping(value=inner):
                if not isinstance(value, dict):
                    return self._wrong(value, path, "a mapping")
                return {name: self.check(inner, each, (*path, name)) for name, each in value.items()}
            case OneOf():
                return self._one_of(shape, value, path)
            case Encoded():
                return self._encoded(shape, value, path)
            case Scalar():
                return self._scalar(shape, value, path)
        raise TypeError(shape)

    def _note(self, path: Path, message: str, hint: str = "", *, unknown: bool = False) -> None:
        self.findings.append(Finding(path, message, hint, unknown))

    def _wrong(self, value: Any, path: Path, wanted: str, hint: str = "", *, secret: bool = False) -> Any:
        found = kind_of(value) if secret else describe(value, self._written(path))
        self._note(path, f"found {found}, {wanted} is wanted", hint)
        return value

    def _record(self, shape: Record, value: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            return self._wrong(value, path, "a mapping")
        fields = shape.fields
        cleaned = {}
        for name, item in value.items():
            here = (*path, name)
            if name not in fields:
                # What a cluster wrote there is not the user's, and newer clusters write more.
                if name not in shape.ignored and "status" not in path[:1]:
                    self._note(here, "unknown field", _meant(name, fields), unknown=True)
            elif item is not None:
                cleaned[name] = self.check(fields[name].shape, item, here)
        self._missing(fields, cleaned, path)
        return cleaned

    def _missing(self, fields: dict[str, FieldShape], present: dict[str, Any], path: Path) -> None:
        for name, field in fields.items():
            if field.required and name not in present:
                self._note((*path, name), "required field is missing")

    def _one_of(self, shape: OneOf, value: Any, path: Path) -> Any:
        for option in shape.options:
            if _accepts(option, value):
                return self.check(option, value, path)
        return self._wrong(value, path, " or ".join(_wanted(option) for option in shape.options))

    def _encoded(self, shape: Encoded, value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            return self._wrong(value, path, "a string", secret=shape.secret)
        if shape.base64:
            try:
                base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                place = "stringData" if shape.secret else "data"
                hint = f"encode it, or put plain text under {place}"
                self._note(path, "the value is not base64", hint)
        return value

    def _scalar(self, shape: Scalar, value: Any, path: Path) -> Any:
        if not _accepts(shape, value):
            return self._wrong(value, path, _wanted(shape), self._cure(shape, value, path))
        if shape.choices and value not in shape.choices:
            allowed = ", ".join(map(str, shape.choices))
            self._note(path, f'found "{value}", allowed are: {allowed}', _guess(str(value), shape))
        low, high = shape.minimum, shape.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            allowed = f"{low} to {high}" if high is not None else f"{low} or more"
            self._note(path, f"found {value}, {allowed} is wanted")
        if isinstance(value, str) and len(value) < shape.shortest:
            few = "is empty" if not value else f'found "{value}", at least {shape.shortest} characters are wanted'
            self._note(path, few)
        elif shape.pattern and not re.search(shape.pattern, str(value)):
            self._note(path, f'found "{value}", which does not match {shape.pattern}')
        if shape.format and isinstance(value, str):
            try:
                FORMATS[shape.format].check(value)
            except ValueError as error:
                self._note(path, str(error))
        return value

    def _count(self, shape: Sequence, value: list[Any], path: Path) -> None:
        if len(value) < shape.fewest:
            self._note(path, f"has {len(value)} entries, at least {shape.fewest} are wanted")
        if shape.most is not None and len(value) > shape.most:
            self._note(path, f"has {len(value)} entries, at most {shape.most} are allowed")

    def _cure(self, shape: Scalar, value: Any, path: Path) -> str:
        if shape.kind == "string" and isinstance(value, bool | int | float):
            return f'put it in quotes: "{self._written(path) or _plain(value)}"'
        if shape.kind == "string" and value is None:
            return 'write "" for an empty string'
        if isinstance(value, str) and _accepts(shape, resolve_plain(value.strip())):
            return f"remove the quotes: {value.strip()}"
        return ""


def _guess(value: str, shape: Scalar) -> str:
    hint = suggestion(value, map(str, shape.choices))
    return hint if hint.startswith("did you mean") else ""


def _accepts(shape: Shape, value: Any) -> bool:
    match shape:
        case Scalar(kind=kind):
            if isinstance(value, bool):
                return kind == "boolean"
            whole = kind == "integer" and isinstance(value, float) and value.is_integer()
            return whole or isinstance(value, _TYPES[kind])
        case Sequence():
            return isinstance(value, list)
        case Record() | Mapping():
            return isinstance(value, dict)
    return isinstance(value, str)


def _wanted(shape: Shape) -> str:
    match shape:
        case Scalar(kind=kind):
            return _NAMES[kind]
        case Sequence():
            return "a list"
        case Record() | Mapping():
            return "a mapping"
    return "a string"


def _meant(name: str, fields: dict[str, FieldShape]) -> str:
    """The hint about an unknown field: most like one of these, or one of the same name that belongs a level deeper."""
    if closest(name, fields) is None:
        for outer, field in fields.items():
            if isinstance(field.shape, Record) and name in field.shape.fields:
                return f'did you mean "{outer}.{name}"?'
    return suggestion(name, fields)


def kind_of(value: Any) -> str:
    """Return what a value is, without saying which: `an integer`."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
    return "a mapping"


def describe(value: Any, written: str | None = None) -> str:
    """Return what a value is and, for a short scalar, which: `7860 (an integer)`."""
    if value is None or isinstance(value, list | dict):
        return kind_of(value)
    text = f'"{value}"' if isinstance(value, str) else _plain(value)
    if len(text) > 60:
        text = text[:57] + '…"'
    if written is not None and not isinstance(value, str) and written != text:
        return f"{text} ({kind_of(value)}, written as {written})"
    return f"{text} ({kind_of(value)})"


def _plain(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
