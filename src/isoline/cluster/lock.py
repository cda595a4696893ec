"""One holder a state folder, by a lock that the kernel drops with the process that holds it."""

import fcntl
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, in its own words."""

    pid: int
    command: str
    started: str
    """RFC 3339."""

    def __str__(self) -> str:
        return f"pid {self.pid} (`{self.command}`), since {self.started}"


class LockedError(RuntimeError):
    """Somebody else holds the state folder. `holder` is None in the moment before it has written its name."""

    def __init__(self, folder: Path, holder: Holder | None) -> None:
        self.folder = folder
        self.holder = holder
        who = str(holder) if holder is not None else "another process"
        super().__init__(
            f"{folder} is in use by {who}. Stop it with `isoline down --state {folder}`, "
            "or give another folder by --state."
        )


class Lock:
    """An exclusive flock on a file that names its holder. A file left by a killed process locks nobody out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises LockedError when another process, or another lock of this one, holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise LockedError(self._path.parent, read_holder(self._path)) from None
        holder = Holder(os.getpid(), " ".join(sys.argv), datetime.now(UTC).isoformat(timespec="seconds"))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def read_holder(path: Path) -> Holder | None:
    """Who wrote its name last; None when there is no such file or no name in it. It need not live any more."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at this moment."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
