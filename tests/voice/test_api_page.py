"""What the studio's page asks for beside speech: its own prefix, a recording's check, formats of what was heard."""

from __future__ import annotations

import base64
import io
import json
import re

import av
import httpx
import numpy as np
import pytest
import soundfile
from websockets.asyncio.client import connect

from isoline_voice.api import page

from .conftest import PIECE, FakeEngine
from .recordings import RATE, spoken, wav

CHECK = "/v1/audio/voices/check"
ENCODE = "/v1/audio/encode"
VOICE = wav(spoken())


@pytest.mark.parametrize("prefix", ["/studio", "/team/a/studio/"])
async def test_behind_a_prefix_the_page_finds_its_files(client: httpx.AsyncClient, prefix: str) -> None:
    answer = await client.get("/", headers={"X-Forwarded-Prefix": prefix})
    assert f'<base href="{prefix.rstrip("/")}/" />' in answer.text
    assert "X-Forwarded-Prefix" in answer.headers["vary"]


@pytest.mark.parametrize(
    "prefix", ['/"><script>', "//elsewhere.example", "https://elsewhere.example", "studio", "/a b"]
)
async def test_what_is_no_path_is_not_written_into_the_page(client: httpx.AsyncClient, prefix: str) -> None:
    assert (await client.get("/", headers={"X-Forwarded-Prefix": prefix})).text == (await client.get("/")).text


async def test_the_page_of_the_api_tells_every_route_and_field_without_a_script(client: httpx.AsyncClient) -> None:
    api = (await client.get("/openapi.json")).json()
    answer = await client.get("/docs", headers={"X-Forwarded-Prefix": "/studio"})
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert '<base href="/studio/" />' in answer.text
    assert "<script" not in answer.text
    for path, methods in api["paths"].items():
        for method, route in methods.items():
            name = f"{method.upper()} {path}"
            assert answer.text.count(f"<code>{name}</code>") == 2, "in the list, and where it is told"
            fields = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            asked = [*fields.get("properties", {}), *(each["name"] for each in route.get("parameters", []))]
            section = answer.text.split(f"<code>{name}</code>")[2].split("</section>")[0]
            assert all(f"<code>{field}</code>" in section for field in asked)
    assert "number, at least 0.25, at most 4, 1.0 when left out" in answer.text
    targets = re.findall(r'href="docs#([\w-]+)"', answer.text)
    assert len(targets) == len(set(targets))
    assert all(f'id="{target}"' in answer.text for target in targets)


async def test_every_module_is_fetched_at_once(client: httpx.AsyncClient) -> None:
    """Otherwise each import is found only when the module before it has come: a phone would wait for each in turn."""
    named = set(re.findall(r'(?:modulepreload" href|module" src)="web/([\w-]+\.js)"', (await client.get("/")).text))
    assert named == {file.name for file in page.WEB.glob("*.js")} - {"pcm-worklet.js"}


async def test_a_recording_is_checked_and_comes_back_prepared(client: httpx.AsyncClient) -> None:
    answer = (await client.post(CHECK, files={"audio_sample": VOICE})).json()
    assert (answer["usable"], answer["findings"]) == (True, [])
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(answer["recording"])))
    assert (rate, samples.size / rate) == (RATE, pytest.approx(answer["seconds"], abs=0.01))
    assert (await client.get("/v1/audio/voices")).json()["data"][1:] == []


async def test_a_recording_of_nothing_is_explained(client: httpx.AsyncClient) -> None:
    answer = (await client.post(CHECK, files={"audio_sample": wav(np.zeros(RATE * 4))})).json()
    assert (answer["usable"], answer["recording"]) == (False, None)
    [finding] = answer["findings"]
    assert (finding["code"], finding["level"]) == ("silent", "error")
    assert "麦克风" in finding["message_zh"]


@pytest.mark.parametrize(
    ("files", "code"), [({}, "malformed_body"), ({"audio_sample": b"text"}, "recording_unreadable")]
)
async def test_what_is_no_recording_is_refused(client: httpx.AsyncClient, files: dict[str, bytes], code: str) -> None:
    answer = await client.post(CHECK, files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("audio_format", ["wav", "mp3", "opus", "aac", "flac"])
async def test_what_was_heard_becomes_a_file_of_any_format(client: httpx.AsyncClient, audio_format: str) -> None:
    answer = await client.post(f"{ENCODE}?response_format={audio_format}&rate=24000", content=PIECE * 10)
    assert answer.status_code == 200
    with av.open(io.BytesIO(answer.content), mode="r") as file:
        seconds = sum(frame.samples for frame in file.decode(file.streams.audio[0])) / file.streams.audio[0].rate
        told = {**file.metadata, **file.streams.audio[0].metadata}
    assert seconds == pytest.approx(1.0, abs=0.1)
    assert "Synthetic voice" in " ".join(told.values())


@pytest.mark.parametrize(
    ("params", "content"),
    [({"response_format": "ogg"}, PIECE), ({"rate": 7}, PIECE), ({"rate": "x"}, PIECE), ({}, b""), ({}, b"abc")],
)
async def test_what_cannot_be_encoded_is_refused(
    client: httpx.AsyncClient, params: dict[str, str], content: bytes
) -> None:
    answer = await client.post(ENCODE, params=params, content=content)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


async def test_a_session_speaks_with_the_voice_of_a_recording(served: str, engine: FakeEngine) -> None:
    async with connect(f"ws://{served}/v1/audio/speech/stream") as socket:
        recording = base64.b64encode(VOICE).decode()
        config = {"type": "session.config", "ref_audio": recording, "ref_text": "What I say."}
        for message in (config, {"type": "input.text", "text": "One. Two."}, {"type": "input.done"}):
            await socket.send(json.dumps(message))
        async for frame in socket:
            if isinstance(frame, str) and json.loads(frame)["type"] == "session.done":
                break
    first, second = (request.reference for request in engine.requests)
    assert first is not None
    assert first is second  # prepared once
    assert first.transcript == "What I say."


async def test_a_key_in_a_subprotocol_is_not_answered_with(served: str) -> None:
    offered = ["openai-insecure-api-key.secret", "realtime"]
    async with connect(f"ws://{served}/v1/audio/speech/stream", subprotocols=offered) as socket:  # type: ignore[arg-type]
        assert socket.subprotocol == "realtime"


async def test_what_can_be_wished_is_what_the_engine_renders(client: httpx.AsyncClient) -> None:
    offered = (await client.get("/v1/styles/choices")).json()
    assert [wish["en"] for wish in offered["emotion"]] == ["happy"]
    assert offered["volume"][-1] == {"field": "volume", "en": "as loud as possible", "zh": "尽可能大声"}
    understood = (await client.get("/v1/styles", params={"text": "happy and loud"})).json()
    assert [wish["field"] for wish in understood["wishes"]] == ["volume", "emotion"]
