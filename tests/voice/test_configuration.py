"""The configuration: a file, variables before it, options before those; everything wrong at once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from isoline_voice.configuration import load
from isoline_voice.engines.configuration import ConfigurationError

FILE = """
port = 8000
webhooks = ["hooks.example.org"]
provenance = false
[[client]]
name = "lab"
key_from = "LAB_KEY"
requests_per_minute = 60
"""


def test_options_go_before_variables_and_those_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text(FILE)
    environment = {
        "LAB_KEY": "secret",
        "ISOLINE_VOICE_PORT": "8001",
        "ISOLINE_VOICE_GRACE": "5.5",
        "ISOLINE_VOICE_WEBHOOKS": "a.example, b.example",
        "ISOLINE_VOICE_PROVENANCE": "true",
        "ISOLINE_VOICE_STATE": str(tmp_path),
    }
    settings = load(file, environment, port=8002, host=None)
    assert (settings.port, settings.grace, settings.host, settings.provenance) == (8002, 5.5, "127.0.0.1", True)
    assert settings.webhooks == ("a.example", "b.example")
    assert settings.state == tmp_path
    [client] = settings.clients
    assert (client.name, client.requests_per_minute) == ("lab", 60)
    assert client.key_sha256 == hashlib.sha256(b"secret").digest()


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text('port = 99999\ncolour = "blue"\n[[client]]\nname = "a/b"\n')
    with pytest.raises(ConfigurationError) as wrong:
        load(file, {})
    for field in ("port", "colour", "client[0].name", "client[0].key_from"):
        assert field in wrong.value.message


def config(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isoline_voice", "config", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_shows_what_counts_and_no_key(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text(FILE)
    done = config("--check", "--config", str(file), LAB_KEY="secret")
    assert done.returncode == 0, done.stderr
    assert "port: 8000" in done.stdout
    assert "clients: lab" in done.stdout
    assert "secret" not in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [(FILE, "LAB_KEY"), ("port = ", "voice.toml"), ('engines = "nowhere.toml"', "nowhere.toml")],
)
def test_check_fails_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "voice.toml"
    file.write_text(text)
    done = config("--check", "--config", str(file))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
