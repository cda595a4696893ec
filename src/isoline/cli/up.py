"""`isoline up`: everything on this machine, until Ctrl-C or `isoline down`."""

import asyncio
import gc
import os
import signal
import time
from pathlib import Path

import typer
import uvloop

from isoline.cli.one_machine import STOP_DRAIN_SECONDS, OneMachine, Options
from isoline.cli.one_machine_console import console_of
from isoline.cli.ports import PortError
from isoline.cli.screen import Screen
from isoline.cluster.directory import DirectoryError
from isoline.cluster.lock import LockedError
from isoline.cluster.state import StateFolderError
from isoline.console.api import ControlServer
from isoline.envoy import EnvoyError, EnvoyMissingError
from isoline.processes import StartError

SAME_SIGNAL_SECONDS = 1.0
"""`timeout` and some shells send one to the process and to its group, which makes two."""

USERS_MISTAKES = (
    LockedError,
    StateFolderError,
    DirectoryError,
    PortError,
    StartError,
    EnvoyError,
    EnvoyMissingError,
)


def up(directory: Path | None, state: Path, http_port: int | None, https_port: int | None) -> None:
    """Serve what the manifests say on this machine, behind the real Envoy."""
    options = Options(directory=directory, state=state, http_port=http_port, https_port=https_port)
    screen = Screen()
    try:
        uvloop.run(_up(options, screen))
    except USERS_MISTAKES as error:
        screen.problem(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


class Signals:
    """The first signal ends everything in order; a later one ends this process, and nothing that it runs."""

    def __init__(self, machine: OneMachine) -> None:
        self._machine = machine
        self._first: float | None = None

    def received(self, number: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            self._machine.stop.set()
        elif now - self._first > SAME_SIGNAL_SECONDS:
            os._exit(128 + number)


async def _up(options: Options, screen: Screen) -> None:
    machine = OneMachine(options)
    loop = asyncio.get_running_loop()
    signals = Signals(machine)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.received, number)
    screen.begin(machine)
    # What is made from here on stays: looking through it for garbage again and again would only cost time.
    gc.disable()
    async with machine.running():
        gc.collect()
        gc.freeze()
        gc.enable()
        control = ControlServer(console_of(machine), machine.state.control_socket)
        await control.start()
        telling = asyncio.create_task(screen.tell(machine))
        try:
            await machine.stop.wait()
        finally:
            telling.cancel()
            screen.ending(STOP_DRAIN_SECONDS)
            await control.stop()
    if machine.failure is not None:
        raise machine.failure
    screen.ended()
