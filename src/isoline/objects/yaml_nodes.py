"""YAML text to nodes, and nodes to plain Python values as Kubernetes sees them.

PyYAML's own loader will not do: it turns dates into date objects and `1:30` into 90, lets the second of two equal
keys win in silence, and bounds neither what aliases multiply nor how deep a document goes.
"""

from collections.abc import Iterator
from sys import intern
from typing import Any

from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from isoline.objects.errors import PathStep
from isoline.objects.yaml_scalars import resolve_plain

Path = tuple[PathStep, ...]

# Deeper than any manifest, and shallower than where libyaml's binding overflows the stack.
DEEPEST = 200
# Values that aliases may add to a document beyond the size of its text.
_ALIASED = 100_000

# What this module's reader calls a scalar without quotes; the other tags are YAML's.
_PLAIN = "plain"
_PREFIX = "tag:yaml.org,2002:"
_STRING, _MAPPING, _SEQUENCE = f"{_PREFIX}str", f"{_PREFIX}map", f"{_PREFIX}seq"
_RESOLVED_TAGS = frozenset(_PREFIX + name for name in ("int", "float", "bool", "null"))
_STRING_TAGS = frozenset({_STRING, "!", f"{_PREFIX}binary", f"{_PREFIX}timestamp"})


class NodeError(Exception):
    """A node that has no value; `node` is None where the fault is in the document as a whole."""

    def __init__(self, node: Node | None, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.node, self.message, self.hint = node, message, hint


class Reader(CParser):
    """libyaml's parser and composer, with tags that tell plain scalars from quoted ones, and a bound on depth."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[Node], _value: str | None, implicit: Any) -> str:
        """Return the tag of a node that has none. Called by libyaml's binding for every node."""
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _STRING
        return _MAPPING if kind is MappingNode else _SEQUENCE

    def descend_resolver(self, parent: Node | None, _index: Any) -> None:
        """Count the depth. Called by libyaml's binding on the way into every node."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise NodeError(parent, f"nested more than {DEEPEST} levels deep")

    def ascend_resolver(self) -> None:
        """Count the depth. Called by libyaml's binding on the way out of every node."""
        self._depth -= 1


class Builder:
    """Makes values of nodes. `duplicated` tells whether a mapping had a key twice; the last one won."""

    def __init__(self, text_length: int) -> None:
        self.duplicated = False
        # Without aliases, a value takes at least a character of text.
        self._budget = text_length + _ALIASED

    def build(self, root: Node) -> Any:
        """Return the value of a node. Raises NodeError for tags and keys without a meaning, and for alias bombs."""
        try:
            return self._build(root)
        except RecursionError:
            # The reader has bounded the depth of what is written, so it is an alias.
            raise NodeError(
                root, "an anchor holds an alias of itself", "write it without anchors and aliases"
            ) from None

    def _build(self, node: Node) -> Any:
        if type(node) is ScalarNode:
            return _scalar(node)
        self._budget -= len(node.value) + 1
        if self._budget < 0:
            raise NodeError(node, "its aliases multiply into too many values", "write it without anchors and aliases")
        if node.tag == _MAPPING:
            return self._mapping(node.value)
        if node.tag == _SEQUENCE:
            return [self._build(item) for item in node.value]
        raise NodeError(node, f'the tag "{node.tag}" has no meaning here', "remove it")

    def _mapping(self, pairs: list[tuple[Node, Node]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] | None = None
        for key_node, value_node in pairs:
            if is_merge(key_node):
                merged = [*(merged or ()), value_node]
                continue
            key = key_of(key_node)
            if key in result:
                self.duplicated = True
            result[key] = self._build(value_node)
        for source in merged or ():
            self._merge(source, result)
        return result

    def _merge(self, source: Node, result: dict[str, Any]) -> None:
        for each in merge_sources(source):
            value = self._build(each)
            if not isinstance(value, dict):
                raise NodeError(each, "only a mapping can be merged with <<")
            for key, item in value.items():
                result.setdefault(key, item)


def is_merge(key: Node) -> bool:
    """Return whether a key is YAML's merge key, `<<`."""
    return bool(key.tag == _PLAIN and key.value == "<<")


def merge_sources(node: Node) -> list[Node]:
    """Return the mappings that a merge key's value names: itself, or each of a list."""
    return list(node.value) if isinstance(node, SequenceNode) else [node]


def key_of(node: Node) -> str:
    """Return a key as a string, as in JSON. Raises NodeError for a mapping or a list."""
    if not isinstance(node, ScalarNode):
        hint = "a value with {{ }} needs quotes; a template must be rendered first"
        raise NodeError(node, "found a mapping or a list as a key, a string is wanted", hint)
    value = _scalar(node)
    if isinstance(value, str):
        return intern(value)
    return str(value).lower() if isinstance(value, bool) else str(node.value)


def child(node: Node, step: PathStep) -> tuple[Node, Node] | None:
    """Return the nodes of key and value one step down, or None; an item of a list stands for both."""
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if not isinstance(node, MappingNode):
        return None
    merged: list[Node] = []
    # Backwards, as the last of two equal keys is the one that counts.
    for key, value in reversed(node.value):
        if is_merge(key):
            merged.extend(merge_sources(value))
        elif key_of(key) == step:
            return key, value
    return next((found for source in merged if (found := child(source, step)) is not None), None)


def walk(node: Node, path: Path = (), seen: frozenset[int] = frozenset()) -> Iterator[tuple[Node, Path]]:
    """Yield every node below and its path, keys before their values, each anchor's content once on a path."""
    yield node, path
    if id(node) in seen:
        return
    seen |= {id(node)}
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from walk(item, (*path, index), seen)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            step = key.value if isinstance(key, ScalarNode) else "?"
            yield key, (*path, step)
            yield from walk(value, (*path, step), seen)


def duplicate_keys(root: Node) -> Iterator[tuple[Node, Path]]:
    """Yield each key that its mapping had before, and its path."""
    visited: set[int] = set()
    for node, path in walk(root):
        if not isinstance(node, MappingNode) or id(node) in visited:
            continue
        visited.add(id(node))
        present: set[str] = set()
        for key, _ in node.value:
            if not is_merge(key) and key_of(key) in present:
                yield key, (*path, key_of(key))
            present.add(key_of(key))


def _scalar(node: Node) -> Any:
    if node.tag == _PLAIN or node.tag in _RESOLVED_TAGS:
        return resolve_plain(node.value)
    if node.tag in _STRING_TAGS:
        return node.value
    raise NodeError(node, f'the tag "{node.tag}" has no meaning here', "remove it")
