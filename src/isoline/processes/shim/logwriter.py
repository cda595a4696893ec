"""A program's output as timestamped lines in files that are rotated by size."""

import os
import time
from collections import deque

LAST_WORDS_LINES = 10
LAST_WORDS_BYTES = 4096
_LINE_BYTES = 16 * 1024


class LogWriter:
    """Timestamped lines in `directory/current`, rotated to `directory/1`, `directory/2`… by size."""

    def __init__(self, directory: str, max_bytes: int, files: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._files = files
        self._pending = b""
        self._second = 0
        self._prefix = b""
        self.last_lines: deque[bytes] = deque(maxlen=LAST_WORDS_LINES)
        self._open()

    def _path(self, name: object) -> str:
        return f"{self._directory}/{name}"

    def _open(self) -> None:
        self._descriptor = os.open(self._path("current"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            newer = self._path(number - 1 if number > 1 else "current")
            if os.path.exists(newer):  # noqa: PTH110
                os.replace(newer, self._path(number))  # noqa: PTH105
        if self._files == 1:
            os.unlink(self._path("current"))  # noqa: PTH108
        full = self._descriptor
        self._open()
        os.close(full)

    def _timestamp(self) -> bytes:
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)).encode()
        return b"%s.%06dZ " % (self._prefix, int(now % 1 * 1_000_000))

    def feed(self, output: bytes) -> None:
        """Take a piece of the program's output; lines end at a newline or at a progress bar's carriage return."""
        text = (self._pending + output).replace(b"\r\n", b"\n")
        # A carriage return at the very end may be half of "\r\n": it waits for the next piece.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = text[: len(text) - len(held)].replace(b"\r", b"\n").split(b"\n")
        while len(rest) > _LINE_BYTES:
            lines.append(rest[:_LINE_BYTES])
            rest = rest[_LINE_BYTES:]
        self._pending = rest + held
        self._write(lines)

    def close(self) -> None:
        """Write what came without a newline at its end."""
        if rest := self._pending.rstrip(b"\r"):
            self._write([rest])
        self._pending = b""

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        self.last_lines.extend(lines[-LAST_WORDS_LINES:])
        stamp = self._timestamp()
        batch = b"".join(stamp + line + b"\n" for line in lines)
        try:
            self._size += os.write(self._descriptor, batch)
            if self._size >= self._max_bytes:
                self._rotate()
        except OSError:
            # A full disk costs log lines; it must not block or end the program.
            return

    def last_words(self) -> str:
        """The last lines of the program, for a status."""
        return b"\n".join(self.last_lines).decode(errors="replace")[-LAST_WORDS_BYTES:]
