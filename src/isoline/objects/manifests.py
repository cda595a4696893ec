"""Text to documents, YAML or JSON, each with its value and the line of every field."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.nodes import Node, ScalarNode

from isoline.objects.errors import PathStep
from isoline.objects.yaml_nodes import DEEPEST, Builder, NodeError, Reader, child, duplicate_keys, walk

Path = tuple[PathStep, ...]

_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class Fault(NamedTuple):
    """A fault in the text itself, which ends its document. `line` counts from 1."""

    line: int
    message: str
    hint: str = ""
    path: Path = ()


class Document:
    """One document: its value as plain Python, and where each field stands. `number` counts from 1."""

    def __init__(self, number: int, value: Any, *, text: str, first_line: int, node: Node | None) -> None:
        self.number = number
        self.value = value
        self.duplicates: list[Fault] = []
        self._text, self._first_line, self._node = text, first_line, node

    @property
    def line(self) -> int:
        """The line on which the document's value begins."""
        return self.line_of(())

    def line_of(self, path: Path) -> int:
        """Return the line of a field, or of the innermost parent that is there."""
        place, _ = self._find(path)
        return self._first_line + (int(place.start_mark.line) if place is not None else 0)

    def written(self, path: Path) -> str | None:
        """Return a scalar as it stands in the text, without quotes; None for what is no scalar or not there."""
        _, node = self._find(path)
        return str(node.value) if isinstance(node, ScalarNode) else None

    def note_duplicates(self) -> None:
        """Look for keys that are there twice, and note each."""
        root = self._root()
        if root is None:
            self.duplicates.append(Fault(self._first_line, "a mapping has one key twice", "keep one of the two"))
            return
        for key, path in duplicate_keys(root):
            line = self._first_line + int(key.start_mark.line)
            self.duplicates.append(Fault(line, "the key is there twice", "keep one of the two", path))

    def _root(self) -> Node | None:
        # JSON is read by Python's own parser; nodes are only needed to tell lines, so only where something is wrong.
        if self._node is None:
            try:
                self._node = Reader(_SURROGATES.sub(_character, self._text)).get_single_node()
            except (yaml.YAMLError, NodeError):
                return None
        return self._node

    def _find(self, path: Path) -> tuple[Node | None, Node | None]:
        place = node = self._root()
        for step in path:
            found = child(node, step) if node is not None else None
            if found is None:
                return place, None
            place, node = found
        return place, node


def read_documents(text: str) -> Iterator[Document | tuple[int, Fault]]:
    """Yield each document that is not empty, or its number and the fault that makes it unreadable.

    A document ends at a line `---`, so that a fault in one leaves the others readable.
    """
    number, line = 1, 1
    held = ""
    for piece, separated in _pieces(text.removeprefix("\ufeff")):
        number += separated
        chunk = held + piece
        if _only_directives(chunk):
            held = chunk
            continue
        yield from _read(chunk, number, line)
        line += chunk.count("\n")
        held = ""


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the text between separators, each with the separator before it, and whether it begins another document."""
    starts = [match.start() for match in _SEPARATOR.finditer(text)]
    before = False
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        piece = text[start:end]
        yield piece, before
        before = before or start > 0 or not _only_remarks(piece)


def _only_remarks(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith(("#", "%")) for line in text.splitlines())


def _only_directives(text: str) -> bool:
    return "%" in text and any(line.startswith("%") for line in text.splitlines()) and _only_remarks(text)


def _read(text: str, number: int, line: int) -> Iterator[Document | tuple[int, Fault]]:
    unmarked = text.replace("---", "   ", 1) if text.startswith("---") else text
    content = unmarked.lstrip()
    if content[:1] in ("{", "["):
        try:
            yield from list(_read_json(unmarked, number, line))
        except json.JSONDecodeError as error:
            if content[1:].lstrip()[:1] == '"' and '":' in content:
                yield number, Fault(line + error.lineno - 1, f"not valid JSON: {error.msg} (column {error.colno})")
                return
        except RecursionError:
            yield number, Fault(line, f"nested more than {DEEPEST} levels deep")
            return
        else:
            return
    try:
        yield from _read_yaml(text, number, line)
    except (yaml.YAMLError, NodeError) as error:
        yield number, _yaml_fault(error, text, line)


def _read_yaml(text: str, number: int, line: int) -> Iterator[Document | tuple[int, Fault]]:
    reader = Reader(text)
    while reader.check_node():
        node = reader.get_node()
        assert node is not None
        builder = Builder(len(text))
        try:
            value = builder.build(node)
        except NodeError as error:
            place = error.node if error.node is not None else node
            path = next((path for each, path in walk(node) if each is place), ())
            yield number, Fault(line + int(place.start_mark.line), error.message, error.hint, path)
            continue
        if value is not None:
            document = Document(number, value, text=text, first_line=line, node=node)
            if builder.duplicated:
                document.note_duplicates()
            yield document


def _read_json(text: str, number: int, line: int) -> Iterator[Document]:
    duplicated = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicated
        result = dict(items)
        duplicated = duplicated or len(result) < len(items)
        return result

    decoder = json.JSONDecoder(object_pairs_hook=pairs)
    position = len(text) - len(text.lstrip())
    while position < len(text):
        duplicated = False
        value, end = decoder.raw_decode(text, position)
        first_line = line + text.count("\n", 0, position)
        document = Document(number, value, text=text[position:end], first_line=first_line, node=None)
        if duplicated:
            document.note_duplicates()
        yield document
        position = end + len(text[end:]) - len(text[end:].lstrip())


def _yaml_fault(error: Exception, text: str, line: int) -> Fault:
    if isinstance(error, NodeError):
        place = error.node.start_mark.line if error.node is not None else 0
        return Fault(line + int(place), error.message, error.hint)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    place = mark.line if mark is not None else text.count("\n", 0, max(getattr(error, "position", 0) or 0, 0))
    return Fault(line + int(place), f"not valid YAML: {problem}", _yaml_hint(text, str(problem), int(place)))


def _yaml_hint(text: str, problem: str, place: int) -> str:
    lines = text.splitlines()
    # libyaml often notices only on the line after the one at fault.
    near = lines[max(place - 1, 0) : place + 1]
    if any("{{" in each for each in near):
        return "a value with {{ }} needs quotes; a template must be rendered first"
    if "'\\t'" in problem or any("\t" in each[: len(each) - len(each.lstrip())] for each in near):
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in problem:
        return 'check the indentation, and put a value that holds ": " in quotes'
    return ""


def _character(match: re.Match[str]) -> str:
    high, low = int(match[1], 16), int(match[2], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
