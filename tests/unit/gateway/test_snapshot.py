"""A snapshot is kept change by change and read whole."""

import sqlite3
import stat
from pathlib import Path

from isoline.gateway.renderer import Batch
from isoline.gateway.snapshot import Snapshot
from isoline.xds.resources import Name, resource

CLUSTER = resource("type/cluster", "default/app/80", b"\x00\x01", brings=(Name("type/endpoints", "default/app/http"),))
ROUTES = resource("type/routes", "http/a.example", b"two", (CLUSTER.name, Name("type/endpoints", "default/app/http")))


async def test_what_was_kept_is_loaded_by_the_next_process(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "snapshot.sqlite3")
    snapshot.keep(Batch([CLUSTER, ROUTES], []))
    await snapshot.flush()
    assert sorted(Snapshot(tmp_path / "snapshot.sqlite3").load()) == sorted([CLUSTER, ROUTES])


async def test_the_last_word_on_a_name_counts(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "snapshot.sqlite3")
    snapshot.keep(Batch([CLUSTER, ROUTES], []))
    snapshot.keep(Batch([resource("type/routes", "http/a.example", b"three")], [CLUSTER.name]))
    await snapshot.flush()
    assert [kept.body for kept in snapshot.load()] == [b"three"]


async def test_it_holds_keys_so_nobody_else_may_read_it(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "snapshot.sqlite3")
    snapshot.keep(Batch([CLUSTER], []))
    await snapshot.flush()
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_a_damaged_snapshot_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    snapshot = Snapshot(path)
    assert snapshot.load() == []
    snapshot.keep(Batch([CLUSTER], []))
    await snapshot.flush()
    assert snapshot.load() == [CLUSTER]


async def test_a_snapshot_of_another_format_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.sqlite3"
    snapshot = Snapshot(path)
    snapshot.keep(Batch([CLUSTER], []))
    await snapshot.flush()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE about SET format = 999")
    connection.close()
    assert snapshot.load() == []


async def test_a_snapshot_of_something_else_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.sqlite3"
    one = Snapshot(path, made_for="one cluster")
    one.keep(Batch([CLUSTER], []))
    await one.flush()
    assert Snapshot(path, made_for="one cluster").load() == [CLUSTER]
    assert Snapshot(path, made_for="another").load() == []
    assert Snapshot(path, made_for="one cluster").load() == []


async def test_what_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    snapshot = Snapshot(folder / "snapshot.sqlite3")
    snapshot.keep(Batch([CLUSTER], []))
    await snapshot.flush()
    folder.mkdir()
    snapshot.keep(Batch([ROUTES], []))
    await snapshot.flush()
    assert sorted(snapshot.load()) == sorted([CLUSTER, ROUTES])
