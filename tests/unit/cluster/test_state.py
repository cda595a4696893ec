"""The state folder: modes, sockets in deep folders, files replaced as a whole."""

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from isoline.cluster.lock import LockedError
from isoline.cluster.sockets import LONGEST, SocketPathError, short_path
from isoline.cluster.state import StateFolder, StateFolderError, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_belongs_to_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    folder = StateFolder(tmp_path / "state")
    folder.acquire()
    assert mode(folder.path) == mode(folder.processes) == mode(folder.volumes) == 0o700
    database = folder.database()
    database.open()
    assert mode(folder.path / "objects.sqlite3") == 0o600
    database.close()
    folder.release()


def test_git_is_told_to_leave_it_alone(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.acquire()
    assert (folder.path / ".gitignore").read_text() == "*\n"
    folder.release()


def test_a_folder_has_one_holder_and_names_it(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    assert folder.holder is None
    folder.acquire()
    with pytest.raises(LockedError):
        StateFolder(tmp_path / "state").acquire()
    holder = StateFolder(tmp_path / "state").holder
    assert holder is not None
    assert holder.pid == os.getpid()
    folder.release()
    assert folder.holder is None


def test_a_file_in_the_way_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateFolderError, match="--state"):
        StateFolder(tmp_path / "state").acquire()


def test_a_short_socket_path_is_left_as_it_is(tmp_path: Path) -> None:
    assert short_path(tmp_path / "isoline.sock") == tmp_path / "isoline.sock"


@pytest.fixture
def short_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pytest's own is nearly as long as a socket's path may be."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield


@pytest.mark.usefixtures("short_temporary_folder")
def test_a_socket_in_a_deep_folder_is_reached_by_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    short = short_path(deep / "isoline.sock")
    assert len(os.fsencode(short)) <= LONGEST
    assert short_path(deep / "isoline.sock") == short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short))
        assert (deep / "isoline.sock").is_socket()


@pytest.mark.usefixtures("short_temporary_folder")
def test_somebody_elses_link_is_not_followed(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    link = short_path(deep / "isoline.sock").parent
    link.unlink()
    link.symlink_to(tmp_path)
    with pytest.raises(SocketPathError, match="remove it"):
        short_path(deep / "isoline.sock")


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "ca.key"
    write_private(path, b"one")
    write_private(path, b"two")
    assert (path.read_bytes(), mode(path)) == (b"two", 0o600)
    assert list(tmp_path.iterdir()) == [path]
