"""What a recording has to be like, and what is done to it before a voice is taken from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isoline_voice.audio.loudness import loudness
from isoline_voice.errors import InvalidRequestError
from isoline_voice.state.database import Database, StateError
from isoline_voice.voices.archive import pack, unpack
from isoline_voice.voices.checking import check
from isoline_voice.voices.decoding import LONGEST_SECONDS, Recording, decode
from isoline_voice.voices.store import Consent, VoiceStore

from .recordings import RATE, encoded, spoken, wav
from .waveforms import Samples

CONSENT = Consent(by="Li Hua", words="I agree that my voice is used.", at=1_700_000_000.0)


def recording(samples: Samples, rate: int = RATE) -> Recording:
    return Recording(samples.astype(np.float32), rate, left=False)


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("wav", "pcm_s24le", 44_100),
        ("flac", "flac", 48_000),
        ("mp3", "libmp3lame", 44_100),
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
        ("adts", "aac", 24_000),
        ("mov", "aac", 44_100),
    ],
)
def test_what_phones_and_browsers_record_is_read(container: str, codec: str, rate: int) -> None:
    read = decode(encoded(spoken(), container, codec, rate))
    assert read.rate == rate
    assert read.samples.size / RATE == pytest.approx(5.0, abs=0.2)
    assert check(read).findings == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not audio" * 1000,
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
    ],
    ids=["empty", "text", "cut off", "playlist", "list of files"],
)
def test_what_is_no_audio_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        decode(content)
    assert refused.value.param == "audio_sample"


def test_no_more_is_decoded_than_anybody_needs() -> None:
    hours = encoded(np.zeros(RATE * 600), "flac", "flac")
    assert len(hours) < 200_000, "ten minutes of silence are a small file"
    read = decode(hours)
    assert read.left
    assert read.samples.size < (LONGEST_SECONDS + 1) * RATE


VOICE = spoken()
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("heard", "rate", "code", "level"),
    [
        (VOICE, 8_000, "rate_too_low", "error"),
        (VOICE[: RATE // 2 + RATE // 2], RATE, "too_short", "error"),
        (spoken(2.0), RATE, "short", "warning"),
        (np.tile(VOICE, 8), RATE, "too_long", "warning"),
        (VOICE * 0.03, RATE, "quiet", "warning"),
        (VOICE * 0.0001, RATE, "silent", "error"),
        (np.clip(VOICE * 20, -1, 1), RATE, "clipping", "error"),
        (VOICE + RANDOM.normal(0, 0.03, VOICE.size), RATE, "noisy", "warning"),
        (RANDOM.normal(0, 0.1, 4 * RATE), RATE, "no_speech", "error"),
        (0.3 * np.sin(np.arange(4 * RATE) * 2 * np.pi * 220 / RATE), RATE, "no_speech", "error"),
    ],
)
def test_each_fault_is_found_and_explained(heard: Samples, rate: int, code: str, level: str) -> None:
    checked = check(recording(heard, rate))
    found = {finding.code: finding for finding in checked.findings}
    assert code in found, [*found]
    assert found[code].level == level
    assert found[code].message != found[code].message_zh
    assert checked.usable == all(finding.level == "warning" for finding in checked.findings)


def test_silence_is_trimmed_and_loudness_is_that_of_broadcasts() -> None:
    checked = check(recording(np.concatenate((np.zeros(2 * RATE), VOICE * 0.3, np.zeros(2 * RATE)))))
    assert checked.seconds == pytest.approx(4.0, abs=0.4)
    assert loudness(checked.samples, RATE) == pytest.approx(-23.0, abs=1.0)
    assert np.abs(checked.samples).max() < 1.0


def test_a_voice_outlives_the_studio_and_is_gone_when_it_is_deleted(tmp_path: Path) -> None:
    database = Database(tmp_path)
    made = VoiceStore(database, tmp_path / "voices").add(
        "school", name="Li Hua", audio=wav(VOICE), consent=CONSENT, transcript="A sentence that nobody else says."
    )
    database.close()
    database = Database(tmp_path)
    store = VoiceStore(database, tmp_path / "voices")
    found = store.find("school", "li hua")
    assert found == made
    assert found.consent == CONSENT
    assert store.reference(found).transcript == "A sentence that nobody else says."
    assert store.find("another school", made.id) is None
    store.delete("school", found)
    assert store.list("school") == []
    database.close()
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(b"nobody else says" in file.read_bytes() for file in left)
    assert not list((tmp_path / "voices").iterdir())


def test_a_name_is_one_voice_of_a_tenant(tmp_path: Path) -> None:
    store = VoiceStore(Database(tmp_path), tmp_path / "voices")
    store.add("a", name="Li", audio=wav(VOICE), consent=CONSENT)
    store.add("b", name="Li", audio=wav(VOICE), consent=CONSENT)
    with pytest.raises(InvalidRequestError) as refused:
        store.add("a", name="LI", audio=wav(VOICE), consent=CONSENT)
    assert refused.value.code == "name_taken"
    assert len(list((tmp_path / "voices").iterdir())) == 2


def test_a_voice_travels_with_its_consent(tmp_path: Path) -> None:
    store = VoiceStore(Database(tmp_path), tmp_path / "voices")
    made = store.add("a", name="Li", audio=wav(VOICE), consent=CONSENT)
    told, consent, audio = unpack(pack(made, store.reference(made)))
    assert (told["name"], consent) == ("Li", CONSENT)
    assert audio == store.reference(made).audio


def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.run("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(StateError, match="newer version"):
        Database(tmp_path)
