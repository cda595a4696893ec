"""The cache as bytes, so that a restart serves the last good world before it has read the new one."""

from typing import NamedTuple

import msgspec

from isoline.xds.resources import Name, Resource

_FORMAT = 1

RejectionRow = tuple[Name, str, str, Resource | None]
"""Name, version, message, fallback."""


class SnapshotError(Exception):
    """These bytes are no snapshot that this version can read; start without one."""


class _Row(NamedTuple):
    type_index: int
    name: str
    version: str
    body: bytes
    needs: tuple[tuple[int, str], ...]
    brings: tuple[tuple[int, str], ...]


class _Snapshot(msgspec.Struct, array_like=True, gc=False):
    format: int
    types: list[str]
    rows: list[_Row]
    rejections: list[tuple[int, str, str, str, _Row | None]]


_decoder = msgspec.msgpack.Decoder(_Snapshot)


def dump(resources: list[Resource], rejections: list[RejectionRow]) -> bytes:
    """A snapshot of `resources` and of what was refused."""
    types: dict[str, int] = {}

    def index(type_url: str) -> int:
        return types.setdefault(type_url, len(types))

    def keys(names: tuple[Name, ...]) -> tuple[tuple[int, str], ...]:
        return tuple((index(name.type_url), name.name) for name in names)

    def row(each: Resource) -> _Row:
        return _Row(
            index(each.name.type_url), each.name.name, each.version, each.body, keys(each.needs), keys(each.brings)
        )

    rows = [row(each) for each in resources]
    refused = [
        (index(name.type_url), name.name, version, message, None if fallback is None else row(fallback))
        for name, version, message, fallback in rejections
    ]
    return msgspec.msgpack.encode(_Snapshot(_FORMAT, list(types), rows, refused))


def load(data: bytes) -> tuple[list[Resource], list[RejectionRow]]:
    """What `dump` was given. Equal names and bodies come back as one object, as they were."""
    try:
        snapshot = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"not a snapshot: {error}") from error
    if snapshot.format != _FORMAT:
        raise SnapshotError(f"a snapshot of format {snapshot.format}, this version reads format {_FORMAT}")
    types, names, bodies = snapshot.types, dict[tuple[int, str], Name](), dict[str, bytes]()

    def name_of(key: tuple[int, str]) -> Name:
        found = names.get(key)
        if found is None:
            found = names[key] = Name(types[key[0]], key[1])
        return found

    def resource_of(row: _Row) -> Resource:
        needs, brings = (tuple(map(name_of, keys)) for keys in (row.needs, row.brings))
        body = bodies.setdefault(row.version, row.body)
        return Resource(name_of((row.type_index, row.name)), row.version, body, needs, brings)

    try:
        resources = [resource_of(row) for row in snapshot.rows]
        refused = [
            (name_of((kind, name)), version, message, None if fallback is None else resource_of(fallback))
            for kind, name, version, message, fallback in snapshot.rejections
        ]
    except IndexError as error:
        raise SnapshotError("not a snapshot: it names a type that it does not list") from error
    return resources, refused
