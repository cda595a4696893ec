"""CosyVoice3 before its files are there: told, downloaded while others speak, loaded when whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from isoline_voice.configuration import engines_of
from isoline_voice.engines.configuration import ConfigurationError
from isoline_voice.engines.cosyvoice.fetched import FetchedCosyVoice
from isoline_voice.engines.protocol import SpeechRequest
from isoline_voice.errors import EngineUnavailableError
from isoline_voice.models.files import NEEDED
from isoline_voice.models.mirrors import Mirror
from isoline_voice.settings import Settings

from .test_engine_cosyvoice import LILI, SOURCE, STAND_IN
from .test_model_download import ModelServer

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{STAND_IN}{os.pathsep}{SOURCE}"}
GREETING = SpeechRequest(text="你好。", voice="lili")


@contextlib.asynccontextmanager
async def started(folder: Path, mirror: Mirror) -> AsyncIterator[FetchedCosyVoice]:
    engine = FetchedCosyVoice(str(folder), [LILI], mirror=mirror, environment=ENVIRONMENT, again=0.05)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def until_health(engine: FetchedCosyVoice, words: str) -> None:
    async with asyncio.timeout(30):
        while words not in (await engine.health()).detail:  # noqa: ASYNC110 - what is asked for is a sentence
            await asyncio.sleep(0.01)


async def test_the_model_comes_is_loaded_and_speaks(tmp_path: Path) -> None:
    server = ModelServer(cut_after=300_000, cuts=1)
    async with server.running() as mirror, started(tmp_path / "model", mirror) as engine:
        assert not (await engine.health()).ok
        with pytest.raises(EngineUnavailableError, match="CosyVoice3 is not ready"):
            await engine.speak(GREETING)

        await until_health(engine, "the model is loaded")
        speech = await engine.speak(GREETING)
        assert b"".join([piece async for piece in speech.pieces])


async def test_a_download_that_fails_is_told_and_begun_again(tmp_path: Path) -> None:
    server = ModelServer(refuses=403)
    async with server.running() as mirror, started(tmp_path / "model", mirror) as engine:
        await until_health(engine, "it answered 403. What has come stays; it is tried again")
        server.refuses = 0
        await until_health(engine, "the model is loaded")


async def test_a_model_that_is_there_is_loaded_without_asking_anybody(tmp_path: Path) -> None:
    for name in NEEDED:
        (tmp_path / name).touch()
    async with started(tmp_path, Mirror("http://127.0.0.1:9", "huggingface")) as engine:
        await until_health(engine, "the model is loaded")


def test_a_model_is_named_by_its_folder_and_perhaps_a_mirror(tmp_path: Path) -> None:
    engine = engines_of(Settings(model=tmp_path / "to come", mirror="modelscope"))
    assert engine is not None
    assert engine.name == "cosyvoice"
    assert "english-us-female" in {voice.id for voice in engine.voices()}, "the embedded engine speaks meanwhile"


@pytest.mark.parametrize(
    ("mirror", "words"),
    [(None, r"^model: the folder of CosyVoice3's files"), ("nowhere", r"^mirror: 'nowhere' is no mirror: say")],
)
def test_what_is_wrong_with_them_is_said(tmp_path: Path, mirror: str | None, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        engines_of(Settings(model=tmp_path / "to come", mirror=mirror))
