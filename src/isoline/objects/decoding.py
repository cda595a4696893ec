"""Manifests to typed objects. What is wrong is told all at once, with file, document, line and path.

Most objects are in order, so there are two ways: msgspec's conversion with a quick screening, and for what does not
pass it, the slow check that explains.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from isoline.objects.checking import Checker, Path, describe
from isoline.objects.core import Secret
from isoline.objects.errors import Finding, ObjectError, Problem, format_path
from isoline.objects.manifests import Document, Fault, read_documents
from isoline.objects.meta import Object
from isoline.objects.registry import BY_API, KINDS, Kind
from isoline.objects.rules import check_names, check_object
from isoline.objects.screening import screen
from isoline.objects.secrets import SecretValue, decode_hook
from isoline.objects.shapes import record_shape
from isoline.objects.suggestions import closest


class Located(NamedTuple):
    """An object and where it is written; `document` and `line` count from 1."""

    object: Object
    source: str
    document: int
    line: int


class Decoded(NamedTuple):
    """What a text holds. Unknown fields are `warnings`; whether they are accepted is the caller's to say."""

    located: list[Located]
    errors: list[Problem]
    warnings: list[Problem]

    @property
    def objects(self) -> list[Object]:
        """The objects in order, without their places."""
        return [located.object for located in self.located]


class _Entry(NamedTuple):
    """A value that should be an object, and its path in its document (not empty for an item of a list)."""

    value: Any
    path: Path


def decode_documents(data: bytes | str, *, source: str = "<stdin>") -> Decoded:
    """Return the objects of a text, YAML or JSON, of any number of documents and lists, and all that is wrong in it.

    Never raises for what is in the text. An object with an error is left out; the others are there. A namespaced
    object without a namespace is in `default`.
    """
    decoded = Decoded([], [], [])
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        decoded.errors.append(Problem(source, 1, line, "", "not UTF-8 text", "save the file as UTF-8"))
        return decoded
    with _collector_paused():
        for document in read_documents(text):
            if not isinstance(document, Document):
                number, fault = document
                decoded.errors.append(_problem_of_fault(source, number, fault))
            else:
                _decode_document(document, source, decoded)
    return decoded


def decode_object(data: bytes | str | dict[str, Any]) -> Object:
    """Return the object of one JSON value, as an API server sends it; unknown fields are ignored.

    Raises ObjectError with every problem. A namespaced object without a namespace is in `default`.
    """
    if not isinstance(data, dict):
        try:
            data = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise ObjectError([Problem("<object>", 1, 1, "", f"not valid JSON: {error}")]) from error
    kind = find_kind_of(data)
    if isinstance(kind, Finding):
        raise ObjectError([_problem(kind, "<object>", None, _subject(None, data))])
    assert isinstance(data, dict)
    result, findings = _convert(kind, {**data}, Checker())
    problems = [_problem(f, "<object>", None, _subject(kind, data)) for f in findings if not f.unknown]
    if result is None or problems:
        raise ObjectError(problems)
    return result


def find_kind_of(value: Any) -> Kind | Finding:
    """Return the kind that a plain value says it is, or why there is none."""
    if not isinstance(value, dict):
        return Finding((), f"found {describe(value)}, an object with apiVersion and kind is wanted")
    api_version, name = value.get("apiVersion"), value.get("kind")
    if isinstance(api_version, str) and isinstance(name, str) and (kind := BY_API.get((api_version, name))) is not None:
        return kind
    for field, found in (("apiVersion", api_version), ("kind", name)):
        if not isinstance(found, str):
            message = "required field is missing" if found is None else f"found {describe(found)}, a string is wanted"
            return Finding((field,), message)
    versions = [kind.api_version for kind in KINDS if kind.name == name]
    if versions:
        return Finding(("apiVersion",), f'found "{api_version}", {name} is known as {", ".join(versions)}')
    match = closest(str(name), [kind.name for kind in KINDS])
    hint = f'did you mean "{match}"?' if match else f"known are: {', '.join(kind.name for kind in KINDS)}"
    return Finding(("kind",), f'unknown kind "{name}" of {api_version}', hint)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the cycle collector, which would walk a long list's nodes again and again: 4 of 5 s for 10 000 items."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _decode_document(document: Document, source: str, decoded: Decoded) -> None:
    for fault in document.duplicates:
        decoded.errors.append(_problem_of_fault(source, document.number, fault))
    entries: list[_Entry] = list(_entries(_Entry(document.value, ())))
    for entry in entries:
        kind = find_kind_of(entry.value)
        if isinstance(kind, Finding):
            decoded.errors.append(_problem(kind, source, document, _subject(None, entry.value), entry.path))
            continue
        checker = Checker(lambda path, base=entry.path: document.written((*base, *path)))  # type: ignore[misc]
        result, findings = _convert(kind, entry.value, checker)
        subject = _subject(kind, entry.value) if findings else ""
        for finding in findings:
            found = decoded.warnings if finding.unknown else decoded.errors
            found.append(_problem(finding, source, document, subject, entry.path))
        if result is not None and not document.duplicates:
            decoded.located.append(Located(result, source, document.number, document.line_of(entry.path)))


def _entries(entry: _Entry) -> Iterator[_Entry]:
    value = entry.value
    if isinstance(value, dict) and isinstance(name := value.get("kind"), str) and name.endswith("List"):
        items = value.get("items")
        if isinstance(items, list):
            for index, item in enumerate(items):
                # Items of a typed list come without apiVersion and kind from some clients.
                typed = {"apiVersion": value.get("apiVersion"), "kind": name.removesuffix("List")}
                whole = {**typed, **item} if name != "List" and isinstance(item, dict) else item
                yield from _entries(_Entry(whole, (*entry.path, "items", index)))
            return
        if "items" in value and items is None:
            return
    yield entry


def _convert(kind: Kind, value: dict[str, Any], checker: Checker) -> tuple[Object | None, list[Finding]]:
    """Return the object, None where there are errors, and what was found. Changes `value`."""
    names = list(check_names(kind, value.get("metadata")))
    if kind.namespaced and isinstance(metadata := value.get("metadata"), dict) and not metadata.get("namespace"):
        value["metadata"] = {**metadata, "namespace": "default"}
    if not names and not screen(kind.type)(value):
        try:
            result = msgspec.convert(value, kind.type, dec_hook=decode_hook)
        except msgspec.ValidationError:
            pass
        else:
            findings = list(check_object(result))
            return (_finished(result), findings) if not findings else (None, findings)
    cleaned = checker.check(record_shape(kind.type), value)
    told = {finding.path for finding in names}
    findings = names + [finding for finding in checker.findings if finding.path not in told]
    if any(not finding.unknown for finding in findings):
        return None, findings
    result = msgspec.convert(cleaned, kind.type, dec_hook=decode_hook)
    findings += check_object(result)
    return (_finished(result) if all(finding.unknown for finding in findings) else None), findings


def _finished(item: Object) -> Object:
    """Return a Secret with its `stringData` folded into `data`, as the API server does; anything else as it is."""
    if isinstance(item, Secret) and item.string_data:
        data = item.data | {name: SecretValue(value) for name, value in item.string_data.items()}
        return msgspec.structs.replace(item, data=data, string_data={})
    return item


def _subject(kind: Kind | None, value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    name = kind.name if kind is not None else value.get("kind")
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    parts = [metadata.get("namespace") or "default", metadata.get("name") or "?"]
    place = "/".join(map(str, parts)) if kind is None or kind.namespaced else str(parts[1])
    return f"{name} {place}" if name else ""


def _problem(finding: Finding, source: str, document: Document | None, subject: str, base: Path = ()) -> Problem:
    path = (*base, *finding.path)
    number, line = (document.number, document.line_of(path)) if document is not None else (1, 1)
    return Problem(source, number, line, format_path(path), finding.message, finding.hint, subject)


def _problem_of_fault(source: str, number: int, fault: Fault) -> Problem:
    return Problem(source, number, fault.line, format_path(fault.path), fault.message, fault.hint)
