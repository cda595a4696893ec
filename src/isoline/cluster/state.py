"""The state folder: everything that Isoline keeps on this machine, readable by its owner only.

| name | what it is |
|---|---|
| `objects.sqlite3` | applied and generated objects, identities, last statuses, parsed files (`database.py`) |
| `lock` | held by the running `isoline up` |
| `isoline.sock`, `xds.sock`, `limits.sock` | the control API, Envoy's configuration, counted requests |
| `ca.crt`, `ca.key` | the local certificate authority |
| `processes/`, `volumes/` | supervised processes and their logs; the data of apps |
| `certificates.*` | the certificates that hosts are served with, should a Secret go away |
| `snapshot.*` | the last configuration that Envoy had |

Any of it may be left by a process that was killed at any moment.
"""

import os
import stat
from pathlib import Path

from isoline.cluster.database import Database
from isoline.cluster.lock import Holder, Lock, is_held, read_holder
from isoline.cluster.sockets import short_path

DEFAULT_FOLDER = Path(".isoline")


class StateFolderError(OSError):
    """The folder cannot be used; the text says what to do."""


class StateFolder:
    """Paths and the lock of one state folder. Making one touches nothing: `acquire` does."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = Lock(self.path / "lock")

    def acquire(self) -> None:
        """Creates the folder where it is missing and takes its lock.

        Raises LockedError when another process holds it, StateFolderError when the folder cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if stat.S_IMODE(self.path.stat().st_mode) != 0o700:
                self.path.chmod(0o700)
            for folder in (self.processes, self.volumes):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._ignore_in_git()
            self._lock.acquire()
        except OSError as error:
            raise StateFolderError(f"{self.path}: {error.strerror}: give another state folder by --state") from error

    def release(self) -> None:
        self._lock.release()

    def database(self) -> Database:
        return Database(self.path / "objects.sqlite3")

    @property
    def holder(self) -> Holder | None:
        """Who holds the folder at this moment; None when nobody does."""
        lock = self.path / "lock"
        return read_holder(lock) if is_held(lock) else None

    @property
    def control_socket(self) -> Path:
        """Short enough for a socket's address, wherever the folder is."""
        return short_path(self.path / "isoline.sock")

    @property
    def xds_socket(self) -> Path:
        """Short enough for a socket's address, wherever the folder is."""
        return short_path(self.path / "xds.sock")

    @property
    def rate_limit_socket(self) -> Path:
        """Short enough for a socket's address, wherever the folder is."""
        return short_path(self.path / "limits.sock")

    @property
    def ca_certificate(self) -> Path:
        return self.path / "ca.crt"

    @property
    def ca_key(self) -> Path:
        return self.path / "ca.key"

    @property
    def processes(self) -> Path:
        return self.path / "processes"

    @property
    def volumes(self) -> Path:
        return self.path / "volumes"

    @property
    def certificates(self) -> Path:
        return self.path / "certificates.sqlite3"

    @property
    def snapshot(self) -> Path:
        return self.path / "snapshot.sqlite3"

    def _ignore_in_git(self) -> None:
        # It holds keys, and it mostly lies in somebody's repository.
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file as a whole, mode 0600: whoever reads it sees the old content or the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
