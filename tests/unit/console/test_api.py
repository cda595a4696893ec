"""The control API by itself: who may open it, what it does with nonsense, and slow watchers."""

import asyncio
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from isoline.apps import load_catalog
from isoline.cluster.events import Event
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.console.api import ControlServer
from isoline.console.context import Console
from isoline.console.watch import watch_objects
from isoline.console.wire import Summary
from isoline.envoy.admin import AdminError
from isoline.envoy.admin_messages import ClusterStatus
from isoline.objects import ConfigMap, Key, ObjectMeta
from isoline.routing.foresight import Foresight
from isoline.routing.indexes import INDEXES
from isoline.routing.settings import Settings


class SilentEnvoy:
    async def clusters(self) -> Sequence[ClusterStatus]:
        raise AdminError("nobody answers")


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[LocalSource]:
    state = StateFolder(tmp_path / "state")
    state.acquire()
    source = LocalSource(Store(INDEXES), state, None)
    await source.start()
    yield source
    await source.stop()
    state.release()


@pytest.fixture
async def path(tmp_path: Path, source: LocalSource) -> AsyncIterator[Path]:
    console = Console(
        source=source,
        catalog=load_catalog(),
        traffic=SilentEnvoy(),
        settings=Settings,
        foresee=lambda _: Foresight({}, {}),
        logs=lambda _: (),
        summary=lambda: Summary(
            version="1",
            pid=2,
            started=3,
            state="",
            directory=None,
            http_port=80,
            https_port=443,
            ready=True,
            resources_sent=0,
        ),
    )
    path = tmp_path / "isoline.sock"
    path.touch()
    server = ControlServer(console, path)
    await server.start()
    yield path
    await server.stop()
    assert not path.exists()


@pytest.fixture
async def client(path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession("http://isoline", connector=aiohttp.UnixConnector(str(path))) as session:
        yield session


def config_map(name: str, value: str = "1") -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data={"value": value})


async def test_only_its_owner_may_open_it_and_a_left_one_is_replaced(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.is_socket()


async def test_the_summary_is_told(client: aiohttp.ClientSession) -> None:
    async with client.get("/summary") as answer:
        assert (await answer.json())["https_port"] == 443


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("POST", "/apply", b"nonsense", 400),
        ("POST", "/apply", b'[{"kind": "App"}]', 400),
        ("POST", "/delete", b'[{"kind": "Nothing", "namespace": "", "name": "a"}]', 404),
        ("GET", "/objects?kind=nothing", None, 404),
        ("GET", "/describe?kind=app&name=none", None, 404),
        ("GET", "/logs?name=none", None, 404),
        ("GET", "/events?after=x", None, 400),
    ],
)
async def test_nonsense_is_refused_with_a_sentence(
    client: aiohttp.ClientSession, method: str, address: str, body: bytes | None, status: int
) -> None:
    async with client.request(method, address, data=body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_an_envoy_that_does_not_answer_leaves_the_rest_readable(
    client: aiohttp.ClientSession, source: LocalSource
) -> None:
    from isoline.objects import Service

    await source.apply([Service(metadata=ObjectMeta(name="web", namespace="default"))])
    async with client.get("/describe?kind=service&name=web") as answer:
        sections = {section["title"]: section for section in (await answer.json())["sections"]}
    assert "Envoy cannot be asked: nobody answers" in sections["Endpoints"]["note"]


async def test_a_fault_of_ours_is_no_stack_trace(
    client: aiohttp.ClientSession, source: LocalSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.events, "after", None)
    async with client.get("/events") as answer:
        assert answer.status == 500
        assert (await answer.json())["error"] == "Isoline failed to answer; its log says why"


async def test_events_are_streamed_as_they_happen(client: aiohttp.ClientSession, source: LocalSource) -> None:
    async with client.get("/events?follow=true") as answer:
        await source.apply([config_map("a")])
        line = await asyncio.wait_for(answer.content.readline(), 10)
    assert b'"Created by command"' in line


async def test_a_stream_ends_with_its_reader(
    client: aiohttp.ClientSession, source: LocalSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def nothing(_: int) -> AsyncIterator[Event]:
        try:
            await asyncio.Event().wait()
            yield source.events.after()[0]
        finally:
            ended.set()

    monkeypatch.setattr(source.events, "follow", nothing)
    async with client.get("/events?follow=true") as answer:
        assert answer.status == 200
        answer.close()
    await asyncio.wait_for(ended.wait(), 10)


async def test_a_watcher_that_is_too_slow_misses_versions_and_no_object() -> None:
    store = Store(retained_changes=2)
    store.apply([config_map("a"), config_map("b")])
    watched = watch_objects(store, "ConfigMap", lambda _: True)
    told = [(record.type, record.object["metadata"]["name"]) for record in [await anext(watched), await anext(watched)]]
    assert told == [("ADDED", "a"), ("ADDED", "b")]
    for number in range(5):
        store.apply([config_map("b", f"{number}")])
    store.apply([config_map("c")], [Key("ConfigMap", "default", "a")])
    later = [await anext(watched) for _ in range(3)]
    assert [(record.type, record.object["metadata"]["name"]) for record in later] == [
        ("DELETED", "a"),
        ("MODIFIED", "b"),
        ("ADDED", "c"),
    ]
    assert later[1].object["data"]["value"] == "4"
    await watched.aclose()  # type: ignore[attr-defined]
