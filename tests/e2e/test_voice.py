"""From the manifest in `examples/voice` to a spoken sentence at an https address."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from e2e.support import EXAMPLES, Isoline
from e2e.support import VOICE_HOST as HOST


def test_the_screen_says_where_it_is_and_how_to_speak(studio: Isoline) -> None:
    said = studio.until(lambda: studio.said() if "Speak" in studio.said() else "")
    assert f"https://{HOST}:{studio.https_port}" in said
    assert "ready" in said
    assert "1 replica" in said
    assert "curl --cacert" in said


def test_curl_gets_a_spoken_sentence(studio: Isoline, tmp_path: Path) -> None:
    spoken = tmp_path / "hello.wav"
    subprocess.run(
        [
            *("curl", "-sS", "--fail", "--cacert", str(studio.state / "ca.crt"), studio.url(HOST, "/v1/audio/speech")),
            *("-d", '{"input":"你好，世界","instructions":"用四川话大声读出来"}', "-o", str(spoken)),
        ],
        check=True,
    )
    samples, rate = soundfile.read(spoken)
    assert rate == 24_000
    assert 0.5 < len(samples) / rate < 10
    assert np.sqrt(np.mean(samples**2)) > 0.02, "this is silence"


def test_the_answer_says_what_was_understood_and_what_was_not_done(studio: Isoline) -> None:
    with studio.client() as client:
        answer = client.post(
            studio.url(HOST, "/v1/audio/speech"), json={"input": "你好", "instructions": "用四川话大声读出来"}
        )
    assert answer.status_code == 200
    assert "x-voice-style" in answer.headers
    assert "dialect_unsupported" in answer.headers["x-voice-warnings"]


def test_loud_is_louder_through_the_whole_stack(studio: Isoline) -> None:
    def loudness(how: str) -> float:
        with studio.client() as client:
            body = {"input": "今天天气很好", "instructions": how, "response_format": "wav"}
            answer = client.post(studio.url(HOST, "/v1/audio/speech"), json=body)
        samples, _ = soundfile.read(io.BytesIO(answer.content))
        return float(np.sqrt(np.mean(samples**2)))

    assert loudness("大声") > 1.3 * loudness("轻声")


def test_http_2_and_http_1_both_speak(studio: Isoline) -> None:
    for http2 in (False, True):
        with studio.client(http2=http2) as client:
            answer = client.get(studio.url(HOST, "/v1/models"))
        assert answer.status_code == 200
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")


def test_plain_http_is_sent_to_https(studio: Isoline) -> None:
    answer = httpx.get(f"http://127.0.0.1:{studio.http_port}/x?y=1", headers={"Host": HOST})
    assert answer.status_code == 301
    assert answer.headers["location"] == studio.url(HOST, "/x?y=1")


def test_get_and_describe_tell_what_runs(studio: Isoline) -> None:
    app = studio.until(lambda: (found := studio.get("app", "voice"))["status"].get("phase") == "Ready" and found)
    assert app["status"]["address"] == f"https://{HOST}:{studio.https_port}"
    assert app["status"]["readyReplicas"] == 1
    described = studio.run("describe", "app", "voice").stdout
    for word in ("Conditions", "Routes", "Endpoints", "healthy", "Certificate", HOST):
        assert word in described


def test_logs_are_kept(studio: Isoline) -> None:
    assert ":7860" not in studio.run("logs", "voice").stdout  # its port is one of its own
    assert studio.run("logs", "voice").stdout


def test_a_second_up_on_the_same_state_says_who_holds_it(studio: Isoline) -> None:
    second = studio.run("up", str(EXAMPLES / "voice"), check=False)
    assert second.returncode == 1
    assert studio.process is not None
    assert str(studio.process.pid) in second.stdout + second.stderr
    assert "Traceback" not in second.stdout + second.stderr


def test_down_ends_everything(isoline: Callable[[Path], Isoline]) -> None:
    running = isoline(EXAMPLES / "voice")
    running.up()
    running.until_speaks(HOST)
    running.run("down")
    with pytest.raises(httpx.ConnectError), running.client() as client:
        client.get(running.url(HOST))
    assert running.processes() == []
