"""`isoline trust`: the local authority in a system's store, and out of it again."""

from pathlib import Path

import pytest

from isoline.cli.errors import FoundWrongError
from isoline.cli.trust import SystemStore, trust


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ca.crt").write_text("the authority")
    return tmp_path / "state"


@pytest.fixture
def store(tmp_path: Path) -> SystemStore:
    folder = tmp_path / "store"
    folder.mkdir()
    update = tmp_path / "update"
    update.write_text(f"#!/bin/sh\nls {folder} > {tmp_path}/updated\n")
    update.chmod(0o755)
    return SystemStore(folder, (str(update),))


def test_the_authority_is_added_and_the_store_read_anew(
    state: Path, store: SystemStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust(state, remove=False, stores=(store,))
    (installed,) = store.folder.iterdir()
    assert installed.read_text() == "the authority"
    assert (tmp_path / "updated").read_text() == f"{installed.name}\n"
    trust(state, remove=True, stores=(store,))
    assert list(store.folder.iterdir()) == []
    assert (tmp_path / "updated").read_text() == ""


def test_two_state_folders_do_not_replace_each_others(state: Path, store: SystemStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ca.crt").write_text("another")
    for each in (state, other):
        trust(each, remove=False, stores=(store,))
    assert len(list(store.folder.iterdir())) == 2


def test_without_an_authority_it_says_how_there_comes_one(tmp_path: Path, store: SystemStore) -> None:
    with pytest.raises(FoundWrongError, match="isoline up"):
        trust(tmp_path / "none", remove=False, stores=(store,))


def test_who_may_not_gets_the_command_to_give(state: Path, store: SystemStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.copyfile", refuse)
    with pytest.raises(FoundWrongError, match=r"sudo sh -c .*ca\.crt"):
        trust(state, remove=False, stores=(store,))


def test_an_update_that_fails_is_told(state: Path, store: SystemStore) -> None:
    Path(store.update[0]).write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    with pytest.raises(FoundWrongError, match="broken"):
        trust(state, remove=False, stores=(store,))


def test_a_system_without_a_known_store_gets_the_words_for_browsers(state: Path, tmp_path: Path) -> None:
    with pytest.raises(FoundWrongError, match="certutil"):
        trust(state, remove=False, stores=(SystemStore(tmp_path / "none", ("true",)),))
