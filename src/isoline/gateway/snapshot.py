"""The resources on disk, so that an Envoy that starts with nothing is served before the sources have been read.

Written as it changes, a batch at a time and in the background: one change costs one row, however many there are. It may
lag behind what was sent, so an Envoy that already has a configuration is not served from it.
"""

import asyncio
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import structlog

from isoline.gateway.renderer import Batch
from isoline.gateway.written_behind import WrittenBehind
from isoline.xds.resources import Name, Resource

FORMAT = 3
"""Raise it when what is rendered changes so much that an old snapshot must not be served."""
NAME_SEPARATOR = "\n"
PART_SEPARATOR = "\t"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
  type_url TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL,
  needs TEXT NOT NULL, brings TEXT NOT NULL, settles REAL NOT NULL, empty INTEGER NOT NULL,
  PRIMARY KEY (type_url, name)
) WITHOUT ROWID
"""
_ABOUT = "CREATE TABLE IF NOT EXISTS about (format INTEGER NOT NULL, made_for TEXT NOT NULL)"
_log = structlog.get_logger(__name__)


class Snapshot(WrittenBehind):
    """One file of resources. It holds private keys: mode 0600, in a folder of our own."""

    def __init__(self, path: Path, *, made_for: str = "") -> None:
        """What was kept for something else than `made_for`, such as another cluster, is thrown away."""
        super().__init__(path)
        self._made_for = made_for
        self._pending: dict[Name, Resource | None] = {}

    def load(self) -> list[Resource]:
        """What was kept last; nothing when there is no snapshot, or one of another format."""
        if not self._path.exists():
            return []
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute(
                    "SELECT type_url, name, version, body, needs, brings, settles, empty FROM resources"
                ).fetchall()
        except sqlite3.DatabaseError as error:
            _log.warning("the snapshot cannot be read and is made anew", path=str(self._path), error=str(error))
            self._path.unlink(missing_ok=True)
            return []
        # Most resources share a few lists of names.
        names = cache(_names)
        return [
            Resource(Name(type_url, name), version, body, names(needs), names(brings), settles, bool(empty))
            for type_url, name, version, body, needs, brings, settles, empty in rows
        ]

    def keep(self, batch: Batch) -> None:
        """Notes what changed; `run` writes it soon."""
        for resource in batch.put:
            self._pending[resource.name] = resource
        for name in batch.remove:
            self._pending[name] = None
        self._changed.set()

    async def flush(self) -> None:
        self._changed.clear()
        pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            await asyncio.to_thread(self._write, pending)
        except (sqlite3.Error, OSError) as error:
            # A full disk is no reason to end: it only makes the next start slower.
            self._pending = {**pending, **self._pending}
            _log.warning("the snapshot cannot be written", path=str(self._path), error=str(error))

    def _write(self, pending: dict[Name, Resource | None]) -> None:
        gone = [name for name, resource in pending.items() if resource is None]
        kept = (_row(resource) for resource in pending.values() if resource is not None)
        with closing(self._connect()) as connection, connection:
            connection.executemany("DELETE FROM resources WHERE type_url = ? AND name = ?", gone)
            connection.executemany("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)

    def _connect(self) -> sqlite3.Connection:
        connection = self._open()
        connection.execute(_ABOUT)
        about = connection.execute("SELECT format, made_for FROM about").fetchall()
        if about != [(FORMAT, self._made_for)]:
            with connection:
                connection.execute("DROP TABLE IF EXISTS resources")
                connection.execute("DELETE FROM about")
                connection.execute("INSERT INTO about VALUES (?, ?)", (FORMAT, self._made_for))
        connection.execute(_SCHEMA)
        return connection


def _row(resource: Resource) -> tuple[str, str, str, bytes, str, str, float, bool]:
    linked = (_text(resource.needs), _text(resource.brings))
    return (*resource.name, resource.version, resource.body, *linked, resource.settles, resource.empty)


def _text(names: tuple[Name, ...]) -> str:
    return NAME_SEPARATOR.join(PART_SEPARATOR.join(name) for name in names)


def _names(text: str) -> tuple[Name, ...]:
    return tuple(Name(*name.split(PART_SEPARATOR)) for name in text.split(NAME_SEPARATOR)) if text else ()
