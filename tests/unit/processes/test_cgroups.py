"""Limits go to a control group where one can be made; where not, that is said and the process runs all the same.

A folder tree stands for the kernel's here: what is asked of it can then be seen on machines without delegation.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from isoline.processes import ProcessSpec, ProcessTable, cgroups

Python = Callable[..., ProcessSpec]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A version 2 tree whose user slice is delegated, controllers included, to us; we run in a scope inside it."""
    root = tmp_path / "cgroup"
    for folder in (root, root / "user.slice", root / "user.slice" / "isoline.scope"):
        folder.mkdir()
        (folder / "cgroup.controllers").write_text("cpu memory pids\n")
        (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")
        (folder / "cgroup.procs").write_text("")
    return root


def test_limits_are_written_as_the_kernel_wants_them(root: Path) -> None:
    group = cgroups.create("voice", memory_bytes=2**30, cpu_cores=1.5, root=root, own="/user.slice/isoline.scope")
    assert group == root / "user.slice" / "isoline" / "voice"
    assert (group / "memory.max").read_text() == str(2**30)
    assert (group / "memory.oom.group").read_text() == "1"
    assert (group / "cpu.max").read_text() == "150000 100000"


def test_a_limit_that_was_not_asked_for_is_not_set(root: Path) -> None:
    group = cgroups.create("voice", memory_bytes=None, cpu_cores=0.5, root=root, own="/user.slice/isoline.scope")
    assert group is not None
    assert [file.name for file in group.iterdir()] == ["cpu.max"]


def test_controllers_are_handed_down_where_they_are_not_yet(root: Path) -> None:
    (root / "user.slice" / "cgroup.subtree_control").write_text("")
    assert cgroups.create("voice", memory_bytes=1, cpu_cores=None, root=root, own="/user.slice/isoline.scope")
    assert (root / "user.slice" / "cgroup.subtree_control").read_text() == "+memory +cpu"


def test_the_root_group_may_hold_processes_and_groups(root: Path) -> None:
    group = cgroups.create("voice", memory_bytes=1, cpu_cores=None, root=root, own="/")
    assert group == root / "isoline" / "voice"


def test_version_1_has_no_place_for_limits(tmp_path: Path) -> None:
    assert cgroups.create("voice", memory_bytes=1, cpu_cores=None, root=tmp_path, own="/") is None


def test_a_tree_that_is_not_delegated_has_no_place_for_limits(root: Path) -> None:
    for folder in (root, root / "user.slice"):
        (folder / "cgroup.procs").unlink()
    assert cgroups.create("voice", memory_bytes=1, cpu_cores=None, root=root, own="/user.slice/isoline.scope") is None


async def test_a_process_runs_without_its_limits_where_they_cannot_be_enforced(
    table: ProcessTable, python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "create", lambda *_, **__: None)
    process = await table.start(python("print('running')", memory_bytes=2**30, cpu_cores=1.0))
    assert not process.limits_enforced
    assert (await process.wait()).code == 0


async def test_a_kill_by_the_memory_limit_is_told_from_others(
    table: ProcessTable, python: Python, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group = tmp_path / "group"
    group.mkdir()
    (group / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    monkeypatch.setattr(cgroups, "create", lambda *_, **__: group)
    process = await table.start(python("import os; os.kill(os.getpid(), 9)", memory_bytes=2**30))
    assert process.limits_enforced
    status = await process.wait()
    assert status.reason == "OOMKilled"
    assert "more memory than its limit" in str(status)
    assert (group / "cgroup.procs").read_text() == "0"
