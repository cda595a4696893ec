"""Below a gateway's prefix: links lead back through it, keys are asked for all the same, strangers are not believed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from isoline_voice.api.app import create_app
from isoline_voice.api.forwarded import behind
from isoline_voice.settings import Client, Settings
from isoline_voice.speech import SpeechService

from .conftest import FakeEngine

PREFIX = {"X-Forwarded-Prefix": "/tools/studio"}


@contextlib.asynccontextmanager
async def studio(
    engine: FakeEngine, *, sender: str = "10.1.2.3", trusted: tuple[str, ...] = ("10.0.0.0/8",), **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(SpeechService(engine), Settings(trusted_proxies=trusted, **settings))
    transport = httpx.ASGITransport(behind(app, trusted=trusted), client=(sender, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://studio", headers=PREFIX) as client:
        yield client
    app.state.studio.close()


async def test_links_lead_back_through_the_prefix(engine: FakeEngine) -> None:
    async with studio(engine) as client:
        assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/tools/studio"}]
        job = await client.post("/v1/audio/jobs", json={"input": "Hello."})
        assert job.headers["location"] == f"/tools/studio/v1/audio/jobs/{job.json()['id']}"
        assert '<base href="/tools/studio/" />' in (await client.get("/")).text
        assert (await client.get("/web/app.js")).status_code == 200
        assert (await client.post("/v1/audio/speech", json={"input": "Hello."})).status_code == 200


@pytest.mark.parametrize(
    ("sender", "trusted"),
    [("10.1.2.3", ("127.0.0.1", "::1")), ("not an address", ("10.0.0.0/8",)), ("::1", ("10.0.0.0/8",))],
)
async def test_a_stranger_is_not_believed(engine: FakeEngine, sender: str, trusted: tuple[str, ...]) -> None:
    async with studio(engine, sender=sender, trusted=trusted) as client:
        assert "servers" not in (await client.get("/openapi.json")).json()
        job = await client.post("/v1/audio/jobs", json={"input": "Hello."})
        assert job.headers["location"].startswith("/v1/audio/jobs/")
        assert "/tools/studio" not in (await client.get("/")).text


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/a b", "https://evil.example", '/"><script>', "/a,/b", "", "/", "/../x/"]
)
async def test_what_is_no_plain_path_is_no_prefix(engine: FakeEngine, prefix: str) -> None:
    async with studio(engine) as client:
        answer = await client.get("/openapi.json", headers={"X-Forwarded-Prefix": prefix})
        served = answer.json().get("servers", [])
        assert all("evil" not in each["url"] and "<" not in each["url"] for each in served)
        assert (await client.get("/", headers={"X-Forwarded-Prefix": prefix})).text.count("evil") == 0


async def test_a_prefix_does_not_lead_around_the_keys(engine: FakeEngine) -> None:
    clients = (Client(name="lab", key_sha256=b"\0" * 32),)
    async with studio(engine, clients=clients) as client:
        for prefix in ("/tools/studio", "/v1", "/healthz", "/web"):
            answer = await client.get("/v1/models", headers={"X-Forwarded-Prefix": prefix})
            assert answer.status_code == 401
    assert engine.requests == []


@pytest.mark.parametrize("prefix", ["/v1", "/web", "/v1/audio"])
async def test_a_prefix_that_looks_like_a_path_of_ours_is_one(engine: FakeEngine, prefix: str) -> None:
    async with studio(engine) as client:
        for path in ("/v1/models", "/web/app.js", "/healthz"):
            assert (await client.get(path, headers={"X-Forwarded-Prefix": prefix})).status_code == 200


@pytest.mark.parametrize(("trusted", "turn"), [(("10.0.0.0/8",), "203.0.113.9"), (("127.0.0.1",), "10.1.2.3")])
async def test_whose_turn_it_is_is_told_by_whom_we_trust(
    engine: FakeEngine, trusted: tuple[str, ...], turn: str
) -> None:
    async with studio(engine, trusted=trusted) as client:
        headers = {"X-Forwarded-For": "203.0.113.9"}
        await client.post("/v1/audio/speech", json={"input": "Hello."}, headers=headers)
    assert [each.client for each in engine.requests] == [turn]


async def test_a_session_and_the_gradio_page_are_there_below_the_prefix(served: str) -> None:
    """The web server of the studio itself trusts the loopback."""
    async with connect(f"ws://{served}/v1/audio/speech/stream", additional_headers=PREFIX) as socket:
        await socket.send(json.dumps({"type": "session.config"}))
        assert json.loads(await socket.recv())["type"] == "session.configured"
    async with httpx.AsyncClient(base_url=f"http://{served}", headers=PREFIX) as client:
        assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/tools/studio"}]
        answer = await client.get("/gradio")
        assert (answer.status_code, answer.headers["location"]) == (307, "gradio/")
