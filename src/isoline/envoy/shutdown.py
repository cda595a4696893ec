"""How an Envoy of a cluster ends without a request lost: it says that it is leaving, and stays until it is not needed.

Two programs take part, in a container beside Envoy's. One is run by that container's `preStop` and does it; the other
keeps Envoy's own `preStop` waiting until it is done.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from isoline.envoy.admin import AdminClient, AdminError

LOOK_SECONDS = 0.2
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Shutdown:
    """How long each step takes, in seconds."""

    ready_file: Path
    """Written when Envoy may go."""
    drain_delay: float = 0.0
    """Before Envoy says that it is leaving: until whoever sends it traffic has heard of it."""
    check_delay: float = 0.0
    """Before it is first asked what is still open."""
    check_interval: float = 5.0
    """Between two such questions."""
    min_open_connections: int = 0
    """So many open requests and tunnels are few enough."""


async def shut_down(admin: AdminClient, settings: Shutdown) -> None:
    """Drain an Envoy and write the ready file. New connections are taken until the end: they may come for a while.

    An Envoy that does not answer is gone, and there is nothing to wait for.
    """
    await asyncio.sleep(settings.drain_delay)
    try:
        await admin.fail_health_checks()
        await asyncio.sleep(settings.check_delay)
        while (left := await admin.busy()) > settings.min_open_connections:
            _log.info("draining", open=left)
            await asyncio.sleep(settings.check_interval)
    except AdminError as error:
        _log.warning("envoy does not answer", reason=str(error))
    settings.ready_file.parent.mkdir(parents=True, exist_ok=True)
    settings.ready_file.write_text("ok\n")


class ShutdownManager:
    """Answers `/shutdown` once the ready file is there, and `/healthz` at once; for Envoy, whose admin interface is a
    unix socket, `/ready` and `/metrics`."""

    def __init__(self, ready_file: Path, admin: AdminClient, *, host: str, port: int) -> None:
        self._ready_file = ready_file
        self._admin = admin
        self._host = host
        self._port = port
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/shutdown", self._shutdown)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        # A container that was restarted finds the file of the last time.
        self._ready_file.unlink(missing_ok=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _shutdown(self, _: web.Request) -> web.Response:
        while not self._ready_file.exists():  # noqa: ASYNC110 - another container writes it
            await asyncio.sleep(LOOK_SECONDS)
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        # Not before its listeners have come, and no longer once it drains.
        ready = await self._admin.ready()
        return web.Response(text="ok\n" if ready else "envoy takes no requests\n", status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        try:
            return web.Response(body=await self._admin.prometheus(), headers={"Content-Type": PROMETHEUS})
        except AdminError as error:
            return web.Response(text=f"{error}\n", status=503)
