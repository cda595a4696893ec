"""The state folder: brought to this version's tables without losing anything, or left as it is."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from isoline_voice.jobs.store import JobStore
from isoline_voice.state import database
from isoline_voice.state.database import FILE, MIGRATIONS, Database, StateError
from isoline_voice.state.usage import UsageLog
from isoline_voice.voices.store import VoiceStore

FIRST = """
CREATE TABLE voices (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, language TEXT NOT NULL,
    description TEXT NOT NULL, transcript TEXT, consent_by TEXT NOT NULL, consent_words TEXT NOT NULL,
    consent_at REAL NOT NULL, created REAL NOT NULL, seconds REAL NOT NULL, findings TEXT NOT NULL,
    UNIQUE (tenant, name)
);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created REAL NOT NULL, finished REAL, state TEXT NOT NULL,
    request TEXT NOT NULL, total INTEGER NOT NULL, spoken INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0, rate INTEGER, error TEXT, warnings TEXT NOT NULL DEFAULT '[]',
    owner TEXT, lease REAL NOT NULL DEFAULT 0
);
CREATE TABLE sentences (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    chapter INTEGER NOT NULL, text TEXT NOT NULL, begins INTEGER, ends INTEGER,
    PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE TABLE usage (
    tenant TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL, characters INTEGER NOT NULL,
    seconds REAL NOT NULL, PRIMARY KEY (tenant, day)
) WITHOUT ROWID;
INSERT INTO voices VALUES ('voice_1', '', 'Li', 'zh', '', 'Hello.', 'Li', 'I agree.', 1.0, 2.0, 4.0, '[]');
INSERT INTO jobs (id, tenant, created, state, request, total, spoken, bytes, rate)
    VALUES ('job_1', '', 1.0, 'running', '{"chapters": [""]}', 2, 1, 4800, 24000);
INSERT INTO sentences VALUES ('job_1', 0, 0, 'One.', 0, 2400), ('job_1', 1, 0, 'Two.', NULL, NULL);
INSERT INTO usage VALUES ('', '2026-01-01', 3, 40, 5.5);
PRAGMA user_version = 1;
"""
"""What the first version of the studio wrote; it stays as it is for as long as there are folders of that version."""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A folder of the first version."""
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.executescript(FIRST)
    return tmp_path


def version(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        [found] = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def tables(folder: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        return {
            " ".join(row[0].split()) for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOTNULL")
        }


def test_a_folder_of_the_first_version_keeps_what_is_in_it(first: Path) -> None:
    with contextlib.closing(Database(first)) as opened:
        voice = VoiceStore(opened, first / "voices").find("", "li")
        assert voice is not None
        assert (voice.id, voice.consent.words, voice.seconds) == ("voice_1", "I agree.", 4.0)
        jobs = JobStore(opened, first / "jobs")
        job = jobs.claim("another process")
        assert job is not None
        assert (job.id, job.spoken, job.seconds) == ("job_1", 1, 0.1)
        assert [line.text for line in jobs.sentences("job_1")] == ["One.", "Two."]
        assert [day.to_json() for day in UsageLog(opened).days("")] == [
            {"day": "2026-01-01", "requests": 3, "characters": 40, "seconds": 5.5}
        ]
    assert version(first) == len(MIGRATIONS)


def test_an_old_folder_gets_the_tables_of_a_new_one(first: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    new = tmp_path_factory.mktemp("new")
    for folder in (first, new):
        Database(folder).close()
    assert tables(first) == tables(new)


def test_each_version_leads_to_the_next(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (("ALTER TABLE voices ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'",), ("CREATE TABLE more (id TEXT)",))
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, *steps))
    with contextlib.closing(Database(first)) as opened:
        assert opened.run("SELECT id, colour FROM voices")[0]["colour"] == "none"
        assert opened.run("SELECT * FROM more") == []
    assert version(first) == len(MIGRATIONS) + 2


def test_a_step_that_fails_leaves_the_folder_as_it_was(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ("CREATE TABLE half (id TEXT)", "CREATE TABLE usage (id TEXT)")
    before = tables(first)
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(StateError, match="usage already exists"):
        Database(first)
    monkeypatch.undo()
    assert tables(first) == before
    Database(first).close()
    assert version(first) == len(MIGRATIONS)


def test_a_folder_of_a_newer_studio_is_left_alone(first: Path) -> None:
    with contextlib.closing(sqlite3.connect(first / FILE)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    with pytest.raises(StateError, match="newer version"):
        Database(first)
    assert version(first) == 1000


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("I am a text." * 100)
    with pytest.raises(StateError, match="--state"):
        Database(tmp_path)
