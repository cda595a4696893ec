"""Manifests that are named on the command line: files, directories, standard input."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from isoline.cli.errors import UsedWronglyError
from isoline.cluster.tree import scan
from isoline.objects import Object
from isoline.objects.decoding import Located, decode_documents
from isoline.objects.errors import Problem

STANDARD_INPUT = "-"


class Manifests(NamedTuple):
    """All that was found, in the order of the files' paths."""

    located: list[Located]
    errors: list[Problem]
    warnings: list[Problem]
    files: int

    @property
    def objects(self) -> list[Object]:
        return [each.object for each in self.located]


def read_manifests(paths: Iterable[Path]) -> Manifests:
    """Everything in files, in directories with what is below them, and in standard input (`-`).

    Raises UsedWronglyError for a path that leads to no manifests.
    """
    found = Manifests([], [], [], 0)
    files = 0
    for source, data in _sources(paths):
        files += 1
        decoded = decode_documents(data, source=source)
        found.located.extend(decoded.located)
        found.errors.extend(decoded.errors)
        found.warnings.extend(decoded.warnings)
    return found._replace(files=files)


def _sources(paths: Iterable[Path]) -> Iterable[tuple[str, bytes]]:
    for path in paths:
        if str(path) == STANDARD_INPUT:
            yield "<stdin>", sys.stdin.buffer.read()
            continue
        if path.is_dir():
            found = sorted(scan(path).files)
            if not found:
                raise UsedWronglyError(f"{path}: no manifests (*.yaml, *.yml, *.json) in this directory")
        elif path.exists():
            found = [str(path)]
        else:
            raise UsedWronglyError(f"{path}: no such file or directory")
        for name in found:
            try:
                yield name, Path(name).read_bytes()
            except OSError as error:
                raise UsedWronglyError(f"{name}: cannot be read: {error.strerror}") from error
