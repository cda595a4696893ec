"""The program: serve, say, style; what it says when something is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import httpx
import pytest

PROGRAM = [sys.executable, "-m", "isoline_voice"]


def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, **variables},
    )


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program and its URL, read from its log."""
    with subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", "--workers", "1", *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            url = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
            client = httpx.Client(transport=httpx.HTTPTransport(retries=5))
            with client:
                assert client.get(f"{url}/readyz", timeout=30).status_code == 200
            yield process, url
        finally:
            process.kill()


def test_say_writes_a_file_that_can_be_heard(tmp_path: Path) -> None:
    out = tmp_path / "hello.wav"
    done = run("say", "Hello, world!", "--how", "slowly", "-o", str(out))
    assert done.returncode == 0, done.stderr
    with wave.open(str(out)) as file:
        assert file.getframerate() == 24_000
        assert 0.5 < file.getnframes() / 24_000 < 5


@pytest.mark.parametrize("told", [True, False])
def test_say_writes_into_the_file_that_its_voice_is_synthetic_unless_told_not_to(tmp_path: Path, told: bool) -> None:
    (tmp_path / "voice.toml").write_text(f"provenance = {str(told).lower()}\n")
    out = tmp_path / "hello.mp3"
    done = run("say", "Hello!", "-o", str(out), "--config", str(tmp_path / "voice.toml"))
    assert done.returncode == 0, done.stderr
    with av.open(str(out)) as file:
        assert ("algorithmicMedia" in file.metadata.get("comment", "")) is told


def test_say_tells_what_the_engine_cannot(tmp_path: Path) -> None:
    done = run("say", "你好", "--how", "用四川话", "-o", str(tmp_path / "hello.flac"))
    assert done.returncode == 0
    assert "四川话" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["say", "Hello", "-o", "hello.midi"], "midi"),
        (["say", "Hello", "--voice", "nobody", "-o", "hello.wav"], "nobody"),
        (["say", "", "-o", "hello.wav"], ""),
        (["say", "Hello", "-o", "hello.wav", "--speed", "9"], "speed"),
        (["say", "Hello"], "--out"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    at = [str(tmp_path / word) if word.startswith("hello.") else word for word in arguments]
    done = run(*at)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_mistake_is_told_in_the_language_of_the_terminal(tmp_path: Path) -> None:
    done = run("say", "你好[boing]", "-o", str(tmp_path / "hello.wav"), LC_ALL="zh_CN.UTF-8")
    assert (done.returncode, "第 3 个字符处的 [boing]" in done.stderr) == (2, True)


def test_style_shows_what_was_understood() -> None:
    done = run("style", "用四川话大声读出来")
    assert done.returncode == 0
    assert "四川话" in done.stdout
    assert "volume" in done.stdout


def test_style_reads_lines_and_writes_an_object_of_eight_fields_for_each() -> None:
    done = run("style", "--json", "-", stdin="slowly, like a pirate\n\n大声\n")
    slow, nothing, loud = [json.loads(line) for line in done.stdout.splitlines()]
    assert slow == {
        "dialect": None,
        "language": None,
        "volume": None,
        "rate": "slow",
        "pitch": None,
        "emotion": None,
        "persona": None,
        "unknown": ["pirate"],
    }
    assert set(nothing.values() if nothing.pop("unknown") == [] else ()) == {None}
    assert loud["volume"] == "loud"


def test_style_answers_each_line_before_the_next_one_and_stumbles_over_no_byte() -> None:
    with subprocess.Popen([*PROGRAM, "style", "--json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, volume in (("\ufeff大声\r\n".encode(), "loud"), (b"\xff\xfe\n", None), (b"softly\n", "soft")):
            process.stdin.write(line)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["volume"] == volume
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"127.0.0.1:{port} is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_host_and_port_come_from_the_environment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
        done = subprocess.run(
            [*PROGRAM, "serve"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert f":{port} is taken" in done.stderr


def test_sigterm_lets_running_speech_finish_and_says_unready_first() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 100
    with served() as (process, url), httpx.Client(timeout=60) as client:
        whole = client.post(f"{url}/v1/audio/speech", json={"input": text, "response_format": "pcm"}).content
        with client.stream("POST", f"{url}/v1/audio/speech", json={"input": text, "response_format": "pcm"}) as answer:
            pieces = answer.iter_raw()
            size = len(next(pieces))
            process.send_signal(signal.SIGTERM)
            with httpx.Client(transport=httpx.HTTPTransport()) as probe:
                while probe.get(f"{url}/readyz").status_code != 503:
                    pass
            size += sum(len(piece) for piece in pieces)
        assert size == pytest.approx(len(whole), rel=1e-3)  # the voice flutters a little
        assert process.wait(30) == 0


def test_an_idle_studio_stops_at_once_on_ctrl_c() -> None:
    with served() as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
