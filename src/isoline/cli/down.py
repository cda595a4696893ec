"""`isoline down`: end what runs on a state folder, also what a killed `isoline up` left."""

import asyncio
import os
import signal
import time
from pathlib import Path

import typer

from isoline.cli.one_machine import STOP_DRAIN_SECONDS
from isoline.cli.screen import Screen
from isoline.cluster.lock import Holder, LockedError
from isoline.cluster.state import StateFolder, StateFolderError
from isoline.envoy import BootstrapSettings, Envoy
from isoline.processes import ProcessTable

LONGEST_STOP_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.05


def down(state: Path) -> None:
    """Stop everything that runs on this state folder. Objects, volumes and keys stay."""
    screen = Screen()
    folder = StateFolder(state)
    if not folder.path.is_dir():
        screen.line("Nothing", f"runs here: there is no {state}")
        return
    holder = folder.holder
    if holder is not None and not _ended(folder, holder):
        screen.problem(f"{holder} does not end; `kill -9 {holder.pid}`, then `isoline down` again")
        raise typer.Exit(1)
    try:
        left = asyncio.run(_stop_left_overs(folder))
    except (LockedError, StateFolderError) as error:
        screen.problem(str(error))
        raise typer.Exit(1) from None
    if holder is not None:
        screen.line("Stopped", f"isoline up (pid {holder.pid}) and all that it ran")
    for name in left:
        screen.line("Stopped", f"{name}, which an earlier run had left")
    if holder is None and not left:
        screen.line("Nothing", f"was running on {state}")


def _ended(folder: StateFolder, holder: Holder) -> bool:
    """Asks the holder to end, and waits until the folder is free."""
    try:
        os.kill(holder.pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    end = time.monotonic() + LONGEST_STOP_SECONDS
    while folder.holder is not None:
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


async def _stop_left_overs(folder: StateFolder) -> list[str]:
    """Ends what still runs: traffic first, then what it went to. Returns the names."""
    folder.acquire()
    try:
        table = ProcessTable(folder.processes)
        left = [process.name for process in table.adopt()]
        if left:
            settings = BootstrapSettings(node_id="gateway", xds_socket=folder.xds_socket)
            await Envoy(table, folder.path / "envoy", settings).stop(STOP_DRAIN_SECONDS)
            await table.stop_all()
        return left
    finally:
        folder.release()
