"""Memory and CPU limits by control groups, version 2, where this user may make some.

A group can be made below any ancestor of our own that we may write to and that hands the memory and cpu controllers
down (kernel documentation, "Control Group v2": Delegation, No Internal Process Constraint). Elsewhere limits are not
enforced, and the caller is told.
"""

import contextlib
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CPU_PERIOD_US = 100_000
_CONTROLLERS = ("memory", "cpu")


def create(
    name: str, *, memory_bytes: int | None, cpu_cores: float | None, root: Path = ROOT, own: str | None = None
) -> Path | None:
    """Make a group with these limits and return its folder, or None where that is not possible.

    `own` is the path of our own group below `root`; it is read from /proc when not given.
    """
    parent = _delegated(root, _own_group() if own is None else own)
    if parent is None:
        return None
    group = parent / "isoline" / name
    try:
        group.parent.mkdir(exist_ok=True)
        _hand_down(group.parent)
        # One left by a killed supervisor would bring its old events along.
        end(group)
        group.mkdir()
        if memory_bytes is not None:
            (group / "memory.max").write_text(str(memory_bytes))
            # One process of many killed leaves a broken app; the kubelet sets this too.
            (group / "memory.oom.group").write_text("1")
        if cpu_cores is not None:
            (group / "cpu.max").write_text(f"{int(cpu_cores * CPU_PERIOD_US)} {CPU_PERIOD_US}")
    except OSError:
        end(group)
        return None
    return group


def end(group: Path) -> None:
    """Kill what runs in a group and remove it; one that is not there is left alone."""
    with contextlib.suppress(OSError):
        if (group / "cgroup.kill").exists():
            (group / "cgroup.kill").write_text("1")
        group.rmdir()


def _own_group() -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line[3:]
    return "/"


def _delegated(root: Path, own: str) -> Path | None:
    """The nearest ancestor of our own group that we may make groups in, with both controllers."""
    if not (root / "cgroup.controllers").exists():
        return None
    folder = root / own.lstrip("/")
    # Our own group holds processes (us), so it cannot hand controllers down, unless it is the root, which may.
    candidates = [folder] if folder == root else [*folder.parents]
    for candidate in candidates:
        if not candidate.is_relative_to(root):
            return None
        if os.access(candidate, os.W_OK) and os.access(candidate / "cgroup.procs", os.W_OK) and _hand_down(candidate):
            return candidate
    return None


def _hand_down(group: Path) -> bool:
    """Make the controllers available to the groups inside; False if that is refused."""
    control = group / "cgroup.subtree_control"
    try:
        if set(_CONTROLLERS) <= set(control.read_text().split()):
            return True
        control.write_text(" ".join(f"+{controller}" for controller in _CONTROLLERS))
    except OSError:
        return False
    return True
