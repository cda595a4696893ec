"""/v1/audio/voices: made from a recording with consent, used, renamed, carried away, deleted."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from .conftest import FakeEngine
from .recordings import RATE, spoken, wav

PATH = "/v1/audio/voices"
FIELDS = {"name": "Li Hua", "consent": "I agree that my voice is used.", "consent_by": "Li Hua"}
VOICE = wav(spoken())


async def make(client: httpx.AsyncClient, audio: bytes = VOICE, **fields: Any) -> httpx.Response:
    return await client.post(PATH, data={**FIELDS, **fields}, files={"audio_sample": ("../../me.wav", audio)})


async def test_a_voice_is_made_with_its_consent(client: httpx.AsyncClient) -> None:
    answer = await make(client, ref_text="What I say.")
    assert answer.status_code == 201
    voice = answer.json()
    assert (voice["object"], voice["name"], voice["findings"]) == ("audio.voice", "Li Hua", [])
    assert voice["consent"]["words"] == FIELDS["consent"]
    assert voice["consent"]["at"] > 1_700_000_000
    listed = (await client.get(PATH)).json()["data"]
    assert [each["id"] for each in listed] == ["alloy", voice["id"]]
    assert (await client.get(f"{PATH}/Li Hua")).json()["id"] == voice["id"]


@pytest.mark.parametrize("named", ["id", "name"])
async def test_it_speaks_with_the_recording(client: httpx.AsyncClient, engine: FakeEngine, named: str) -> None:
    voice = (await make(client, ref_text="What I say.")).json()
    answer = await client.post("/v1/audio/speech", json={"input": "Hello", "voice": voice[named]})
    assert answer.status_code == 200
    reference = engine.requests[-1].reference
    assert reference is not None
    assert reference.transcript == "What I say."
    samples, rate = soundfile.read(io.BytesIO(reference.audio))
    assert (rate, samples.size / rate) == (RATE, pytest.approx(4.0, abs=0.4))


async def test_it_is_renamed_and_deleted(client: httpx.AsyncClient) -> None:
    voice = (await make(client)).json()["id"]
    assert (await client.patch(f"{PATH}/{voice}", json={"name": "小李"})).json()["name"] == "小李"
    assert (await client.delete(f"{PATH}/小李")).json()["deleted"] is True
    assert (await client.get(f"{PATH}/{voice}")).status_code == 404
    spoken_to = await client.post("/v1/audio/speech", json={"input": "Hello", "voice": voice})
    assert (spoken_to.status_code, spoken_to.json()["error"]["code"]) == (400, "voice_not_found")


async def test_it_is_carried_to_another_studio(client: httpx.AsyncClient) -> None:
    voice = (await make(client)).json()
    exported = await client.get(f"{PATH}/{voice['id']}/export")
    await client.delete(f"{PATH}/{voice['id']}")
    answer = await client.post(f"{PATH}/import", files={"archive": exported.content})
    assert answer.status_code == 201, answer.text
    assert answer.json()["consent"] == voice["consent"]
    assert answer.json()["id"] != voice["id"]


def archive(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 but no archive",
        archive(),
        archive(voice_json=b"{}", recording_wav=VOICE),
        archive(voice_json=b'{"name": "x", "consent": {"by": "x", "words": "yes", "at": "?"}}', recording_wav=VOICE),
        archive(voice_json=b'{"name": "x", "consent": {"by": "x", "words": "yes", "at": 1}}', recording_wav=b"?"),
        archive(voice_json=b"{}", recording_wav=bytes(20_000_000)),
    ],
)
async def test_an_archive_that_is_none_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post(f"{PATH}/import", files={"archive": content})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "Alloy"}, "name"),
        ({"consent": ""}, "consent"),
        ({"language": "not a tag"}, "language"),
    ],
)
async def test_each_wrong_field_is_named(client: httpx.AsyncClient, fields: dict[str, str], param: str) -> None:
    answer = await make(client, VOICE, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_every_reason_against_a_recording_is_told(client: httpx.AsyncClient) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * 8000)
    answer = await make(client, wav(noise, 8000))
    error: dict[str, Any] = answer.json()["error"]
    assert answer.status_code == 400
    assert {detail["code"] for detail in error["details"]} == {"rate_too_low", "no_speech"}


async def test_a_recording_may_come_with_the_request(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    audio = "data:audio/wav;base64," + base64.b64encode(wav(spoken(2.0))).decode()
    answer = await client.post("/v1/audio/speech", json={"input": "Hello", "ref_audio": audio, "ref_text": "words"})
    assert answer.status_code == 200, answer.text
    assert engine.requests[-1].reference is not None
    assert [warning["code"] for warning in json.loads(answer.headers["x-voice-warnings"])] == ["recording_short"]


@pytest.mark.parametrize("audio", ["http://127.0.0.1/x.wav", "/etc/passwd", "!!!", "UklGRg=="])
async def test_a_recording_that_is_none_is_refused_by_its_name(client: httpx.AsyncClient, audio: str) -> None:
    answer = await client.post("/v1/audio/speech", json={"input": "Hello", "ref_audio": audio})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "ref_audio")
