"""Envoy's admin interface, over its unix socket, with typed answers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from isoline.envoy import admin_messages as messages
from isoline.envoy.admin_messages import Certificate, ClusterStatus, EndpointStatus, ListenerStatus, ServerInfo

__all__ = [
    "AdminClient",
    "AdminError",
    "Certificate",
    "ClusterStatus",
    "EndpointStatus",
    "ListenerStatus",
    "ServerInfo",
]

_LONGEST_SOCKET_PATH = 107
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=2)


class AdminError(Exception):
    """The admin interface does not answer, or refuses; the message says what was asked and what came back."""


class AdminClient:
    """Asks one Envoy. Every question has a connection of its own, so there is nothing to close."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket.absolute()

    async def server_info(self) -> ServerInfo:
        """Version, state and age of the process that answers."""
        return messages.server_info(await self._get("/server_info"))

    async def ready(self) -> bool:
        """Whether it is there and takes requests; False too when nobody answers."""
        try:
            return (await self.server_info()).state == "LIVE"
        except AdminError:
            return False

    async def clusters(self) -> list[ClusterStatus]:
        """Every cluster with its endpoints, and what Envoy thinks of the health of each."""
        return messages.clusters(await self._get("/clusters", format="json"))

    async def listeners(self) -> list[ListenerStatus]:
        """Every listener with the addresses it is bound to."""
        return messages.listeners(await self._get("/listeners", format="json"))

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose names match the regular expression `pattern`; those never used are left out."""
        return messages.stats(await self._get("/stats", format="json", filter=pattern, usedonly=""))

    async def prometheus(self) -> bytes:
        """Return the counters, gauges and histograms in use, as Prometheus reads them."""
        return await self._get("/stats/prometheus", usedonly="")

    async def config_dump(
        self, *, resource: str | None = None, mask: str | None = None, name_regex: str | None = None
    ) -> list[dict[str, Any]]:
        """What Envoy runs with, secrets redacted by itself; parameters as in its documentation of `/config_dump`.

        `resource` is a field of a dump such as `dynamic_active_clusters`. Raises AdminError for an unknown one.
        """
        wanted = {"resource": resource, "mask": mask, "name_regex": name_regex}
        answer = await self._get("/config_dump", **{key: value for key, value in wanted.items() if value is not None})
        configs: list[dict[str, Any]] = msgspec.json.decode(answer).get("configs", [])
        return configs

    async def certificates(self) -> list[Certificate]:
        """Certificates in use with their names and dates; Envoy does not list those that it fetched on demand."""
        return messages.certificates(await self._get("/certs"))

    async def set_runtime(self, values: Mapping[str, str]) -> None:
        """Set runtime keys until the process ends; an empty value removes a key."""
        await self._post("/runtime_modify", **values)

    async def drain_listeners(self) -> None:
        """Take no new connections, and close each existing one as its next answer ends."""
        await self._post("/drain_listeners", graceful="")
        await self._post("/drain_listeners")

    async def fail_health_checks(self) -> None:
        """Have it say that it is leaving: to health checks, and by closing each connection after its next answer."""
        await self._post("/healthcheck/fail")

    async def busy(self) -> int:
        """How many requests, tunnels and other streams clients have open now."""
        stats = await self.stats(r"^(http\..*\.downstream_(rq|cx)_active|listener\..*\.downstream_cx_active)$")
        return messages.open_streams(stats)

    async def quit(self) -> None:
        """Ask it to exit at once."""
        await self._post("/quitquitquit")

    async def _get(self, path: str, **query: str) -> bytes:
        return await self._ask("GET", path, query)

    async def _post(self, path: str, **query: str) -> bytes:
        return await self._ask("POST", path, query)

    async def _ask(self, method: str, path: str, query: Mapping[str, str]) -> bytes:
        directory: int | None = None
        try:
            address = str(self._socket)
            if len(os.fsencode(address)) > _LONGEST_SOCKET_PATH:
                directory = os.open(self._socket.parent, os.O_PATH | os.O_DIRECTORY)
                address = f"/proc/self/fd/{directory}/{self._socket.name}"
            connector = aiohttp.UnixConnector(address, force_close=True)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
                session.request(method, f"http://envoy{path}", params=query) as response,
            ):
                answer = await response.read()
                if response.status >= 400:
                    raise AdminError(f"Envoy answers {method} {path} with {response.status}: {answer.decode()[:500]}")
                return answer
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise AdminError(f"Envoy's admin socket {self._socket} does not answer: {error}") from error
        finally:
            if directory is not None:
                os.close(directory)
