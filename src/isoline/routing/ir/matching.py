"""Which requests a route takes."""

from enum import Enum

from isoline.routing.ir.base import IR


class PathKind(Enum):
    PREFIX = "prefix"  # by characters: /foo matches /foobar
    SEGMENTS = "segments"  # by whole segments: /foo matches /foo and /foo/bar
    EXACT = "exact"
    REGEX = "regex"  # the whole path, RE2


class PathMatch(IR, frozen=True, kw_only=True):
    kind: PathKind
    value: str


class ValueKind(Enum):
    PRESENT = "present"
    EXACT = "exact"
    CONTAINS = "contains"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"


class HeaderMatch(IR, frozen=True, kw_only=True):
    name: str
    kind: ValueKind
    value: str = ""
    invert: bool = False
    ignore_case: bool = False
    missing_as_empty: bool = False


class QueryMatch(IR, frozen=True, kw_only=True):
    name: str
    kind: ValueKind
    value: str = ""
    ignore_case: bool = False


class Match(IR, frozen=True, kw_only=True):
    path: PathMatch
    headers: tuple[HeaderMatch, ...] = ()
    query: tuple[QueryMatch, ...] = ()
