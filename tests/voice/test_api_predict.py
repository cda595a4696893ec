"""POST /predict: JSON or a form in, one whole WAV file out."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from .conftest import FakeEngine
from .recordings import spoken, wav

TEXT = "Good morning, everybody."


def seconds_of(content: bytes) -> float:
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert len(file.readframes(file.getnframes())) == file.getnframes() * 2
        return float(file.getnframes() / file.getframerate())


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"text": TEXT, "instruct": "slowly"}},
        {"data": {"text": TEXT, "instruct": "slowly"}},
        {"data": {"text": TEXT, "instruct": "slowly"}, "files": {"prompt_wav": wav(spoken())}},
        {"content": json.dumps({"text": TEXT, "instruct": "slowly"}).encode()},
    ],
    ids=["json", "urlencoded", "multipart", "json without a type"],
)
async def test_every_way_of_asking_gives_one_whole_wav(
    client: httpx.AsyncClient, engine: FakeEngine, body: dict[str, Any]
) -> None:
    answer = await client.post("/predict", **body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/wav"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert seconds_of(answer.content) == pytest.approx(0.3)
    assert (engine.requests[0].style.rate or 0) < 0


@pytest.mark.parametrize("field", ["prompt_wav", "audio"])
async def test_a_recording_reaches_the_engine(client: httpx.AsyncClient, engine: FakeEngine, field: str) -> None:
    form = {"text": TEXT, "prompt_text": "words"}
    answer = await client.post("/predict", data=form, files={field: ("me.wav", wav(spoken(3.5)))})
    assert answer.status_code == 200, answer.text
    reference = engine.requests[0].reference
    assert reference is not None
    assert reference.transcript == "words"


async def test_a_recording_in_json_is_a_recording_too(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    audio = base64.b64encode(wav(spoken())).decode()
    assert (await client.post("/predict", json={"text": TEXT, "audio": audio})).status_code == 200
    assert engine.requests[0].reference is not None


async def test_a_recording_that_is_none_is_an_error(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", data={"text": TEXT}, files={"prompt_wav": b"x" * 1000})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "prompt_wav")


async def test_an_empty_file_field_is_no_recording(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", data={"text": TEXT}, files={"audio": ("", b"")})
    assert "x-voice-warnings" not in answer.headers


async def test_a_recording_beyond_the_limit_is_refused_by_its_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", data={"text": TEXT}, files={"prompt_wav": b"x" * 350_000})
    assert answer.status_code == 413
    assert answer.json()["error"]["param"] == "prompt_wav"


async def test_a_text_beyond_the_limit_is_refused_by_its_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", data={"text": "x" * 150_000}, files={"audio": b"x"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (413, "text")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"--b\r\nno header at all", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello', "multipart/form-data; boundary=b"),
        (b"anything", "multipart/form-data"),
        (b"text=%ff&instruct=\xff", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_broken_form_is_an_error_of_openais_shape(client: httpx.AsyncClient, content: bytes, kind: str) -> None:
    answer = await client.post("/predict", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_missing_text_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", data={"instruct": "loudly"})
    assert answer.json()["error"]["param"] == "text"


async def test_the_engines_refusal_of_a_text_names_the_field_as_it_was_sent(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", json={"text": "x" * 10_001})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "text")


@pytest.mark.parametrize("path", ["/predict", "/v1/audio/speech"])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_refused_upload_is_taken_to_its_end_so_that_its_answer_arrives(
    client: httpx.AsyncClient, path: str, declared: bool
) -> None:
    """A gateway drops the answer that comes while it still sends the request."""
    sent = 0

    async def upload() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(20):
            sent += 100_000
            yield b"x" * 100_000

    length = {"Content-Length": "2000000"} if declared else {}
    answer = await client.post(path, content=upload(), headers=length)
    assert answer.status_code == 413
    assert sent == 2_000_000


async def test_very_long_speech_is_streamed_after_all(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict", json={"text": "x" * 10_000})
    assert answer.headers["content-type"] == "audio/wav"
    assert "content-length" not in answer.headers
    assert len(answer.content) >= 100 * 24_000 * 2
