"""What the studio tells about itself: models, voices, styles, health, figures, its description and its page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from .conftest import FakeEngine


async def test_the_engine_is_the_first_model(client: httpx.AsyncClient) -> None:
    models = (await client.get("/v1/models")).json()
    assert models["object"] == "list"
    assert models["data"][0]["id"] == "fake"
    assert "tts-1" in [model["id"] for model in models["data"]]
    assert (await client.get("/v1/models/tts-1")).json()["engine"] == "fake"


async def test_an_unknown_model_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/models/whisper-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_voices_are_listed_where_clients_look(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/v1/audio/voices")).json()
    assert listed["data"] == listed["voices"]
    assert listed["data"][0] == {
        "id": "alloy",
        "name": "Alloy",
        "language": "en",
        "engine": "fake",
        "description": "A tone.",
    }


async def test_a_wish_is_understood_before_it_is_spoken(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/styles", params={"text": "用四川话大声读出来"})).json()
    assert answer["style"]["dialect"] == "四川话"
    assert "四川话" in answer["style"]["summary_zh"]
    assert answer["style"]["summary"]
    assert answer["capabilities"]["dialects"] == ["粤语"]
    assert [warning["code"] for warning in answer["unsupported"]] == ["dialect_unsupported"]


async def test_too_long_a_wish_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/styles", params={"text": "x" * 5000})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "text")


@pytest.mark.parametrize(("ok", "status"), [(True, 200), (False, 503)])
async def test_readiness_is_the_engines(client: httpx.AsyncClient, engine: FakeEngine, ok: bool, status: int) -> None:
    engine.ok = ok
    answer = await client.get("/readyz")
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert (await client.get("/healthz")).status_code == 200


async def test_a_studio_about_to_stop_is_not_ready_and_still_speaks(client: httpx.AsyncClient) -> None:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    app: Any = transport.app
    assert isinstance(app, Starlette)
    app.state.studio.draining = True
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.post("/predict", json={"text": "hello"})).status_code == 200


async def test_the_figures_count_routes_not_paths(client: httpx.AsyncClient) -> None:
    await client.post("/v1/audio/speech", json={"input": "Hello, world!", "response_format": "pcm"})
    await client.post("/v1/audio/speech", json={})
    await client.get("/v1/models/one")
    await client.get("/some/stranger/chose/this")
    figures = (await client.get("/metrics")).text.splitlines()
    assert 'isoline_voice_requests_total{code="200",route="/v1/audio/speech"} 1.0' in figures
    assert 'isoline_voice_requests_total{code="400",route="/v1/audio/speech"} 1.0' in figures
    assert 'isoline_voice_requests_total{code="404",route="/v1/models/{model}"} 1.0' in figures
    assert 'isoline_voice_requests_total{code="404",route="other"} 1.0' in figures
    assert 'isoline_voice_first_audio_seconds_count{route="/v1/audio/speech"} 1.0' in figures
    assert 'isoline_voice_audio_seconds_total{route="/v1/audio/speech"} 0.2' in figures
    assert "isoline_voice_worker_restarts_total 3.0" in figures
    assert "isoline_voice_active_streams 0.0" in figures
    assert "isoline_voice_queue_depth 0.0" in figures


async def test_unknown_urls_and_methods_keep_openais_shape(client: httpx.AsyncClient) -> None:
    missing = await client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    wrong = await client.get("/v1/audio/speech")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    several = await client.put("/v1/audio/voices")
    assert several.headers["allow"] == "GET, POST"
    assert several.json()["error"]["message"].endswith("Use GET, POST.")


async def test_the_description_has_the_body_and_the_errors(client: httpx.AsyncClient) -> None:
    description = (await client.get("/openapi.json")).json()
    operation = description["paths"]["/v1/audio/speech"]["post"]
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"input", "voice", "instructions", "speed", "response_format", "stream_format", "language"} <= set(fields)
    assert "$ref" not in str(operation["requestBody"])
    assert "422" not in operation["responses"]
    assert "mp3" in operation["description"]
    assert "multipart/form-data" in description["paths"]["/predict"]["post"]["requestBody"]["content"]


async def test_no_route_describes_fastapis_own_error(client: httpx.AsyncClient) -> None:
    assert "HTTPValidationError" not in (await client.get("/openapi.json")).text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/web/app.js", "text/javascript"),
        ("/web/pcm-worklet.js", "text/javascript"),
        ("/web/style.css", "text/css"),
        ("/web/icon.svg", "image/svg+xml"),
    ],
)
async def test_the_page_comes_with_a_strict_policy(client: httpx.AsyncClient, path: str, kind: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_names_no_other_host_and_no_absolute_path(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "://" not in page
    assert 'href="/' not in page
    assert 'src="/' not in page
