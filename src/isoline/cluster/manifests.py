"""One file of manifests: what it defines, what is wrong with it, and how little of it must be read again.

A file with many documents is cut where they begin, and a piece that was read before is not read again: saving one
change in ten thousand documents costs one document. Where something is wrong, the rest of the file still counts, and
what the wrong part defined before stays as it was.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from isoline.cluster import codec
from isoline.cluster.source import ManifestProblem, Severity
from isoline.objects import Key, Object
from isoline.objects.decoding import decode_documents
from isoline.objects.errors import Problem

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
READ_ATTEMPTS = 3

_DOCUMENT_START = re.compile(rb"^(?=---(?:\s|\Z))", re.MULTILINE)
_NOT_TO_BE_CUT = re.compile(rb"^(?:%|\.\.\.)", re.MULTILINE)


class Signature(NamedTuple):
    """Differs when a file's content may differ."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


class Definition(NamedTuple):
    """An object and the line that it begins on, counted from the start of its piece or its file."""

    object: Object
    line: int


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    signature: Signature
    definitions: Mapping[Key, Definition]
    """What counts at present, the first of a key only; lines are the file's."""
    problems: tuple[ManifestProblem, ...] = ()
    pieces: Mapping[bytes, tuple[Definition, ...]] = {}
    """By their hash: the pieces in which nothing was wrong. Empty for a file of one piece."""
    intact: bool = True
    """Nothing of what counts was carried over from an earlier version."""


def is_manifest(name: str) -> bool:
    """Whether a file of this name is read: by its suffix; hidden files and what editors leave beside are not."""
    return not name.startswith(".") and os.path.splitext(name)[1] in SUFFIXES  # noqa: PTH122 - on the path of every event


def signature_of(status: os.stat_result) -> Signature:
    return Signature(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def read_file(path: Path, *, name: str, previous: ManifestFile | None = None) -> ManifestFile:
    """Reads a file, which is called `name` in its problems, in the light of its previous version.

    Raises FileNotFoundError. A file that may not be read has that as its problem.
    """
    try:
        signature, data = _read_at_rest(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        signature = signature_of(path.stat())
        problem = ManifestProblem("error", name, f"{name}: cannot be read: {error.strerror}")
        return _contents(signature, [], [problem], {}, name=name, previous=previous)
    return decode_file(data, name=name, signature=signature, previous=previous)


def decode_file(data: bytes, *, name: str, signature: Signature, previous: ManifestFile | None = None) -> ManifestFile:
    """What `read_file` does once it has the bytes."""
    known = previous.pieces if previous is not None else {}
    definitions: list[Definition] = []
    problems: list[ManifestProblem] = []
    pieces: dict[bytes, tuple[Definition, ...]] = {}
    cut = _cut(data)
    for offset, piece in cut:
        digest = hashlib.blake2b(piece, digest_size=16).digest()
        found = known.get(digest)
        if found is None:
            decoded = decode_documents(piece, source=name)
            found = tuple(Definition(located.object, located.line) for located in decoded.located)
            wrong = [*_problems(decoded.errors, "error", offset), *_problems(decoded.warnings, "warning", offset)]
            problems += wrong
            clean = not wrong
        else:
            clean = True
        if clean and len(cut) > 1:
            pieces[digest] = found
        definitions += [Definition(each.object, each.line + offset) for each in found] if offset else found
    return _contents(signature, definitions, problems, pieces, name=name, previous=previous)


class _PackedPiece(NamedTuple):
    digest: bytes
    offset: int
    definitions: list[tuple[str, int, bytes]]


class _PackedFile(NamedTuple):
    signature: Signature
    clean: bool
    pieces: list[_PackedPiece]


_UNPACKER = msgspec.msgpack.Decoder(_PackedFile)


def pack_file(file: ManifestFile) -> bytes:
    """A file's contents for the state folder."""
    clean = file.intact and not file.problems
    definitions = tuple(file.definitions.values())
    pieces = file.pieces if clean and file.pieces else {b"": definitions}
    rest = iter(definitions)
    packed = []
    for digest, piece in pieces.items():
        lines = [next(rest).line for _ in piece]
        offset = lines[0] - piece[0].line if piece else 0
        bodies = [(each.object.kind, each.line, codec.pack(each.object)) for each in piece]
        packed.append(_PackedPiece(digest, offset, bodies))
    return msgspec.msgpack.encode(_PackedFile(file.signature, clean, packed))


def unpack_file(packed: bytes) -> ManifestFile:
    """What `pack_file` packed. One in which something was wrong comes back unsigned, so that it is read again.

    Raises StaleError when this version cannot read it.
    """
    try:
        signature, clean, packed_pieces = _UNPACKER.decode(packed)
    except msgspec.MsgspecError as error:
        raise codec.StaleError(str(error)) from error
    definitions: list[Definition] = []
    pieces: dict[bytes, tuple[Definition, ...]] = {}
    for digest, offset, bodies in packed_pieces:
        found = tuple(Definition(codec.unpack(kind, body), line) for kind, line, body in bodies)
        definitions += [Definition(each.object, each.line + offset) for each in found] if offset else found
        if digest:
            pieces[digest] = found
    return ManifestFile(
        signature=signature if clean else Signature(-1, 0, 0, 0),
        definitions={each.object.key: each for each in definitions},
        pieces=pieces,
        intact=clean,
    )


def _read_at_rest(path: Path) -> tuple[Signature, bytes]:
    """Bytes during whose reading nobody wrote, if there is such a moment."""
    for _ in range(READ_ATTEMPTS):
        with path.open("rb") as file:
            before = signature_of(os.fstat(file.fileno()))
            data = file.read()
            if len(data) == before.size and signature_of(os.fstat(file.fileno())) == before:
                break
    return before, data


def _cut(data: bytes) -> list[tuple[int, bytes]]:
    """Pieces that can be read by themselves, each with the number of lines before it."""
    if _NOT_TO_BE_CUT.search(data):
        return [(0, data)]
    pieces = []
    offset = 0
    for piece in _DOCUMENT_START.split(data):
        if piece:
            pieces.append((offset, piece))
            offset += piece.count(b"\n")
    return pieces


def _problems(found: Iterable[Problem], severity: Severity, offset: int) -> Iterator[ManifestProblem]:
    for problem in found:
        moved = problem._replace(line=problem.line + offset)
        yield ManifestProblem(severity, problem.source, str(moved))


def _contents(
    signature: Signature,
    found: Iterable[Definition],
    problems: list[ManifestProblem],
    pieces: Mapping[bytes, tuple[Definition, ...]],
    *,
    name: str,
    previous: ManifestFile | None,
) -> ManifestFile:
    definitions: dict[Key, Definition] = {}
    for definition in found:
        key = definition.object.key
        first = definitions.setdefault(key, definition)
        if first is not definition:
            text = f"{name}:{definition.line}: {key} is defined in line {first.line} already: that one counts"
            problems.append(ManifestProblem("error", name, text))
    intact = True
    if previous is not None and any(problem.severity == "error" for problem in problems):
        for key, definition in previous.definitions.items():
            if key not in definitions:
                definitions[key] = definition
                intact = False
    return ManifestFile(
        signature=signature,
        definitions=definitions,
        problems=tuple(problems),
        pieces=pieces,
        intact=intact,
    )
