"""One file of manifests: what it defines, what is wrong with it, and how little of it must be read again.

A file with many documents is cut where they begin, and a piece that was read before is not read again: saving one
change in ten thousand documents costs one document. Where something is wrong, the rest of the file still counts, and
what the wrong part defined before stays as it was.
"""

import hashlib
import os
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

_DOCUMENT_START = b"\n---"
_AFTER_START = (b"", b" ", b"\t", b"\r", b"\n")
# A directive, the end of a stream: what they mean for the documents around them is for the parser to know.
_NOT_TO_BE_CUT = (b"%", b"...")


class Signature(NamedTuple):
    """Differs when a file's content may differ."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


class Definition(NamedTuple):
    """An object and the line of its file that it begins on."""

    key: Key
    object: Object
    line: int


class Piece(NamedTuple):
    """A part of a file in which nothing is wrong, and the number of lines before it."""

    offset: int
    definitions: tuple[Definition, ...]

    def moved_to(self, offset: int) -> "Piece":
        if offset == self.offset:
            return self
        by = offset - self.offset
        return Piece(offset, tuple(each._replace(line=each.line + by) for each in self.definitions))


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    signature: Signature
    definitions: Mapping[Key, Definition]
    """What counts at present, the first of a key only."""
    problems: tuple[ManifestProblem, ...] = ()
    pieces: Mapping[bytes, Piece] = {}
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
    pieces: dict[bytes, Piece] = {}
    cut = _cut(data)
    for offset, text in cut:
        digest = hashlib.blake2b(text, digest_size=16).digest()
        piece = known[digest].moved_to(offset) if digest in known else None
        wrong: list[ManifestProblem] = []
        if piece is None:
            piece, wrong = _decode_piece(text, offset, name)
        definitions += piece.definitions
        problems += wrong
        # What is wrong is to be told each time, with its line; and one piece has nothing to save.
        if not wrong and len(cut) > 1:
            pieces[digest] = piece
    return _contents(signature, definitions, problems, pieces, name=name, previous=previous)


def _decode_piece(text: bytes, offset: int, name: str) -> tuple[Piece, list[ManifestProblem]]:
    decoded = decode_documents(text, source=name)
    found = (Definition(each.object.key, each.object, each.line + offset) for each in decoded.located)
    wrong = [*_problems(decoded.errors, "error", offset), *_problems(decoded.warnings, "warning", offset)]
    return Piece(offset, tuple(found)), wrong


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
    pieces = file.pieces if clean and file.pieces else {b"": Piece(0, tuple(file.definitions.values()))}
    packed = [
        _PackedPiece(
            digest, piece.offset, [(each.key.kind, each.line, codec.pack(each.object)) for each in piece.definitions]
        )
        for digest, piece in pieces.items()
    ]
    return msgspec.msgpack.encode(_PackedFile(file.signature, clean, packed))


def unpack_file(packed: bytes) -> ManifestFile:
    """What `pack_file` packed. One in which something was wrong comes back unsigned, so that it is read again.

    Raises StaleError when this version cannot read it.
    """
    try:
        signature, clean, packed_pieces = _UNPACKER.decode(packed)
    except msgspec.MsgspecError as error:
        raise codec.StaleError(str(error)) from error
    definitions: dict[Key, Definition] = {}
    pieces: dict[bytes, Piece] = {}
    for digest, offset, bodies in packed_pieces:
        objects = [(codec.unpack(kind, body), line) for kind, line, body in bodies]
        piece = Piece(offset, tuple(Definition(item.key, item, line) for item, line in objects))
        definitions.update((each.key, each) for each in piece.definitions)
        if digest:
            pieces[digest] = piece
    return ManifestFile(
        signature=signature if clean else Signature(-1, 0, 0, 0),
        definitions=definitions,
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
    if any(data.startswith(mark) or b"\n" + mark in data for mark in _NOT_TO_BE_CUT):
        return [(0, data)]
    pieces = []
    start = lines = 0
    at = data.find(_DOCUMENT_START)
    while at >= 0:
        # `----` at the beginning of a line is text, if anything.
        if data[at + len(_DOCUMENT_START) : at + len(_DOCUMENT_START) + 1] in _AFTER_START:
            pieces.append((lines, data[start : at + 1]))
            lines += data.count(b"\n", start, at + 1)
            start = at + 1
        at = data.find(_DOCUMENT_START, at + 1)
    pieces.append((lines, data[start:]))
    return pieces


def _problems(found: Iterable[Problem], severity: Severity, offset: int) -> Iterator[ManifestProblem]:
    for problem in found:
        moved = problem._replace(line=problem.line + offset)
        yield ManifestProblem(severity, problem.source, str(moved))


def _contents(
    signature: Signature,
    found: Iterable[Definition],
    problems: list[ManifestProblem],
    pieces: Mapping[bytes, Piece],
    *,
    name: str,
    previous: ManifestFile | None,
) -> ManifestFile:
    definitions: dict[Key, Definition] = {}
    for definition in found:
        first = definitions.setdefault(definition.key, definition)
        if first is not definition:
            text = (
                f"{name}:{definition.line}: {definition.key} is defined in line {first.line} already: that one counts"
            )
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
