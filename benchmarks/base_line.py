"""What base lines are measured on: an Envoy and the server of what it is sent, and nothing else of Isoline."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.ports import free_port
from isoline.envoy import BootstrapSettings, Envoy
from isoline.processes import ProcessTable
from isoline.xds.cache import Cache
from isoline.xds.resources import Resource
from isoline.xds.server import Server


class BaseLine:
    """An Envoy that is sent what `serve` is given. It has `concurrency` workers, or one a processor."""

    def __init__(self, *, concurrency: int | None = None) -> None:
        self.http_port = free_port()
        self.cache = Cache()
        self._folder = tempfile.TemporaryDirectory(prefix="isoline-bench-")
        folder = Path(self._folder.name)
        socket = folder / "xds.sock"
        self._server = Server(self.cache, address=f"unix:{socket}", on_rejected=_refused)
        settings = BootstrapSettings(node_id="base-line", xds_socket=socket)
        self.envoy = Envoy(ProcessTable(folder / "processes"), folder / "envoy", settings, concurrency)

    def serve(self, resources: Iterable[Resource]) -> None:
        """What it is sent to begin with."""
        self.cache.update(resources)
        self.cache.mark_ready()

    async def __aenter__(self) -> Self:
        await self._server.start()
        await self.envoy.start()
        await self.envoy.wait_ready(60)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.envoy.stop(0)
        await self._server.stop()
        self._folder.cleanup()


def _refused(name: object, message: str) -> None:
    raise RuntimeError(f"Envoy refused {name}: {message}")
