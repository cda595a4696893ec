"""`isoline control-plane`: runs until it is told to end."""

import asyncio
import gc
import signal
import sys

import structlog
import typer
import uvloop

from isoline.cli.control_plane import ControlPlane
from isoline.cli.control_plane_options import Options
from isoline.cli.errors import FoundWrongError
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.xds.credentials import CredentialsError
from isoline.xds.sockets import AddressError

_log = structlog.get_logger(__name__)


def run(options: Options) -> None:
    """Raises FoundWrongError when it cannot start; ends the process with 1 when it broke down."""
    try:
        uvloop.run(_run(options))
    except (AddressError, CredentialsError, KubernetesError, OSError) as error:
        raise FoundWrongError(str(error)) from error


async def _run(options: Options) -> None:
    plane = ControlPlane(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, plane.stop.set)
    # What is made from here on stays: looking through it for garbage again and again would only cost time.
    gc.disable()
    try:
        async with plane.running():
            gc.collect()
            gc.freeze()
            gc.enable()
            _log.info("serves", xds=str(options.xds), server=options.connection.server, identity=options.identity)
            await plane.stop.wait()
    except asyncio.CancelledError:
        if not plane.stop.is_set():
            raise
    if plane.failure is not None:
        _log.error("ended by an error", exc_info=plane.failure)
        sys.stdout.flush()
        raise typer.Exit(1)
