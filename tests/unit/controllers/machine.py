"""Controllers over a real source, running real processes; a test is its user and its Envoy."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from isoline.cluster.events import EventLog
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.controllers.manager import INDEXES, Controllers
from isoline.controllers.workloads.replicas import Replica
from isoline.objects import Deployment, EndpointSlice, Key
from isoline.processes import ProcessTable
from unit.controllers.support import manifests

Answer = TypeVar("Answer")

# Answers with what it knows of itself; files in its folder make it unready, unwell or slow to end.
PROGRAM = """
import http.server, json, os, pathlib, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            pathlib.Path("slow.begun").touch()
            while not pathlib.Path("slow.may-end").exists():
                time.sleep(0.01)
        sick = pathlib.Path(self.path.strip("/") + ".fails").exists()
        body = json.dumps({"pid": os.getpid(), "argv": sys.argv[1:], "env": dict(os.environ)}).encode()
        self.send_response(503 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 50

Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def deployment(
    *,
    name: str = "web",
    spec: str = "",
    container: str = "",
    pod: str = "",
    command: Sequence[str] = (sys.executable, "program.py", "$(VERSION)"),
    version: str = "v1",
) -> str:
    """A Deployment of the program, and a Service for it. The arguments add fields, as YAML flow mappings' insides."""
    extra = f", {container}" if container else ""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  {spec}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {pod}
      containers:
      - {{name: c, image: isoline.dev/host, command: {json.dumps(list(command))}, ports: [{{containerPort: 8080}}],
          env: [{{name: VERSION, value: {version}}}]{extra}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


class RealMachine:
    """One state folder, and the control plane that runs on it or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = StateFolder(folder / "state")
        self._controllers: Controllers | None = None
        self._source: LocalSource | None = None

    @property
    def controllers(self) -> Controllers:
        assert self._controllers is not None
        return self._controllers

    @property
    def source(self) -> LocalSource:
        assert self._source is not None
        return self._source

    @property
    def store(self) -> Store:
        return self.source.store

    @property
    def events(self) -> EventLog:
        return self.source.events

    async def start(self, text: str = "", *, gpus: Sequence[str] = ()) -> None:
        """A control plane starts, with some objects there before it looks."""
        self.state.acquire()
        self._source = LocalSource(Store(INDEXES), self.state, None)
        await self._source.start()
        if text:
            await self.apply(text)
        table = ProcessTable(self.state.processes)
        self._controllers = Controllers(
            self._source, self.state, table, commands=self.folder, https_port=lambda: 8443, gpus=gpus
        )
        await self._controllers.start()

    async def leave(self) -> None:
        """The control plane goes, and what it started stays."""
        await self.controllers.detach()
        await self.source.stop()
        self.state.release()
        self._controllers = self._source = None

    async def forget(self, key: Key) -> None:
        """Delete an object while no control plane runs."""
        source = LocalSource(Store(INDEXES), self.state, None)
        await source.start()
        await source.delete([key])
        await source.stop()
        self.state.release()

    async def end(self) -> None:
        """Everything ends, whatever state the test has left it in."""
        if self._controllers is None:
            await self.start()
        await self.controllers.stop()
        await self.source.stop()
        self.state.release()

    async def apply(self, text: str) -> None:
        results = await self.source.apply(manifests(text))
        assert all(result.action != "refused" for result in results), results

    async def delete(self, *keys: Key) -> None:
        await self.source.delete(keys)

    def deployment(self, name: str = "web") -> Deployment:
        found = self.store.get(Key("Deployment", "default", name))
        assert isinstance(found, Deployment)
        return found

    def replicas(self, name: str = "web") -> list[Replica]:
        return self.controllers.replicas_of(Key("Deployment", "default", name))

    def slices(self, service: str = "web") -> list[EndpointSlice]:
        return [
            each
            for each in self.store.of_kind("EndpointSlice")
            if isinstance(each, EndpointSlice) and each.metadata.labels["kubernetes.io/service-name"] == service
        ]

    def ports(self, service: str = "web") -> list[int]:
        """Where traffic may go now."""
        return [
            port.port or 0
            for each in self.slices(service)
            for endpoint in each.endpoints
            if endpoint.ready
            for port in each.ports
        ]

    def pids(self, name: str = "web") -> list[int]:
        runners = [runner for replica in self.replicas(name) for runner in replica.containers]
        return [runner.process.pid for runner in runners if runner.process is not None]

    def condition(self, kind: str, name: str = "web") -> tuple[str, str]:
        """Reason and message of a condition; empty if there is none."""
        for each in self.deployment(name).status.conditions:
            if each.type == kind:
                return each.reason, each.message
        return "", ""

    def said(self, reason: str) -> list[str]:
        return [event.message for event in self.events.after() if event.reason == reason]

    async def until(self, ask: Callable[[], Answer], limit: float = 30) -> Answer:
        """Ask again and again until the answer is true."""
        async with asyncio.timeout(limit):
            while not (answer := ask()):  # noqa: ASYNC110 - what is asked has no event of its own
                await asyncio.sleep(0.01)
        return answer

    async def until_ready(self, count: int, name: str = "web", *, service: str = "") -> None:
        """Wait until exactly so many replicas take traffic, and the rollout is over."""

        def done() -> bool:
            status = self.deployment(name).status
            over = self.condition("Progressing", name)[0] == "NewReplicaSetAvailable"
            ports = len(self.ports(service or name))
            return over and status.ready_replicas == count == ports == len(self.replicas(name))

        try:
            await self.until(done)
        except TimeoutError:
            told = [f"{event.reason}: {event.message}" for event in self.events.after()]
            raise AssertionError(f"{self.deployment(name).status}; events: {told}") from None


async def get(port: int, path: str = "/") -> dict[str, Any]:
    """What the program on this port says of itself. Raises for anything but 200."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        found: dict[str, Any] = await response.json(content_type=None)
        return found
