"""Memory and the state folder: what is read when Isoline starts, and what is written of each change."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from isoline.cluster import codec
from isoline.cluster.database import Database, Table
from isoline.cluster.identities import Identity, digest
from isoline.cluster.layers import Generated
from isoline.cluster.manifests import ManifestFile, pack_file, unpack_file
from isoline.objects import Key, Object

APPLIED = "applied"
GENERATED = "generated"

# A file that was written this shortly before it was read may be written once more without its signature telling.
RACY_NS = 20_000_000


class KeptIdentity(NamedTuple):
    identity: Identity
    digest: bytes
    """Of what the object asked for: whether the generation still holds."""


class Kept(NamedTuple):
    """All that a state folder remembers."""

    applied: dict[Key, Object]
    generated: dict[Key, Generated]
    identities: dict[Key, KeptIdentity]
    statuses: dict[Key, msgspec.Struct]
    files: dict[str, ManifestFile]
    stale: list[str]
    """What this version could not read, a line each. It stays where it is."""


def load(database: Database) -> Kept:
    """Everything, decoded. What is remembered to save time only is left out where it cannot be read."""
    applied: dict[Key, Object] = {}
    generated: dict[Key, Generated] = {}
    stale: list[str] = []
    for kind, namespace, name, layer, manager, owner, body in database.load(Table.OBJECTS):
        key = Key(kind, namespace, name)
        try:
            item = codec.unpack(kind, body)
        except codec.StaleError as error:
            stale.append(f"{key}: {error}")
            continue
        if layer == APPLIED:
            applied[key] = item
        else:
            generated[key] = Generated(item, manager, codec.key_of(owner))
    identities = {
        Key(kind, namespace, name): KeptIdentity(Identity(uid, created, generation), known)
        for kind, namespace, name, uid, created, generation, known in database.load(Table.IDENTITIES)
    }
    return Kept(applied, generated, identities, _statuses(database), _files(database), stale)


def _statuses(database: Database) -> dict[Key, msgspec.Struct]:
    statuses: dict[Key, msgspec.Struct] = {}
    for kind, namespace, name, body in database.load(Table.STATUSES):
        try:
            statuses[Key(kind, namespace, name)] = codec.unpack_status(kind, body)
        except codec.StaleError:
            continue
    return statuses


def _files(database: Database) -> dict[str, ManifestFile]:
    files: dict[str, ManifestFile] = {}
    for path, body in database.load(Table.FILES):
        try:
            files[path] = unpack_file(body)
        except codec.StaleError:
            continue
    return files


class Keeper:
    """Writes each change behind. Nothing here waits; `Database.flush` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def applied(self, key: Key, item: Object | None) -> None:
        self._put(Table.OBJECTS, (*key, APPLIED), None if item is None else ("", "", item))

    def generated(self, key: Key, generated: Generated | None) -> None:
        row = None if generated is None else (generated.manager, codec.text_of(generated.owner), generated.object)
        self._put(Table.OBJECTS, (*key, GENERATED), row)

    def identity(self, key: Key, identity: Identity | None, item: Object | None) -> None:
        """`item` is what the generation counts a version of."""
        if identity is None or item is None:
            self._database.drop(Table.IDENTITIES, tuple(key))
        else:
            self._database.put(Table.IDENTITIES, tuple(key), lambda: (*identity, digest(item)))

    def status(self, key: Key, status: msgspec.Struct | None) -> None:
        self._put(Table.STATUSES, tuple(key), None if status is None else (status,))

    def files(self, files: Mapping[str, ManifestFile | None]) -> None:
        newest = time.time_ns() - RACY_NS
        for path, file in files.items():
            if file is None:
                self._database.drop(Table.FILES, (path,))
            elif file.signature.modified_ns < newest:
                self._put_file(path, file)

    def _put_file(self, path: str, file: ManifestFile) -> None:
        self._database.put(Table.FILES, (path,), lambda: (pack_file(file),))

    def _put(self, table: Table, key: tuple[str, ...], row: tuple[Any, ...] | None) -> None:
        if row is None:
            self._database.drop(table, key)
        else:
            *plain, body = row
            self._database.put(table, key, lambda: (*plain, codec.pack(body)))
