"""The web server around the application: one process, a graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from isoline_voice.api.app import create_app
from isoline_voice.api.forwarded import behind
from isoline_voice.api.studio import Studio
from isoline_voice.configuration import engines_of
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService
from isoline_voice.state.database import Database
from isoline_voice.telemetry import logs, traces

log = logging.getLogger(__name__)

BACKLOG = 2048


def run(settings: Settings, *, workers: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Exits with one sentence and code 1 when the address cannot be had.

    Raises ConfigurationError for what is wrong with the file of engines.
    """
    logs.configure(settings.log_format)
    with traces.sending(settings.traces):
        _serve(settings, workers=workers)


def _serve(settings: Settings, *, workers: int | None) -> None:
    if settings.state is None:
        log.warning("voices, jobs and usage are gone when the studio stops; --state keeps them in a folder")
    else:
        Database(settings.state).close()
    engine = engines_of(settings)
    try:
        listener = listen(settings)
    except OSError as error:
        sys.stderr.write(f"isoline-voice: {_why_not(error, settings)}\n")
        sys.exit(1)
    app = create_app(SpeechService(engine, workers=workers), settings)
    server = VoiceServer(app.state.studio, server_config(app, settings))
    host, port = listener.getsockname()[:2]
    log.info("listening at http://%s:%d", f"[{host}]" if ":" in host else host, port)
    server.run(sockets=[listener])


def listen(settings: Settings) -> socket.socket:
    """A listening TCP socket at the settings' address; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _why_not(error: OSError, settings: Settings) -> str:
    address = f"{settings.host}:{settings.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{address} is taken by another program; choose another port with --port."
        case errno.EACCES:
            return f"{address} needs privileges; choose a port above 1023 with --port."
        case _:
            return f"cannot listen at {address}: {error.strerror or error}."


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves `app`: no logs of its own below warnings, no Server header, bounded messages."""
    return uvicorn.Config(
        behind(app, trusted=settings.trusted_proxies),
        proxy_headers=False,  # `behind` heeds them, and the prefix as well
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
        backlog=BACKLOG,
        ws_max_size=settings.max_body,
        # Frames of PCM do not get smaller by deflating, only later.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=max(1, round(settings.grace)),
        timeout_keep_alive=75,
    )


class VoiceServer(uvicorn.Server):
    """Stops in three steps: it reports itself not ready, lets running speech finish, then closes.

    uvicorn alone closes WebSockets the moment it is told to stop, and stops listening before a gateway knows.
    """

    def __init__(self, studio: Studio, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._studio = studio
        self._stopping: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """SIGTERM drains; SIGINT, or a second signal, does not wait for a gateway, a third for nobody."""
        if sig == signal.SIGTERM and not self._studio.draining:
            self._studio.draining = True
            asyncio.get_running_loop().call_soon_threadsafe(self._begin_to_stop)
            return
        self._studio.draining = True
        self.force_exit = self.should_exit
        self.should_exit = True

    def _begin_to_stop(self) -> None:
        self._stopping = asyncio.create_task(self._stop())

    async def _stop(self) -> None:
        settings = self._studio.settings
        await asyncio.sleep(settings.drain)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.grace):
                await self._studio.idle.wait()
        self.should_exit = True
