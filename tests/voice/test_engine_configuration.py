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


def test_what_the_types_refuse_hides_nothing_else(tmp_path: Path) -> None:
    text = """
        colour = "blue"
        [[engine]]
        kind = "gpu"
        urls = ["http://gpu"]
        key_from = "NO_SUCH_KEY"
        [[engine.voice]]
        id = "a"
        recording = "no.wav"
        [[engine]]
        kind = "vllm"
        urls = ["gpu:8000/v1"]
        slots = 0
        mirror = "modelscope"
        [[engine.voice]]
        id = "NOT AN ID"
        recording = "lili.wav"
        [[engine.voice]]
        recording = "also-no.wav"
        transcript = "What is said."
        [[engine]]
        kind = "sglang"
        slot = 3
        [[engine]]
        kind = "cosyvoice"
        workers = "many"
        """
    with pytest.raises(ConfigurationError) as refused:
        load_engines(written(tmp_path, text))
    told = refused.value.message.removeprefix(f"{tmp_path / 'engines.toml'}: ").removesuffix(".").split("; ")
    assert sorted(fault.partition(":")[0] for fault in told) == [
        "colour",
        "engine[0].key_from",
        "engine[0].kind",
        "engine[0].voice[0].recording",
        "engine[1].mirror",
        "engine[1].slots",
        "engine[1].urls[0]",
        "engine[1].voice[0].id",
        "engine[1].voice[0].transcript",
        "engine[1].voice[1].id",
        "engine[1].voice[1].recording",
        "engine[2].slot",
        "engine[2].urls",
        "engine[3].model",
        "engine[3].workers",
    ]


@pytest.mark.parametrize("text", ["engine = 5", "engine = [5]", "[engine]", "engine = []", "[[engine]]\nvoice = 5"])
def test_whatever_stands_where_engines_belong_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="engine"):
        load_engines(written(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "engines.toml"
    path.write_bytes("[[engine]]\nkind = '声'".encode("gb18030"))
    with pytest.raises(ConfigurationError, match=r"engines\.toml"):
        load_engines(path)
