"""Two replicas of the studio behind one address, with one state folder: whoever answers knows what the other does."""

import contextlib
import io
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from benchmarks.voice.soak import soak_apart
from gradio_client import Client, handle_file  # type: ignore[import-untyped]

from e2e.support import VOICE_HOST as HOST
from e2e.support import Isoline

MANIFEST = """
apiVersion: isoline.dev/v1alpha1
kind: App
metadata: {name: voice}
spec: {profile: voice, host: voice.localhost, scale: {min: 2, max: 2}}
"""
SPEECH = "/v1/audio/speech"
JOBS = "/v1/audio/jobs"
SENTENCES = 40

# Gradio's statistics set an option that this pandas calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isoline]:
    """An Isoline with both replicas ready."""
    folder = tmp_path_factory.mktemp("pair")
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "voice.yaml").write_text(MANIFEST)
    running = Isoline(folder, manifests)
    running.up()
    try:
        running.until_speaks(HOST)
        _until_both_are_ready(running)
        yield running
    finally:
        running.run("down", check=False)
        if running.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(30)
            running.process.kill()
            running.process.wait()


def _until_both_are_ready(running: Isoline) -> None:
    running.until(lambda: running.get("app", "voice")["status"].get("readyReplicas") == 2)


@pytest.fixture(scope="module")
def recording(pair: Isoline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of speech."""
    file = tmp_path_factory.mktemp("recordings") / "prompt.wav"
    with pair.client() as client:
        answer = client.post(pair.url(HOST, SPEECH), json={"input": "Good morning. " * 4, "response_format": "wav"})
    file.write_bytes(answer.content)
    return file


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the studio means this machine, also where the system's resolver does not know .localhost."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == HOST else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


def spoken(running: Isoline, **fields: Any) -> bytes:
    """A WAV file, from whichever replica has the least to do: each client is a new one, without cookies."""
    body = {"input": "Good morning.", "response_format": "wav", **fields}
    with running.client() as client:
        return client.post(running.url(HOST, SPEECH), json=body).raise_for_status().content


def test_gradios_client_finds_its_session_in_all_four_modes(
    pair: Isoline, recording: Path, at_home: None, tmp_path: Path
) -> None:
    del at_home
    context: Any = ssl.create_default_context(cafile=str(pair.state / "ca.crt"))
    modes: dict[str, dict[str, Any]] = {
        "预训练音色": {},
        "3s极速复刻": {"prompt_wav_upload": handle_file(recording), "prompt_text": "Good morning."},
        "跨语种复刻": {"prompt_wav_record": handle_file(recording)},
        "自然语言控制": {"instruct_text": "大声地说"},
    }
    for mode, fields in modes.items():
        client = Client(
            pair.url(HOST, "/gradio/"),
            verbose=False,
            ssl_verify=context,
            download_files=str(tmp_path),
            httpx_kwargs={"timeout": 60},  # whoever asks first waits until Gradio is loaded
            analytics_enabled=False,
        )
        try:
            given = {"prompt_wav_upload": None, "prompt_wav_record": None, **fields}
            file = client.predict(tts_text="早上好。", mode_checkbox_group=mode, **given, api_name="/generate_audio")
        finally:
            client.close()
        samples, rate = soundfile.read(file)
        assert rate == 24_000
        assert len(samples) > 0.3 * rate


def test_a_browser_is_given_a_cookie_that_only_https_carries(pair: Isoline) -> None:
    with pair.client() as client:
        cookie = client.get(pair.url(HOST, "/")).headers["set-cookie"]
    assert cookie.startswith("isoline-affinity=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie


def test_a_voice_made_at_one_replica_is_spoken_with_by_both(pair: Isoline, recording: Path) -> None:
    form = {"name": "Anna", "consent": "I agree.", "consent_by": "Anna"}
    with pair.client() as client:
        files = {"audio_sample": ("anna.wav", recording.read_bytes())}
        made = client.post(pair.url(HOST, "/v1/audio/voices"), data=form, files=files)
    assert made.status_code in (200, 201), made.text
    for _ in range(6):
        samples, _rate = soundfile.read(io.BytesIO(spoken(pair, voice="Anna")))
        assert len(samples)


def test_each_job_is_spoken_once_and_found_at_both(pair: Isoline) -> None:
    """What is counted as used would be more if both had spoken the same."""

    def used() -> float:
        with pair.client() as client:
            days = client.get(pair.url(HOST, "/v1/usage")).json()["data"]
        return sum(float(day["seconds"]) for day in days)

    def audio_seconds(job: str) -> float | None:
        with pair.client() as client:
            found = client.get(pair.url(HOST, f"{JOBS}/{job}")).json()
        assert found["status"] != "failed", found
        return float(found["audio_seconds"]) if found["status"] == "succeeded" else None

    before = used()
    text = "The quick brown fox jumps over the lazy dog. " * SENTENCES
    jobs = []
    for _ in range(4):
        with pair.client() as client:
            jobs.append(client.post(pair.url(HOST, JOBS), json={"input": text}).json()["id"])
    lengths = [pair.until(partial(audio_seconds, job)) for job in jobs]

    total = sum(float(length or 0) for length in lengths)
    assert 0.8 * total < used() - before < 1.3 * total  # audio has pauses; what other tests spoke is counted late


def test_seconds_of_listeners_who_come_and_leave_leave_nothing_behind(pair: Isoline) -> None:
    """`make soak` in short: too short for memory to tell anything."""
    replicas = [pid for name, pid in pair.processes() if "voice" in name]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        authority = pair.state / "ca.crt"
        soaked = elsewhere.submit(soak_apart, pair.https_port, authority, replicas, seconds=10, clients=4).result()
    assert soaked.faults == []
    assert soaked.answered > 10
    assert soaked.left > 5


def test_after_a_kill_the_other_serves_whoever_was_with_it(pair: Isoline) -> None:
    replicas = {name: pid for name, pid in pair.processes() if "voice" in name}
    assert len(replicas) == 2
    with pair.client() as first, pair.client() as second:
        clients = (first, second)
        for client in clients:
            client.get(pair.url(HOST, "/"))
        os.kill(min(replicas.values()), signal.SIGKILL)
        for client in clients:
            answer = client.get(pair.url(HOST, "/v1/models"))
            assert answer.status_code == httpx.codes.OK, answer.text
        # What was sent whole to the one that died is not sent again by itself: it is no request that may be repeated.
        pair.until(lambda: spoken(pair))
    pair.until(lambda: len([pid for _, pid in pair.processes() if pid not in replicas.values()]) >= 1)
    _until_both_are_ready(pair)
