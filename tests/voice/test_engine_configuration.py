"""The file that names the engines."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from isoline_voice.engines.configuration import ConfigurationError, load_engines
from isoline_voice.engines.protocol import SpeechRequest
from isoline_voice.speech import SpeechService
from voice.conftest import tone
from voice.speech_servers import SpeechServer


def written(folder: Path, text: str) -> Path:
    with wave.open(str(folder / "lili.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(tone(1.0))
    path = folder / "engines.toml"
    path.write_text(text)
    return path


async def test_the_first_engine_that_can_speaks_and_is_named(tmp_path: Path) -> None:
    server = SpeechServer("sglang")
    async with server.running():
        path = written(
            tmp_path,
            f"""
            [[engine]]
            kind = "sglang"
            urls = ["{server.url}"]
            slots = 2
            [[engine.voice]]
            id = "lili"
            recording = "lili.wav"
            transcript = "你好。"
            [[engine]]
            kind = "embedded"
            workers = 1
            """,
        )
        service = SpeechService(load_engines(path))
        await service.start()
        try:
            assert [voice.id for voice in service.voices()][:2] == ["lili", "mandarin-female"]
            cloned = await service.speak(SpeechRequest("你好", voice="lili"))
            await cloned.aclose()
            other = await service.speak(SpeechRequest("你好", voice="alloy"))
            assert [piece async for piece in other.pieces]
            server.refuse = 503
            later = await service.speak(SpeechRequest("你好", voice="lili"))
            await later.aclose()
        finally:
            await service.stop()
    assert cloned.voice.engine == "sglang"
    assert [speech.voice.engine for speech in (other, later)] == ["embedded", "embedded"]
    assert other.warnings == (), "another engine's voice is no reason to complain"
    assert [warning.code for warning in later.warnings] == ["engine_fallback", "voice_substituted"]
    assert later.voice.id == "mandarin-female"


async def test_one_engine_needs_no_fallback(tmp_path: Path) -> None:
    assert load_engines(written(tmp_path, '[[engine]]\nkind = "embedded"')).name == "embedded"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"engine: Field required"),
        ("[[engine]", "engines.toml"),
        ('[[engine]]\nkind = "gpu"', r"engine\[0\]\.kind"),
        ('[[engine]]\nkind = "sglang"', r"engine\[0\]\.urls: sglang needs"),
        ('[[engine]]\nkind = "sglang"\nurls = ["gpu:8000/v1"]', r"engine\[0\]\.urls\[0\]"),
        ('[[engine]]\nkind = "embedded"\nurls = ["http://gpu"]', "leave it out"),
        ('[[engine]]\nkind = "embedded"\nslot = 3\nworkers = 0', r"workers.*slot|slot.*workers"),
        ('[[engine]]\nkind = "cosyvoice"\nmodel = "/nowhere"', r"engine\[0\]\.model"),
        ('[[engine]]\nkind = "vllm"\nurls = ["http://gpu"]\nkey_from = "NO_SUCH_KEY"', "NO_SUCH_KEY"),
        (
            '[[engine]]\nkind = "vllm"\nurls = ["http://gpu"]\n[[engine.voice]]\nid = "x"\nrecording = "no.wav"',
            r"recording: there is no file no\.wav; engine\[0\]\.voice\[0\]\.transcript",
        ),
    ],
)
def test_everything_that_is_wrong_is_said_with_its_path(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_engines(written(tmp_path, text))
