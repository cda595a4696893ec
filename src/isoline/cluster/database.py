"""What the state folder remembers, in SQLite: a mirror of memory that is read once, when Isoline starts.

Memory is the truth while Isoline runs; a thread of its own writes behind it, in batches that are seen whole or not at
all. Written means: a kill -9 right after does not lose it (WAL; with `synchronous=NORMAL` a power cut may lose the last
moment, and nothing before it).
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import Enum
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
RETRY_SECONDS = 1.0
CHECKPOINT_ROWS = 5000


class Table(Enum):
    """Every table: its name, its key columns, its other columns."""

    OBJECTS = ("objects", ("kind", "namespace", "name", "layer"), ("manager", "owner", "body"))
    IDENTITIES = ("identities", ("kind", "namespace", "name"), ("uid", "created", "generation", "digest"))
    STATUSES = ("statuses", ("kind", "namespace", "name"), ("body",))
    FILES = ("files", ("path",), ("body",))

    @property
    def columns(self) -> tuple[str, ...]:
        _, keys, others = self.value
        return (*keys, *others)

    @property
    def create(self) -> str:
        name, keys, others = self.value
        columns = ", ".join(
            [f"{column} TEXT NOT NULL" for column in keys] + [f"{column} NOT NULL" for column in others]
        )
        return f"CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({', '.join(keys)})) WITHOUT ROWID"

    @property
    def put(self) -> str:
        return f"INSERT OR REPLACE INTO {self.value[0]} VALUES ({', '.join('?' * len(self.columns))})"  # noqa: S608

    @property
    def drop(self) -> str:
        name, keys, _ = self.value
        return f"DELETE FROM {name} WHERE {' AND '.join(f'{key} = ?' for key in keys)}"  # noqa: S608


Value = str | bytes | int
Row = tuple[Value, ...]
Values = Callable[[], Row]
"""Gives the columns after the key. Called in the writing thread: encoding costs the event loop nothing."""


Pending = dict[tuple[Table, tuple[str, ...]], Values | None]
"""What is to be written, by table and key; None for a row to drop."""


class StateVersionError(RuntimeError):
    """A newer Isoline wrote this state folder."""


class Database:
    """Reads everything, then writes behind. `open` it, `load` what you want, then `put` and `drop`, last `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._condition = threading.Condition()
        self._pending: Pending = {}
        self._waiting: list[Future[None]] = []
        self._closing = False
        self._rows_since_checkpoint = 0
        self.failure: str | None = None
        """Why the last write did not succeed; None once one has. What could not be written is tried again."""

    def open(self) -> Path | None:
        """Opens or creates the file. Returns where a damaged one was put aside, or None when there was nothing wrong.

        Raises StateVersionError when a newer Isoline wrote it.
        """
        aside = None
        try:
            self._connect()
            self._verify()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not _damaged(error):
                raise
            aside = self._put_aside()
            self._connect()
        self._thread = threading.Thread(target=self._write_behind, name="state-writer", daemon=True)
        self._thread.start()
        return aside

    def load(self, table: Table) -> Sequence[tuple[Any, ...]]:
        """Every row of a table: key columns, then the others."""
        assert self._connection is not None
        return self._connection.execute(f"SELECT {', '.join(table.columns)} FROM {table.value[0]}").fetchall()  # noqa: S608

    def put(self, table: Table, key: tuple[str, ...], values: Values) -> None:
        self._enqueue(table, key, values)

    def drop(self, table: Table, key: tuple[str, ...]) -> None:
        self._enqueue(table, key, None)

    def flush(self) -> Future[None]:
        """Done when all that was put or dropped so far is written; has the sqlite3.Error when that failed."""
        future: Future[None] = Future()
        with self._condition:
            self._waiting.append(future)
            self._condition.notify()
        return future

    def close(self) -> None:
        """Writes what is left and closes the file."""
        if self._thread is not None:
            with self._condition:
                self._closing = True
                self._condition.notify()
            self._thread.join()
            self._thread = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        if not self._path.exists():
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection = connection
        # Exclusive: the folder's lock is ours, and no -shm file can be left in disorder.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        # A checkpoint waits for the disk: it happens when there is nothing to write, not within a commit.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            connection.close()
            raise StateVersionError(
                f"{self._path} was written by a newer Isoline (schema {version}, this one knows {SCHEMA_VERSION}): "
                "use that one, or another folder by --state"
            )
        for table in Table:
            connection.execute(table.create)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _verify(self) -> None:
        assert self._connection is not None
        for row in self._connection.execute("PRAGMA quick_check(1)"):
            if row[0] != "ok":
                raise sqlite3.DatabaseError(row[0])

    def _put_aside(self) -> Path:
        if self._connection is not None:
            self._connection.close()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        aside = self._path.with_name(f"{self._path.stem}.damaged-{stamp}{self._path.suffix}")
        self._path.rename(aside)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(aside.with_name(aside.name + suffix))
        return aside

    def _enqueue(self, table: Table, key: tuple[str, ...], values: Values | None) -> None:
        with self._condition:
            self._pending[table, key] = values
            self._condition.notify()

    def _write_behind(self) -> None:
        while True:
            with self._condition:
                while not (self._pending or self._waiting or self._closing):
                    if not self._condition.wait(timeout=RETRY_SECONDS if self._rows_since_checkpoint else None):
                        break
                pending, self._pending = self._pending, {}
                waiting, self._waiting = self._waiting, []
                closing = self._closing
            self._write(pending, waiting, last=closing)
            idle = not pending and not waiting
            if idle or self._rows_since_checkpoint >= CHECKPOINT_ROWS:
                self._checkpoint()
            if closing:
                return
            if self.failure is not None:
                time.sleep(RETRY_SECONDS)

    def _write(self, pending: Pending, waiting: list[Future[None]], *, last: bool) -> None:
        error: Exception | None = None
        try:
            if pending:
                error = self._commit(pending)
        except sqlite3.Error as failure:
            error = failure
            if not last:
                with self._condition:
                    self._pending = {**pending, **self._pending}
        self.failure = f"{self._path}: {error}" if error is not None else None
        for future in waiting:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(None)

    def _commit(self, pending: Pending) -> Exception | None:
        """Writes all of it, but for what cannot be encoded; returns why not."""
        assert self._connection is not None
        unencoded: Exception | None = None
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for (table, key), values in pending.items():
                try:
                    row = None if values is None else values()
                except Exception as error:  # one bad row must not keep the others from being written
                    unencoded = error
                    continue
                if row is None:
                    self._connection.execute(table.drop, key)
                else:
                    self._connection.execute(table.put, (*key, *row))
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._rows_since_checkpoint += len(pending)
        return unencoded

    def _checkpoint(self) -> None:
        assert self._connection is not None
        self._rows_since_checkpoint = 0
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damaged(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
