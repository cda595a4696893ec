"""Noticing at once that a program has ended."""

import asyncio
import os

from isoline.processes import Process


async def program_ended(process: Process) -> None:
    """Return as soon as the program itself has ended, before its supervisor has tidied up after it.

    Traffic goes on to a dead replica for as long as this takes: no polling, the kernel tells.
    """
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    try:
        # Asked after the descriptor was opened: a later process of that number is told apart.
        if process.alive:
            loop.add_reader(pidfd, ended.set)
            await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
