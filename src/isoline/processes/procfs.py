"""Telling one process from another that got the same pid later."""

import os
import select
import signal
from pathlib import Path

from isoline.processes.shim.system import boot_id, start_ticks

__all__ = ["boot_id", "end_session", "ended", "open_pidfd", "start_ticks"]


def open_pidfd(pid: int, ticks: int | None) -> int | None:
    """A pidfd of the process `pid` that started at `ticks`; None if it has ended, whoever has its pid now.

    The start time is compared after the descriptor is open, so that the pid cannot change hands in between.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return None
    if ticks is None or start_ticks(pid) != ticks:
        os.close(descriptor)
        return None
    return descriptor


def ended(pidfd: int) -> bool:
    """Whether the process behind `pidfd` has ended."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(0))


def end_session(session: int, leader_ticks: int | None) -> None:
    """Kill what is left of the session that the process `session`, started at `leader_ticks`, once led.

    A pid is not given out again while a session bears its number, so members without a living leader are the old
    one's; a leader with another start time means that the session is somebody else's.
    """
    ticks = start_ticks(session)
    if ticks is not None and ticks != leader_ticks:
        return
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if os.getsid(int(entry.name)) == session:
                os.kill(int(entry.name), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
