"""The two control planes and their Envoys, as processes of the rig, started the way their users start them."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import aiohttp

from benchmarks.kubernetes.backends import ENVOY
from benchmarks.machine import resident_mib
from kubernetes.rig import Rig, binaries

HTTP: Final = 8080
XDS: Final = ("127.0.0.1", 8001)
Who = Literal["contour", "isoline"]
EVERYBODY: Final[tuple[Who, ...]] = ("contour", "isoline")

_ISOLINE: Final = Path(sys.executable).with_name("isoline")
_STATUS_ADDRESS: Final = "203.0.113.7"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which control plane, and how it is started."""

    who: Who
    envoys: int = 1
    at_its_default_rate: bool = False
    """Contour asks five times a second at most, unless told otherwise; Isoline knows no such limit."""
    snapshot: Path | None = None


class Gateway:
    """A control plane and its Envoys, all of which listen on the same port."""

    def __init__(self, rig: Rig, wanted: Wanted) -> None:
        self.wanted = wanted
        self._rig = rig
        self._folder = rig.folder
        self._names = [f"{wanted.who}-envoy-{number}" for number in range(wanted.envoys)]

    @property
    def who(self) -> Who:
        return self.wanted.who

    @property
    def xds_cluster(self) -> str:
        """The name of statistics about where an Envoy gets its configuration."""
        return "projectcontour_contour_8001" if self.who == "contour" else "xds"

    def write(self) -> None:
        """Write what the Envoys start with, before anything is timed."""
        for name in self._names:
            self._socket(name).unlink(missing_ok=True)
            if self._file(name).exists():
                continue
            made = self._rig.spawn("bootstrap", self._bootstrap(name))
            if made.wait():
                raise RuntimeError(f"no bootstrap for {name}:\n{self._rig.log('bootstrap')}")

    def start(self) -> float:
        """Start everything at once; returns when (`time.perf_counter`)."""
        started = time.perf_counter()
        self._rig.spawn(self.who, self._control_plane())
        for name in self._names:
            cluster = ["--service-cluster", self.who, "--service-node", name]
            options = ["--concurrency", "1", "--disable-hot-restart", "-l", "warn"]
            self._rig.spawn(name, [ENVOY, "-c", self._file(name), *cluster, *options])
        return started

    async def stop(self) -> None:
        """End everything: the Envoys first, at once; Isoline so that it keeps its snapshot, Contour takes its time."""
        for name in self._names:
            if name in self._rig.processes:
                self._rig.stop(name, kill=True)
        if self.who in self._rig.processes:
            await asyncio.to_thread(self._rig.stop, self.who, kill=self.who == "contour")

    def resident_mib(self) -> tuple[int, int]:
        """Of the control plane, and of one Envoy."""
        return round(resident_mib(self._pid(self.who))), round(resident_mib(self._pid(self._names[0])))

    def processor_seconds(self) -> tuple[float, float]:
        """What the control plane and the Envoys together have used until now."""
        return _processor_seconds(self._pid(self.who)), sum(_processor_seconds(self._pid(each)) for each in self._names)

    async def received(self) -> int:
        """Bytes that the first Envoy has received from the control plane."""
        name = f"cluster.{self.xds_cluster}.upstream_cx_rx_bytes_total"
        return (await self._figures(self._names[0], name))[name]

    async def listening(self) -> bool:
        """Whether each Envoy has opened its port. Raises RuntimeError when the control plane has ended."""
        if self._rig.processes[self.who].poll() is not None:
            raise RuntimeError(f"{self.who} ended:\n{self._rig.log(self.who)[-2000:]}")
        for name in self._names:
            try:
                ready = await self._ask(name, "/ready", {})
                listeners = await self._ask(name, "/listeners", {})
            except OSError:
                return False
            if not (ready.startswith(b"LIVE") and f":{HTTP}".encode() in listeners):
                return False
        return True

    async def accepted(self) -> list[int]:
        """How many connections of clients each Envoy has accepted."""
        name = f"http.{'ingress_http' if self.who == 'contour' else 'http'}.downstream_cx_total"
        return [(await self._figures(each, f"^{name}$"))[name] for each in self._names]

    async def _figures(self, name: str, pattern: str) -> dict[str, int]:
        stats = json.loads(await self._ask(name, "/stats", {"filter": pattern, "format": "json"}))["stats"]
        return {each["name"]: each["value"] for each in stats if "name" in each}

    async def _ask(self, name: str, path: str, query: dict[str, str]) -> bytes:
        """What an Envoy's admin interface says. Raises OSError where it does not listen yet."""
        connector = aiohttp.UnixConnector(str(self._socket(name)))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://envoy{path}", params=query) as answer,
        ):
            return await answer.read()

    def _pid(self, name: str) -> int:
        return self._rig.processes[name].pid

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _socket(self, name: str) -> Path:
        return self._folder / f"{name}.sock"

    def _control_plane(self) -> Sequence[str | Path]:
        return self._contour() if self.who == "contour" else self._isoline()

    def _contour(self) -> Sequence[str | Path]:
        rate = [] if self.wanted.at_its_default_rate else ["--kubernetes-client-qps=2000"]
        rate += [] if self.wanted.at_its_default_rate else ["--kubernetes-client-burst=2000"]
        return [binaries.contour(), "serve", "--insecure", "--disable-leader-election", *self._shared(), *rate]

    def _isoline(self) -> Sequence[str | Path]:
        snapshot: list[str | Path] = ["--snapshot", self.wanted.snapshot] if self.wanted.snapshot is not None else []
        return [_ISOLINE, "control-plane", "--disable-leader-election", *self._shared(), *snapshot]

    def _shared(self) -> list[str]:
        return [
            f"--kubeconfig={self._rig.kubeconfig}",
            f"--xds-address={XDS[0]}",
            f"--xds-port={XDS[1]}",
            f"--ingress-status-address={_STATUS_ADDRESS}",
        ]

    def _bootstrap(self, name: str) -> Sequence[str | Path]:
        program = [binaries.contour()] if self.who == "contour" else [_ISOLINE, "envoy"]
        where = [f"--xds-address={XDS[0]}", f"--xds-port={XDS[1]}", f"--admin-address={self._socket(name)}"]
        return [*program, "bootstrap", self._file(name), *where]


@asynccontextmanager
async def running(rig: Rig, wanted: Wanted) -> AsyncIterator[Gateway]:
    """A control plane with its Envoys, started and not waited for."""
    gateway = Gateway(rig, wanted)
    await asyncio.to_thread(gateway.write)
    gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
