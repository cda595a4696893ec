"""Reads many files at once with a second process: a first start has nothing but manifests to wait for.

`python -m isoline.cluster.reading` is that process: names and paths in, packed files out.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from isoline.cluster import codec
from isoline.cluster.manifests import ManifestFile, pack_file, read_file, unpack_file

WORTH_IT_BYTES = 1024 * 1024
"""About as much as is read while the other process starts."""


class Task(NamedTuple):
    path: str
    name: str
    """What the file is called in its problems."""


def read_many(tasks: Sequence[Task]) -> dict[str, ManifestFile]:
    """Return the files by path, those left out that are for the caller to read: gone, faulty, or simply not many."""
    sizes = [_size(task.path) for task in tasks]
    if sum(sizes) < WORTH_IT_BYTES or len(os.sched_getaffinity(0)) < 2:
        return {}
    ours, theirs = _halves(tasks, sizes)
    command = [sys.executable, "-m", "isoline.cluster.reading"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as helper:
        assert helper.stdin is not None
        assert helper.stdout is not None
        with suppress(BrokenPipeError):
            helper.stdin.write(msgspec.msgpack.encode(theirs))
            helper.stdin.close()
        files = {task.path: file for task in ours if (file := _read(task)) is not None}
        # It has read everything by the time it writes the first byte.
        packed = helper.stdout.read()
    with suppress(msgspec.MsgspecError):
        for path, content in msgspec.msgpack.decode(packed, type=dict[str, bytes]).items():
            with suppress(codec.StaleError):
                files[path] = unpack_file(content)
    return files


def _halves(tasks: Sequence[Task], sizes: Sequence[int]) -> tuple[list[Task], list[Task]]:
    """Ours is the larger by what the other process needs for its start."""
    ours: list[Task] = []
    read = 0
    for at, task in enumerate(tasks):
        if read >= (sum(sizes) + WORTH_IT_BYTES) / 2:
            return ours, list(tasks[at:])
        ours.append(task)
        read += sizes[at]
    return ours, []


def _size(path: str) -> int:
    with suppress(OSError):
        return Path(path).stat().st_size
    return 0


def _read(task: Task) -> ManifestFile | None:
    """A file in which nothing is wrong; of others the caller is to hear the problems at first hand."""
    with suppress(OSError):
        file = read_file(Path(task.path), name=task.name)
        return None if file.problems else file
    return None


def main() -> None:
    """The other process."""
    tasks = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Task])
    read = ((task.path, _read(task)) for task in tasks)
    packed = {path: pack_file(file) for path, file in read if file is not None}
    sys.stdout.buffer.write(msgspec.msgpack.encode(packed))


if __name__ == "__main__":
    main()
