"""Noticing at once that a program has ended."""

import asyncio
import os
from collections.abc import Callable

from isoline.processes import Process


async def program_ended(process: Process) -> None:
    """Return as soon as the program itself has ended, before its supervisor has tidied up after it.

    Traffic goes on to a dead replica for as long as this takes: no polling, the kernel tells.
    """
    await ended(process.pid, unless=lambda: not process.alive)


async def ended(pid: int, *, unless: Callable[[], bool] = lambda: False) -> None:
    """Return when the process `pid` has ended, at once if there is none or `unless` says that it is another by now."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    try:
        # Asked after the descriptor was opened: a later process of that number is told apart.
        if not unless():
            loop.add_reader(pidfd, over.set)
            await over.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
