"""`isoline envoy shutdown` and `isoline envoy shutdown-manager`: an orderly end for an Envoy of a cluster."""

import asyncio
import signal
from pathlib import Path

from isoline.cli.errors import FoundWrongError
from isoline.envoy.admin import AdminClient
from isoline.envoy.shutdown import Shutdown, ShutdownManager, shut_down


def run_shutdown(admin_socket: Path, settings: Shutdown) -> None:
    """Raises FoundWrongError when the ready file cannot be written."""
    try:
        asyncio.run(shut_down(AdminClient(admin_socket), settings))
    except OSError as error:
        raise FoundWrongError(f"{error.filename}: cannot be written: {error.strerror}") from error


def run_manager(ready_file: Path, admin_socket: Path, *, host: str, port: int) -> None:
    """Runs until it is told to end. Raises FoundWrongError when it cannot listen."""
    try:
        asyncio.run(_manage(ShutdownManager(ready_file, AdminClient(admin_socket), host=host, port=port)))
    except OSError as error:
        raise FoundWrongError(str(error)) from error


async def _manage(manager: ShutdownManager) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await manager.start()
    try:
        await stop.wait()
    finally:
        await manager.stop()
