"""Reading the logs that `shim.LogWriter` writes: `current`, then `1`, `2`… from newer to older."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from watchfiles import awatch

from isoline.processes.shim.logwriter import LAST_WORDS_BYTES, LAST_WORDS_LINES

_WATCH_STEP_MS = 20
_LOOK_AGAIN_MS = 1000


@dataclass(frozen=True)
class LogLine:
    """One line of a program's output, without its newline, and when it was written (seconds since the epoch)."""

    at: float
    text: str


@dataclass(frozen=True)
class LogFile:
    """The log of one process; it stays the same through restarts of the process under the same name."""

    directory: Path

    def read(self, *, since: float | None = None, tail: int | None = None) -> list[LogLine]:
        """See `read_log`."""
        return read_log(self.directory, since=since, tail=tail)

    def follow(self, *, since: float | None = None, tail: int | None = None) -> AsyncIterator[LogLine]:
        """See `follow_log`."""
        return follow_log(self.directory, since=since, tail=tail)

    def last_words(self) -> str:
        """The last ten lines, at most 4 kB."""
        lines = self.read(tail=LAST_WORDS_LINES)
        return "\n".join(line.text for line in lines)[-LAST_WORDS_BYTES:]


def read_log(directory: Path, *, since: float | None = None, tail: int | None = None) -> list[LogLine]:
    """The lines kept in `directory`, oldest first: those written at `since` or later, and of those the last `tail`.

    `since` is in seconds since the epoch. A log that is not there yet has no lines.
    """
    with ExitStack() as stack:
        lines, _ = _backlog(_open_files(directory, stack), since=since, tail=tail)
    return lines


async def follow_log(directory: Path, *, since: float | None = None, tail: int | None = None) -> AsyncIterator[LogLine]:
    """What `read_log` returns, then each new line as it is written, for ever: through rotation and through restarts.

    The caller ends it by leaving the loop and closing the iterator, or by being cancelled. `directory` has to exist.
    """
    with ExitStack() as stack:
        lines, position = _backlog(_open_files(directory, stack), since=since, tail=tail)
    for line in lines:
        yield line
    changes = awatch(
        directory,
        recursive=False,
        step=_WATCH_STEP_MS,
        debounce=_WATCH_STEP_MS,
        rust_timeout=_LOOK_AGAIN_MS,
        # A line written just before the watch began makes no event: look again after a while.
        yield_on_timeout=True,
    )
    async for _ in changes:
        lines, position = _news(directory, position)
        for line in lines:
            if since is None or line.at >= since:
                yield line


@dataclass(frozen=True)
class _Position:
    """Up to where a log was read: the file and the offset in it."""

    inode: int
    offset: int


def _open_files(directory: Path, stack: ExitStack) -> list[BinaryIO]:
    """The files of the log, newest first, each once, although a rotation may rename them meanwhile."""
    files: dict[int, BinaryIO] = {}
    number = 0
    while True:
        try:
            file = stack.enter_context((directory / (str(number) if number else "current")).open("rb"))
        except FileNotFoundError:
            # Between two renames of a rotation there is no `current` for a moment, but there is a `1`.
            if number:
                return list(files.values())
        else:
            files.setdefault(os.fstat(file.fileno()).st_ino, file)
        number += 1


def _backlog(files: list[BinaryIO], *, since: float | None, tail: int | None) -> tuple[list[LogLine], _Position | None]:
    newest_first: list[list[LogLine]] = []
    count = 0
    position = None
    for file in files:
        lines, offset = _read_from(file, 0)
        position = position or _Position(os.fstat(file.fileno()).st_ino, offset)
        newest_first.append([line for line in lines if since is None or line.at >= since])
        count += len(newest_first[-1])
        everything_newer = since is not None and bool(lines) and lines[0].at < since
        if everything_newer or (tail is not None and count >= tail):
            break
    wanted = [line for lines in reversed(newest_first) for line in lines]
    return (wanted if tail is None else wanted[max(0, len(wanted) - tail) :]), position


def _news(directory: Path, position: _Position | None) -> tuple[list[LogLine], _Position | None]:
    """Lines written after `position`, over any number of rotations, and the new position."""
    with ExitStack() as stack:
        files = _open_files(directory, stack)
        inodes = [os.fstat(file.fileno()).st_ino for file in files]
        known = inodes.index(position.inode) if position and position.inode in inodes else None
        unread = files if known is None else files[: known + 1]
        lines: list[LogLine] = []
        for number, file in reversed(list(enumerate(unread))):
            start = position.offset if position and number == known else 0
            found, offset = _read_from(file, start)
            lines += found
            position = _Position(inodes[number], offset)
    return lines, position


def _read_from(file: BinaryIO, start: int) -> tuple[list[LogLine], int]:
    """The whole lines from offset `start` on, and the offset after the last of them."""
    file.seek(start)
    content = file.read()
    end = content.rfind(b"\n") + 1
    return list(_parsed(content[:end])), start + end


def _parsed(content: bytes) -> Iterator[LogLine]:
    for line in content.decode(errors="replace").split("\n")[:-1]:
        stamp, _, text = line.partition(" ")
        try:
            at = datetime.fromisoformat(stamp).timestamp()
        except ValueError:
            # The rest of a line that a full disk cut in two.
            continue
        yield LogLine(at, text)
