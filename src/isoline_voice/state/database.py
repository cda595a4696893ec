"""The database of the state folder, brought to this version's tables when it is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from isoline_voice.errors import VoiceError

FILE = "studio.db"
BUSY_SECONDS = 10.0
"""How long one process waits for another that writes: replicas may share a folder."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE voices (
            id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, language TEXT NOT NULL,
            description TEXT NOT NULL, transcript TEXT, consent_by TEXT NOT NULL, consent_words TEXT NOT NULL,
            consent_at REAL NOT NULL, created REAL NOT NULL, seconds REAL NOT NULL, findings TEXT NOT NULL,
            UNIQUE (tenant, name)
        )""",
        """CREATE TABLE jobs (
            id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created REAL NOT NULL, finished REAL, state TEXT NOT NULL,
            request TEXT NOT NULL, total INTEGER NOT NULL, spoken INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0, rate INTEGER, error TEXT, warnings TEXT NOT NULL DEFAULT '[]',
            owner TEXT, lease REAL NOT NULL DEFAULT 0
        )""",
        """CREATE TABLE sentences (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,
            chapter INTEGER NOT NULL, text TEXT NOT NULL, begins INTEGER, ends INTEGER,
            PRIMARY KEY (job, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE usage (
            tenant TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL, characters INTEGER NOT NULL,
            seconds REAL NOT NULL, PRIMARY KEY (tenant, day)
        ) WITHOUT ROWID""",
    ),
)
"""The statements that lead from each version to the next; what has been released is never changed, only added to."""

NEWER = "The state in {} was written by a newer version of the studio; use that one."

Value = str | int | float | None


class StateError(VoiceError):
    """The state folder cannot be used; the message says why and what to do."""

    code = "state_unusable"


def unusable(folder: Path) -> str | None:
    """Why a folder cannot be used for the state, None if it can; looks only."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        return f"{existing} is no folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{existing} cannot be written to"
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        return f"{file} cannot be read: {error}"
    return NEWER.format(folder) if version > len(MIGRATIONS) else None


class Database:
    """One connection, used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Open or create the database; raises StateError."""
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                folder / FILE, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(folder)
            except BaseException:
                self._connection.close()  # or its transaction would lock out whoever tries again
                raise
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"The state folder {folder} cannot be used: {error}. Choose another with --state."
            ) from error

    def run(self, statement: str, values: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """The rows of one statement, which is a transaction of its own."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def run_all(self, statements: Sequence[tuple[str, Sequence[Value]]]) -> None:
        """Several statements, all or none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in statements:
                    self._connection.execute(statement, values)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self, folder: Path) -> None:
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA secure_delete = ON")  # or what was deleted could be read in the file
        self._migrate(folder)

    def _migrate(self, folder: Path) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        [version] = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            self._connection.execute("ROLLBACK")
            raise StateError(NEWER.format(folder))
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self._connection.execute("COMMIT")
