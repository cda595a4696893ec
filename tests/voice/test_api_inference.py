"""CosyVoice's own form routes: each mode works, and says what it lacks."""

from __future__ import annotations

import httpx
import pytest

from .conftest import PIECE, FakeEngine
from .recordings import spoken, wav

TEXT = "Hello, world!"
WHOLE = {"prompt_text": "What I say.", "instruct_text": "slowly"}


@pytest.mark.parametrize("mode", ["sft", "zero_shot", "cross_lingual", "instruct", "instruct2"])
async def test_each_mode_answers_pcm_of_a_told_rate(client: httpx.AsyncClient, engine: FakeEngine, mode: str) -> None:
    files = {"prompt_wav": ("prompt_wav", wav(spoken()), "application/octet-stream")}
    answer = await client.post(f"/inference_{mode}", data={"tts_text": TEXT, **WHOLE}, files=files)
    assert answer.status_code == 200, answer.text
    assert "rate=24000" in answer.headers["content-type"]
    assert answer.content == PIECE * 2
    [request] = engine.requests
    assert (request.text, request.reference is not None) == (TEXT, True)
    assert (request.style.rate or 0) < 0


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        ("zero_shot", {"prompt_wav", "prompt_text"}),
        ("cross_lingual", {"prompt_wav"}),
        ("instruct", {"instruct_text"}),
        ("instruct2", {"instruct_text", "prompt_wav"}),
    ],
)
async def test_what_a_mode_lacks_is_told_at_once(client: httpx.AsyncClient, mode: str, missing: set[str]) -> None:
    error = (await client.post(f"/inference_{mode}", data={"tts_text": TEXT})).json()["error"]
    assert {error["param"], *(detail["param"] for detail in error.get("details", []))} == missing


async def test_an_unknown_voice_is_an_error_and_not_another_voice(client: httpx.AsyncClient) -> None:
    answer = await client.post("/inference_sft", data={"tts_text": TEXT, "spk_id": "中文女"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "voice_not_found")


async def test_there_is_no_other_mode(client: httpx.AsyncClient) -> None:
    assert (await client.post("/inference_vc", data={"tts_text": TEXT})).status_code == 404
