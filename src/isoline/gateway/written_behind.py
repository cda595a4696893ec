"""A SQLite file that is written behind what happens: soon, in the background, several changes at a time.

Such files hold private keys: mode 0600, in a folder of our own.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path

QUIET_SECONDS = 0.2


class WrittenBehind(ABC):
    """One file; who notes a change for it sets `_changed`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Writes what was noted, until cancelled; what is left then is written by `flush`."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(QUIET_SECONDS)
            await self.flush()

    @abstractmethod
    async def flush(self) -> None:
        """Writes what was noted. What cannot be written stays noted, and is tried again with the next change."""

    def _open(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
