"""The certificates that hosts are served with, on disk: a Secret that went away while nobody looked, or before the
control plane was started anew, takes no host down.

Written as they change, in the background. The file holds private keys: mode 0600, below the state folder.
"""

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

from isoline.gateway.written_behind import WrittenBehind
from isoline.objects import Key
from isoline.routing import ir
from isoline.routing.keeping import Memory, Served
from isoline.routing.update import Update

_SCHEMA = """
CREATE TABLE IF NOT EXISTS certificates (
  name TEXT PRIMARY KEY, chain BLOB NOT NULL, key BLOB NOT NULL, ends REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, served TEXT NOT NULL) WITHOUT ROWID
"""
_NOTHING = Memory({}, {})
_log = structlog.get_logger(__name__)


class KeptCertificates(WrittenBehind):
    """One file of certificates, and of which hosts are served with them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._certificates: dict[str, ir.Certificate | None] = {}
        self._hosts: dict[str, Served | None] = {}
        self._digests: dict[str, bytes] = {}

    def load(self) -> Memory:
        """What was kept last; nothing when there is no file, or none that can be read."""
        if not self._path.exists():
            return _NOTHING
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute("SELECT name, chain, key, ends FROM certificates").fetchall()
                hosts = dict(connection.execute("SELECT host, served FROM hosts").fetchall())
            memory = Memory({row[0]: _certificate(*row) for row in rows}, {host: _read(hosts[host]) for host in hosts})
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            _log.warning("kept certificates cannot be read and are kept anew", path=str(self._path), error=str(error))
            self._path.unlink(missing_ok=True)
            return _NOTHING
        self._digests = {name: _digest(certificate) for name, certificate in memory.certificates.items()}
        return memory

    def keep(self, update: Update) -> None:
        """Notes what changed; `run` writes it soon."""
        for name, certificate in update.certificates.items():
            digest = b"" if certificate is None else _digest(certificate)
            if digest != self._digests.get(name, b""):
                self._certificates[name] = certificate
                self._digests[name] = digest
        self._hosts.update(update.served)
        if self._certificates or self._hosts:
            self._changed.set()

    async def flush(self) -> None:
        self._changed.clear()
        certificates, self._certificates = self._certificates, {}
        hosts, self._hosts = self._hosts, {}
        if not certificates and not hosts:
            return
        try:
            await asyncio.to_thread(self._write, certificates, hosts)
        except (sqlite3.Error, OSError) as error:
            self._certificates = {**certificates, **self._certificates}
            self._hosts = {**hosts, **self._hosts}
            _log.warning("certificates cannot be kept", path=str(self._path), error=str(error))

    def _write(self, certificates: dict[str, ir.Certificate | None], hosts: dict[str, Served | None]) -> None:
        with closing(self._connect()) as connection, connection:
            connection.executemany(
                "DELETE FROM certificates WHERE name = ?", [(name,) for name, each in certificates.items() if not each]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?)",
                [(each.name, each.chain, bytes(each.key), each.ends) for each in certificates.values() if each],
            )
            connection.executemany("DELETE FROM hosts WHERE host = ?", [(host,) for host in hosts if not hosts[host]])
            connection.executemany(
                "INSERT OR REPLACE INTO hosts VALUES (?, ?)",
                [(host, _written(served)) for host, served in hosts.items() if served],
            )

    def _connect(self) -> sqlite3.Connection:
        connection = self._open()
        connection.executescript(_SCHEMA)
        return connection


def _certificate(name: str, chain: bytes, key: bytes, ends: float) -> ir.Certificate:
    return ir.Certificate(name=name, chain=chain, key=ir.PrivateBytes(key), ends=ends)


def _digest(certificate: ir.Certificate) -> bytes:
    return hashlib.blake2b(certificate.chain + bytes(certificate.key), digest_size=16).digest()


def _written(served: Served) -> str:
    writings = sorted([*key, uid, generation] for key, uid, generation in served.writings)
    return json.dumps({"writings": writings, "certificates": served.certificates})


def _read(text: str) -> Served:
    found = json.loads(text)
    writings = frozenset((Key(*key), uid, generation) for *key, uid, generation in found["writings"])
    return Served(writings, tuple(found["certificates"]))
