"""Every file says that its voice is synthetic, unless the studio was told not to."""

from __future__ import annotations

import io

import av
import httpx
import openai
import pytest

from isoline_voice.api.app import create_app
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService

from .conftest import FakeEngine
from .recordings import spoken, wav

PLACES = {"wav": "comment", "mp3": "comment", "opus": "comment", "flac": "comment", "aac": "comment"}


def told(content: bytes) -> dict[str, str]:
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.audio[0]
        return {name.lower(): value for name, value in {**container.metadata, **stream.metadata}.items()}


@pytest.mark.parametrize("audio_format", PLACES)
async def test_a_file_says_so(client: httpx.AsyncClient, audio_format: str) -> None:
    answer = await client.post("/v1/audio/speech", json={"input": "Hello", "response_format": audio_format})
    assert "Synthetic voice" in told(answer.content)[PLACES[audio_format]]
    assert answer.headers["x-voice-synthetic"] == "true"


@pytest.mark.parametrize("audio_format", PLACES)
async def test_the_studio_can_be_told_not_to(engine: FakeEngine, audio_format: str) -> None:
    app = create_app(SpeechService(engine), Settings(provenance=False))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as client:
        answer = await client.post("/v1/audio/speech", json={"input": "Hello", "response_format": audio_format})
    app.state.studio.close()
    assert "comment" not in told(answer.content)


def test_openais_own_client_makes_a_voice_and_speaks_with_it(studio: str) -> None:
    audio = openai.OpenAI(base_url=f"{studio}/v1", api_key="none", max_retries=0).audio
    voice = audio.voices.create(name="Li Hua", consent="I agree.", audio_sample=("me.wav", wav(spoken()), "audio/wav"))
    answer = audio.speech.create(model="tts-1", voice={"id": voice.id}, input="Good morning.", response_format="wav")
    assert "reference_imitated" in answer.response.headers["x-voice-warnings"]
    assert httpx.delete(f"{studio}/v1/audio/voices/{voice.id}").status_code == 200
