"""Keys: off until one is given out; then everybody has voices, jobs, a rate and a share of their own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from isoline_voice.api.app import create_app
from isoline_voice.settings import Client, Settings
from isoline_voice.speech import SpeechService

from .conftest import FakeEngine
from .recordings import spoken, wav

SPEECH = "/v1/audio/speech"
HELLO = {"input": "Hello, world!", "response_format": "pcm"}


def client_of(name: str, **limits: float) -> Client:
    return Client(name=name, key_sha256=hashlib.sha256(f"key of {name}".encode()).digest(), **limits)  # type: ignore[arg-type]


def as_client(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key of {name}"}


CLIENTS = (client_of("lab"), client_of("slow", requests_per_minute=2), client_of("poor", audio_seconds_per_day=0.3))


@pytest.fixture
async def guarded(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(SpeechService(engine), Settings(clients=CLIENTS))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as client:
        yield client
    app.state.studio.close()


@pytest.mark.parametrize("headers", [{}, as_client("nobody"), {"Authorization": "Basic bGFi"}, {"Authorization": "é"}])
@pytest.mark.parametrize("path", [SPEECH, "/predict", "/inference_sft", "/v1/audio/voices", "/v1/audio/jobs"])
async def test_without_a_key_nothing_is_spoken(
    guarded: httpx.AsyncClient, engine: FakeEngine, path: str, headers: dict[str, str]
) -> None:
    answer = await guarded.post(path, json=HELLO, headers={name: value.encode() for name, value in headers.items()})  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert not engine.requests


async def test_the_page_and_the_probes_need_no_key(guarded: httpx.AsyncClient) -> None:
    for path in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert (await guarded.get(path)).status_code == 200


async def test_a_key_speaks_and_its_use_is_counted(guarded: httpx.AsyncClient, engine: FakeEngine) -> None:
    for _ in range(2):
        assert (await guarded.post(SPEECH, json=HELLO, headers=as_client("lab"))).status_code == 200
    assert engine.requests[0].client == "lab"
    [day] = (await guarded.get("/v1/usage", headers=as_client("lab"))).json()["data"]
    assert (day["requests"], day["characters"], day["seconds"]) == (2, 26, 0.4)
    assert (await guarded.get("/v1/usage", headers=as_client("slow"))).json()["data"] == []


async def test_a_rate_is_kept(guarded: httpx.AsyncClient) -> None:
    codes = [(await guarded.post(SPEECH, json=HELLO, headers=as_client("slow"))).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = await guarded.post(SPEECH, json=HELLO, headers=as_client("slow"))
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"


async def test_a_day_has_so_many_seconds(guarded: httpx.AsyncClient) -> None:
    codes = [(await guarded.post(SPEECH, json=HELLO, headers=as_client("poor"))).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


async def test_a_voice_is_its_owners_only(guarded: httpx.AsyncClient) -> None:
    made = await guarded.post(
        "/v1/audio/voices",
        data={"name": "Li", "consent": "I agree."},
        files={"audio_sample": wav(spoken())},
        headers=as_client("lab"),
    )
    voice = made.json()
    assert voice["consent"]["by"] == "lab"
    at = f"/v1/audio/voices/{voice['id']}"
    assert (await guarded.get(at, headers=as_client("lab"))).status_code == 200
    for answer in (
        await guarded.get(at, headers=as_client("poor")),
        await guarded.get(f"{at}/recording", headers=as_client("poor")),
        await guarded.delete(at, headers=as_client("poor")),
    ):
        assert answer.status_code == 404
    stolen = await guarded.post(SPEECH, json={**HELLO, "voice": voice["id"]}, headers=as_client("poor"))
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (400, "voice_not_found")
