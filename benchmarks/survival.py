"""What a kill -9 costs: of the control plane, and of one of two replicas, under 200 requests a second."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import manifests
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.servers import backend_configuration, nginx
from benchmarks.stack import Stack

RATE = 200
SITES = 1_000
LONGEST = 30.0


class Traffic:
    """Requests at a fixed rate, each counted; nobody waits for a slow one."""

    def __init__(self, port: int, host: str, path: str, *, ca: Path | None = None, rate: int = RATE) -> None:
        self._rate = rate
        self._url = f"{'https' if ca else 'http'}://127.0.0.1:{port}{path}"
        self._options: dict[str, Any] = {"headers": {"Host": host}}
        if ca is not None:
            self._options["ssl"] = ssl.create_default_context(cafile=str(ca))
            self._options["server_hostname"] = host
        self.sent = 0
        self.failures: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
            asked: set[asyncio.Task[None]] = set()
            pacing = asyncio.create_task(self._pace(session, asked))
            try:
                yield
            finally:
                pacing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pacing
                await asyncio.gather(*asked)

    async def _pace(self, session: aiohttp.ClientSession, asked: set[asyncio.Task[None]]) -> None:
        due = time.perf_counter()
        while True:
            task = asyncio.create_task(self._ask(session))
            asked.add(task)
            task.add_done_callback(asked.discard)
            due += 1 / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        self.sent += 1
        try:
            async with session.get(self._url, **self._options) as answer:
                await answer.read()
                if answer.status != 200:
                    self.failures.append(str(answer.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(repr(error))


async def measure() -> dict[str, Any]:
    result = {"control_plane": await _control_plane(), "replica": await _replica()}
    print(f"  kill -9: {result}", flush=True)
    return result


async def _control_plane() -> dict[str, Any]:
    """Kills it, changes one file while it is away, starts it again."""
    port = free_port()
    with nginx(backend_configuration(port), port):
        async with Stack() as stack:
            (stack.manifests / "backend.json").write_text("\n".join(map(json.dumps, manifests.backend(port))))
            for number in range(SITES):
                (stack.manifests / f"site-{number}.json").write_text(json.dumps(manifests.site(number)))
            stack.start()
            await stack.ready()
            await asyncio.sleep(1)
            traffic = Traffic(stack.http_port, manifests.host(1), "/")
            async with traffic.running():
                await asyncio.sleep(1)
                await stack.kill()
                await asyncio.sleep(1)
                (stack.manifests / "site-0.json").write_text(json.dumps(manifests.site(0, version="1")))
                started = stack.start()
                live = await Probe(stack.http_port).until(manifests.host(0), "1", limit=LONGEST) - started
                await asyncio.sleep(2)
            return {
                "requests": traffic.sent,
                "failed": len(traffic.failures),
                "live_after_s": round(live, 2),
                "resources_sent": (await stack.summary())["resources_sent"],
            }


async def _replica() -> dict[str, Any]:
    app = {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "App",
        "metadata": {"name": "voice"},
        "spec": {"profile": "voice", "host": "voice.localhost", "scale": {"min": 2, "max": 2}},
    }
    async with Stack() as stack:
        (stack.manifests / "voice.json").write_text(json.dumps(app))
        stack.start()
        await stack.ready()
        await asyncio.sleep(2)
        return await _kill_one(stack)


async def _kill_one(stack: Stack) -> dict[str, Any]:
    ca = stack.state / "ca.crt"
    traffic = Traffic(stack.https_port, "voice.localhost", "/v1/models", ca=ca)
    async with traffic.running():
        await asyncio.sleep(1)
        replicas = {name: pid for name, pid in stack.processes().items() if "voice" in name}
        os.kill(min(replicas.values()), signal.SIGKILL)
        killed = time.perf_counter()
        while sum(pid not in replicas.values() for pid in _voices(stack)) < 1:  # noqa: ASYNC110 - it is a folder
            await asyncio.sleep(0.02)
        replaced = time.perf_counter() - killed
        await asyncio.sleep(3)
    return {"requests": traffic.sent, "failed": len(traffic.failures), "replaced_after_s": round(replaced, 2)}


def _voices(stack: Stack) -> list[int]:
    return [pid for name, pid in stack.processes().items() if "voice" in name]
