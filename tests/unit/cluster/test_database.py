"""What the database remembers across kills, damage and other versions."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from isoline.cluster.database import Database, StateVersionError, Table

WRITER = """
import sys, time
from pathlib import Path
from isoline.cluster.database import Database, Table
database = Database(Path(sys.argv[1]))
database.open()
for number in range(1_000_000):
    database.put(Table.FILES, (f"{number:06}",), lambda: (b"x" * 100,))
    if number % 20 == 0:
        database.flush().result()
        print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "objects.sqlite3"


def opened(path: Path) -> Database:
    database = Database(path)
    assert database.open() is None
    return database


def test_what_was_put_is_there_after_a_restart(path: Path) -> None:
    database = opened(path)
    database.put(Table.STATUSES, ("App", "default", "a"), lambda: (b"1",))
    database.put(Table.STATUSES, ("App", "default", "b"), lambda: (b"1",))
    database.put(Table.STATUSES, ("App", "default", "a"), lambda: (b"2",))
    database.drop(Table.STATUSES, ("App", "default", "b"))
    database.close()
    database = opened(path)
    assert database.load(Table.STATUSES) == [("App", "default", "a", b"2")]
    database.close()


def test_what_was_flushed_survives_a_kill_at_any_moment(path: Path) -> None:
    for rounds in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged = [int(process.stdout.readline()) for _ in range(5 + 7 * rounds)][-1]
            process.send_signal(signal.SIGKILL)
        database = opened(path)
        written = [row[0] for row in database.load(Table.FILES)]
        assert written[: acknowledged + 1] == [f"{number:06}" for number in range(acknowledged + 1)]
        database.close()


@pytest.mark.parametrize("damage", [b"this is no database at all" * 100, b"SQLite format 3\0" + os.urandom(8000)])
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    database = Database(path)
    aside = database.open()
    assert aside is not None
    assert aside.read_bytes() == damage
    database.put(Table.FILES, ("a",), lambda: (b"",))
    database.close()
    database = opened(path)
    assert len(database.load(Table.FILES)) == 1
    database.close()


def test_damage_in_the_middle_is_noticed(path: Path) -> None:
    database = opened(path)
    for number in range(2000):
        database.put(Table.FILES, (f"{number}",), lambda: (b"x" * 200,))
    database.close()
    content = bytearray(path.read_bytes())
    content[50_000:90_000] = os.urandom(40_000)
    path.write_bytes(content)
    database = Database(path)
    assert database.open() is not None
    database.close()


def test_a_newer_versions_folder_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateVersionError, match="newer Isoline"):
        Database(path).open()
    assert path.exists()


def test_a_failed_write_is_told_to_whoever_waits_and_tried_again(path: Path) -> None:
    database = opened(path)
    assert database._connection is not None
    database._connection.execute("PRAGMA query_only = ON")
    database.put(Table.FILES, ("a",), lambda: (b"",))
    with pytest.raises(sqlite3.OperationalError):
        database.flush().result(timeout=10)
    assert database.failure is not None
    database._connection.execute("PRAGMA query_only = OFF")
    database.flush().result(timeout=10)
    assert not database.failure
    assert len(database.load(Table.FILES)) == 1
    database.close()


def test_what_cannot_be_encoded_does_not_stop_the_others(path: Path) -> None:
    database = opened(path)

    def unencodable() -> tuple[bytes]:
        return ("no".encode("no such encoding"),)

    database.put(Table.FILES, ("bad",), unencodable)
    database.put(Table.FILES, ("good",), lambda: (b"",))
    with pytest.raises(LookupError):
        database.flush().result(timeout=10)
    database.flush().result(timeout=10)
    assert [row[0] for row in database.load(Table.FILES)] == ["good"]
    database.close()
