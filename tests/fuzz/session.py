"""One fuzz: each generated object changes a running gateway, under requests, and what must hold is looked at."""

import asyncio
import itertools
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz import words
from fuzz.running import Running, running
from fuzz.strategies import MUTATIONS, PROXIES, Manifest
from fuzz.world import WITNESS, base
from isoline.gateway.flow import Statuses
from isoline.objects import Key, Object, decode_object
from isoline.objects.errors import ObjectError
from isoline.xds.resources import Name
from unit.xds import apps

_MARK = Key("HTTPProxy", "witness", "mark")
_EVERY = 5
"""Examples after which the witness is asked."""


class Finding(NamedTuple):
    """What must not be, and the objects that had just come."""

    text: str
    manifests: tuple[Manifest, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{yaml.safe_dump_all(self.manifests, sort_keys=False)}"


class Session:
    """Feeds one gateway. `findings` is empty when all is well."""

    def __init__(self, gateway: Running, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.findings: list[Finding] = []
        self.objects = 0
        """How many HTTPProxies were taken in: those whose fields have the right types."""
        self._client = client
        self._latest: tuple[Manifest, ...] = ()
        self._refusals = 0
        self._mark = itertools.count()
        gateway.on_statuses = self._look_at

    def find(self, text: str) -> None:
        self.findings.append(Finding(text, self._latest))

    def _look_at(self, statuses: Statuses) -> None:
        for key, status in statuses.items():
            if status is not None and any(error.reason == "InternalError" for error in status.errors):
                self.find(f"InternalError of {key}")

    async def change(self, proxy: Manifest, mutations: list[tuple[Manifest, bool]]) -> None:
        """One example: an HTTPProxy comes, and other objects come and go with it."""
        self._latest = (proxy, *(manifest for manifest, _ in mutations))
        put: list[Object] = []
        delete: list[Key] = []
        for at, (manifest, goes) in enumerate([(proxy, False), *mutations]):
            item = _decoded(manifest)
            if item is not None and goes:
                delete.append(item.key)
            elif item is not None:
                put.append(item)
                self.objects += at == 0
        body = f"mark {next(self._mark)}"
        self.gateway.store.apply([*put, _marked(body)], [key for key in delete if key not in {i.key for i in put}])
        await self.gateway.until(lambda: body.encode() in self._mark_in_cache())
        await self.gateway.settled()
        for name, message in self.gateway.refused[self._refusals :]:
            self.find(f"refused: {name.type_url.rpartition('.')[2]} {name.name}: {message}")
        self._refusals = len(self.gateway.refused)

    def _mark_in_cache(self) -> bytes:
        found = self.gateway.cache.get(
            Name("type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "http/mark.test")
        )
        return b"" if found is None else found.body

    async def ask_witness(self) -> None:
        for scheme, path in itertools.product(("http", "https"), ("/", "/app")):
            try:
                answer = await self.ask(scheme, WITNESS, path)
            except httpx.TransportError as error:
                self.find(f"the witness at {scheme}{path}: {error!r}")
                continue
            if answer.status_code != 200:
                self.find(f"the witness at {scheme}{path}: {answer.status_code} {answer.text[:200]}")

    async def ask(self, scheme: str, host: str, path: str, **headers: str) -> httpx.Response:
        port = self.gateway.https_port if scheme == "https" else self.gateway.http_port
        return await self._client.get(
            f"{scheme}://127.0.0.1:{port}{path}", headers={"host": host, **headers}, extensions={"sni_hostname": host}
        )

    async def visit(self) -> None:
        """Asks for whatever there may be, as long as it is let."""
        lots = random.Random(1)
        while True:
            host = lots.choice(words.HOSTS).replace("*", "any").lower()
            headers = {"x-one": "one", "authorization": "Bearer e30.e30.e30", "origin": "https://one.example"}
            with suppress(httpx.HTTPError):
                await self.ask(
                    lots.choice(("http", "https")), host, lots.choice(("/", "/a", "/api", "/slow")), **headers
                )
            await asyncio.sleep(0.005)

    def end(self) -> None:
        """What must hold at the end."""
        for name, times in self.gateway.sent.items():
            if "witness" in name.name and times > 1:
                self.find(f"{name} was sent {times} times")
        for name, rejection in self.gateway.cache.rejections.items():
            self.find(f"refused and left standing: {name.name}: {rejection.message}")


def _decoded(manifest: Manifest) -> Object | None:
    try:
        return decode_object(manifest)
    except ObjectError:
        return None


def _marked(body: str) -> Object:
    manifest: Manifest = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": _MARK.name, "namespace": _MARK.namespace},
        "spec": {
            "virtualhost": {"fqdn": "mark.test"},
            "routes": [{"directResponsePolicy": {"statusCode": 200, "body": body}}],
        },
    }
    return decode_object(manifest)


@asynccontextmanager
async def _session(folder: Path) -> AsyncIterator[Session]:
    app, runner = await apps.start("app")
    async with (
        running(folder, *base(app.port)) as gateway,
        httpx.AsyncClient(
            verify=False, trust_env=False, timeout=20, limits=httpx.Limits(max_keepalive_connections=0)
        ) as client,
    ):
        session = Session(gateway, client)
        await gateway.until(lambda: bool(gateway.streams) and len(gateway.streams[0].subscriptions) > 3)
        await gateway.settled()
        visitors = [asyncio.create_task(session.visit()) for _ in range(2)]
        try:
            yield session
        finally:
            for each in visitors:
                each.cancel()
            await asyncio.gather(*visitors, return_exceptions=True)
            await runner.cleanup()


def fuzz(examples: int, *, number: int | None = None, folder: Path | None = None) -> Session:
    """Try that many examples, the same ones for the same `number`. Returns what was found."""
    with tempfile.TemporaryDirectory(prefix="isoline-fuzz-") as temporary, asyncio.Runner() as runner:
        context = _session(folder or Path(temporary))
        session = runner.run(context.__aenter__())
        count = itertools.count(1)

        async def example(proxy: Manifest, mutations: list[tuple[Manifest, bool]]) -> None:
            await session.change(proxy, mutations)
            if next(count) % _EVERY == 0:
                await session.ask_witness()

        @seed(number or 0)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(proxy=PROXIES, mutations=MUTATIONS)
        def each(proxy: Manifest, mutations: list[tuple[Manifest, bool]]) -> None:
            runner.run(example(proxy, mutations))

        try:
            each()
            runner.run(session.gateway.settled(waiting=True))
            runner.run(session.ask_witness())
            session.end()
        except BaseException as error:
            session.find(f"{error!r}")
            raise
        finally:
            runner.run(_left(context))
    return session


async def _left(context: Any) -> None:
    await context.__aexit__(None, None, None)
