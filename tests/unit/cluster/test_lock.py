"""One process a state folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isoline.cluster.lock import Lock, LockedError, is_held, read_holder

HOLD = """
import sys, time
from pathlib import Path
from isoline.cluster.lock import Lock
Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_second_holder_is_told_who_the_first_is(path: Path) -> None:
    first = Lock(path)
    first.acquire()
    with pytest.raises(LockedError) as caught:
        Lock(path).acquire()
    assert caught.value.holder is not None
    assert caught.value.holder.pid == os.getpid()
    assert f"pid {os.getpid()}" in str(caught.value)
    assert f"isoline down --state {path.parent}" in str(caught.value)
    first.release()


def test_a_released_lock_is_free_and_names_nobody(path: Path) -> None:
    lock = Lock(path)
    lock.acquire()
    assert is_held(path)
    lock.release()
    assert not is_held(path)
    assert read_holder(path) is None
    again = Lock(path)
    again.acquire()
    again.release()


def test_a_killed_holder_locks_nobody_out(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_held(path)
        holder = read_holder(path)
        assert holder is not None
        assert holder.pid == process.pid
        process.kill()
    lock = Lock(path)
    lock.acquire()
    lock.release()


def test_a_lock_is_not_handed_to_children(path: Path) -> None:
    lock = Lock(path)
    lock.acquire()
    with subprocess.Popen(["sleep", "60"]) as child:
        lock.release()
        assert not is_held(path)
        child.kill()


def test_nothing_is_held_where_there_is_no_folder(path: Path) -> None:
    assert not is_held(path.parent / "none" / "lock")
    assert read_holder(path) is None
