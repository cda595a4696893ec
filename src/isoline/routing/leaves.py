"""Endpoints and certificates, the units that sites share: compiled as long as a site uses them."""

import hashlib
from collections import Counter
from collections.abc import Iterable

import msgspec

from isoline.cluster.store import Store
from isoline.routing import ir
from isoline.routing.certificates import compile_certificate
from isoline.routing.compiler import Compiled
from isoline.routing.dependencies import Dependencies, Unit
from isoline.routing.endpoints import compile_endpoints
from isoline.routing.keeping import Keeping
from isoline.routing.settings import Settings
from isoline.routing.update import Update
from isoline.routing.view import View

_encoder = msgspec.msgpack.Encoder(enc_hook=bytes)


def leaves_of(compiled: Compiled) -> tuple[Unit, ...]:
    """Return the endpoints and certificates that a compiled site uses."""
    return (
        *(Unit("endpoints", name) for name in compiled.endpoints),
        *(Unit("certificate", name) for name in compiled.certificates),
    )


def digest_of(value: ir.IR) -> bytes:
    """Return what tells one IR from another, in 16 bytes."""
    return hashlib.blake2b(_encoder.encode(value), digest_size=16).digest()


class Leaves:
    """Who uses what, and what each came out as last."""

    def __init__(self, store: Store, dependencies: Dependencies, keeping: Keeping) -> None:
        self._store = store
        self._dependencies = dependencies
        self._keeping = keeping
        self._users: Counter[Unit] = Counter()
        self._digests: dict[Unit, bytes] = {}

    def count(self, gained: Iterable[Unit], lost: Iterable[Unit]) -> list[Unit]:
        """Note what a site uses now and used before. Returns what it is the first to use or the last to leave."""
        turned: list[Unit] = []
        for unit in gained:
            self._users[unit] += 1
            if self._users[unit] == 1:
                turned.append(unit)
        for unit in lost:
            self._users[unit] -= 1
            if not self._users[unit]:
                del self._users[unit]
                turned.append(unit)
        return turned

    def compile(self, unit: Unit, settings: Settings, update: Update) -> None:
        """Compile endpoints or a certificate, or drop what no site uses any more; `update` is told what differs."""
        result: ir.Endpoints | ir.Certificate | None = None
        if unit in self._users:
            compiler = compile_endpoints if unit.kind == "endpoints" else compile_certificate
            result, reads = compiler(unit.name, View(self._store, settings))
            self._dependencies.replace(unit, reads)
        else:
            self._dependencies.drop(unit)
        if unit.kind == "certificate":
            if result is None and unit in self._users and unit not in self._digests:
                result = self._keeping.earlier(unit.name)
            if self._is_kept(unit, result):
                return
        digest = b"" if result is None else digest_of(result)
        if digest == self._digests.get(unit, b""):
            return
        if result is None:
            del self._digests[unit]
        else:
            self._digests[unit] = digest
        if unit.kind == "endpoints":
            update.endpoints[unit.name] = result if isinstance(result, ir.Endpoints) else None
        else:
            update.certificates[unit.name] = result if isinstance(result, ir.Certificate) else None

    def _is_kept(self, unit: Unit, result: object) -> bool:
        """Whether a certificate has no Secret any more and the sites that use it, asked before, go on with it."""
        if isinstance(result, ir.Certificate):
            self._keeping.good(unit.name, result.ends)
        elif unit in self._users and unit in self._digests:
            return True
        else:
            self._keeping.gone(unit.name)
        return False
