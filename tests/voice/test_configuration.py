"""The configuration: a file, variables before it, options before those; everything wrong at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from isoline_voice.configuration import check, load
from isoline_voice.engines.configuration import ConfigurationError
from isoline_voice.state.database import FILE as FILE_OF_STATE
from isoline_voice.state.database import Database

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


def test_what_it_points_to_is_wrong_in_the_same_breath(tmp_path: Path) -> None:
    file, engines, state = (tmp_path / name for name in ("voice.toml", "engines.toml", "state"))
    engines.write_text('[[engine]]\nkind = "sglang"\n')
    state.write_text("a file")
    file.write_text(
        'port = 99999\nhost = "nowhere.invalid"\nwebhooks = ["https://hooks.example.org/x"]\n'
        f'trusted_proxies = ["10.0.0.0/40"]\nengines = "{engines}"\nstate = "{state}"\nlog_format = "xml"\n'
        '[[client]]\nname = "a/b"\nkey_from = "A"\n'
        '[[client]]\nname = "b"\nkey_from = "MISSING_KEY"\n'
        '[[client]]\nname = "c"\nkey_from = "SAME"\n[[client]]\nname = "d"\nkey_from = "SAME"\n'
    )
    environment = {"A": "a", "SAME": "s", "ISOLINE_VOICE_STAET": "/x", "ISOLINE_VOICE_DRAIN": "soon"}
    with pytest.raises(ConfigurationError) as wrong:
        check(file, environment)
    for fault in (
        "port:",
        "host: nowhere.invalid",
        "webhooks[0]:",
        "trusted_proxies[0]:",
        "log_format:",
        "drain:",
        "client[0].name:",
        "MISSING_KEY",
        "SAME holds the key of another client",
        "engine[0].urls",
        f"state: {state} is no folder",
        "did you mean ISOLINE_VOICE_STATE?",
    ):
        assert fault in wrong.value.message, fault


def test_checking_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "not" / "there" / "yet"
    assert check(None, {"ISOLINE_VOICE_STATE": str(state)}).state == state
    assert list(tmp_path.iterdir()) == []


def test_a_state_of_a_newer_studio_is_found_before_it_is_served(tmp_path: Path) -> None:
    Database(tmp_path).close()
    assert check(None, {"ISOLINE_VOICE_STATE": str(tmp_path)})
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_OF_STATE)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    with pytest.raises(ConfigurationError, match="newer version"):
        check(None, {"ISOLINE_VOICE_STATE": str(tmp_path)})


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
