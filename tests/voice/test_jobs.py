"""Texts as long as books: chapters, progress, a restart in the middle, download, subtitles, cancel, webhook."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from aiohttp import web

from isoline_voice.api.app import create_app
from isoline_voice.errors import EngineUnavailableError
from isoline_voice.jobs.planning import chapters, spoken_sentences
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService
from isoline_voice.subtitles import Cue, subtitles, words_of
from isoline_voice.text.tags import check_tags

from .conftest import PIECE, RATE, FakeEngine
from .recordings import spoken, wav
from .waveforms import until as heard

PATH = "/v1/audio/jobs"
BOOK = "第一章 开始\n你好。再见。\n第二章\n今天天气很好！\n"


@contextlib.asynccontextmanager
async def studio(engine: FakeEngine, state: Path, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(SpeechService(engine), Settings(state=state, **settings))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://studio") as client,
    ):
        yield client


async def until(client: httpx.AsyncClient, job: str, *states: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = (await client.get(f"{PATH}/{job}")).json()
        if found["status"] in states:
            return found
        await asyncio.sleep(0.01)


async def finished(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"input": BOOK, **fields})
    assert answer.status_code == 202, answer.text
    return await until(client, answer.json()["id"], "succeeded", "failed", "cancelled")


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (BOOK, ["第一章 开始", "第二章"]),
        ("Before.\n\n# One\nText.\n## Two\nText.", ["", "One", "Two"]),
        ("CHAPTER 1\nIt was dark.\nChapter Two: Light\nIt was not.", ["CHAPTER 1", "Chapter Two: Light"]),
        ("No heading. Part of it is nothing special, and this part is long enough to show it.", [""]),
    ],
)
def test_headings_begin_chapters(text: str, titles: list[str]) -> None:
    assert [chapter.title for chapter in chapters(text)] == titles


def test_sentences_without_words_are_left_out_and_endless_ones_cut() -> None:
    assert [*spoken_sentences("……\n你好。\n***\n")] == ["你好。"]
    assert len([*spoken_sentences("words and more " * 500)]) > 10


def test_a_span_over_several_sentences_is_whole_in_each() -> None:
    text = "He said <strong>One. Two!</strong> And <laughter>three.\nFour.</laughter>"
    lines = [*spoken_sentences(text)]
    assert lines == [
        "He said <strong>One.</strong>",
        "<strong>Two!</strong>",
        "And <laughter>three.</laughter>",
        "<laughter>Four.</laughter>",
    ]
    for line in lines:
        check_tags(line)


def test_subtitles_are_written_as_players_read_them() -> None:
    cues = [Cue("A <b> & c\n\nd", 0.0, 1.5), Cue("你好", 3661.25, 3662.0)]
    assert subtitles(cues, "srt") == (
        "1\n00:00:00,000 --> 00:00:01,500\nA <b> & c d\n\n2\n01:01:01,250 --> 01:01:02,000\n你好\n\n"
    )
    assert subtitles(cues, "vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nA &lt;b&gt; &amp; c d\n\n")


def test_words_share_the_time_of_their_sentence() -> None:
    words = words_of(Cue("Hello, 世界 don't", 1.0, 2.0))
    assert [word.text for word in words] == ["Hello", "世", "界", "don't"]
    assert words[0].start == 1.0
    assert words[-1].end == pytest.approx(2.0)
    assert all(left.end == right.start for left, right in itertools.pairwise(words))


async def test_a_book_is_spoken_and_downloaded_by_chapter(engine: FakeEngine, tmp_path: Path) -> None:
    async with studio(engine, tmp_path) as client:
        job = await finished(client, instructions="用四川话")
        assert (job["status"], job["progress"], job["chapters"]) == ("succeeded", 1.0, ["第一章 开始", "第二章"])
        assert [warning["code"] for warning in job["warnings"]] == ["dialect_unsupported"]
        assert {request.priority for request in engine.requests} == {"batch"}
        at = f"{PATH}/{job['id']}"
        whole = (await client.get(f"{at}/audio", params={"response_format": "pcm"})).content
        assert len(whole) / 2 / RATE == pytest.approx(job["audio_seconds"], abs=0.01)
        second = (await client.get(f"{at}/audio", params={"response_format": "pcm", "chapter": 2})).content
        assert whole.endswith(second)
        assert second.startswith(PIECE)
        with av.open(io.BytesIO((await client.get(f"{at}/audio")).content)) as file:
            assert file.format.name == "mp3"
        told = (await client.get(f"{at}/timestamps")).json()
        assert [line["text"] for line in told["sentences"]] == [request.text for request in engine.requests]
        assert told["sentences"][0]["start"] == 0
        assert (await client.get(f"{at}/subtitles.srt")).text.startswith("1\n00:00:00,000 --> 00:00:00,100\n第一章")
        chapter = (await client.get(f"{at}/subtitles.vtt", params={"chapter": 2})).text
        assert "00:00:00.000" in chapter
        assert "你好" not in chapter
        assert (await client.delete(at)).json()["deleted"]
        assert (await client.get(at)).status_code == 404
        assert not list((tmp_path / "jobs").iterdir())
        assert (await client.get(PATH)).json()["data"] == []


async def test_a_recording_goes_with_the_job_and_is_deleted_with_it(engine: FakeEngine, tmp_path: Path) -> None:
    recording = base64.b64encode(wav(spoken(level=0.015))).decode()
    engine.gate.clear()
    async with studio(engine, tmp_path) as client:
        answer = await client.post(PATH, json={"input": BOOK, "ref_audio": recording, "ref_text": "秘密的话"})
        job = answer.json()["id"]
        await engine.begun.wait()
    engine.gate.set()
    async with studio(engine, tmp_path) as client:
        found = await until(client, job, "succeeded", "failed")
        assert found["status"] == "succeeded"
        assert "recording_quiet" in [warning["code"] for warning in found["warnings"]]
        assert len({request.reference for request in engine.requests}) == 1, "after a restart the same"
        reference = engine.requests[0].reference
        assert reference is not None
        assert reference.transcript == "秘密的话"
        assert holding(tmp_path, reference.audio[-2000:])
        await client.delete(f"{PATH}/{job}")
        for secret in (reference.audio[-2000:], "秘密的话".encode(), "今天天气很好".encode(), PIECE):
            assert holding(tmp_path, secret) == []


async def test_subtitles_show_what_is_said_and_no_markup(engine: FakeEngine, tmp_path: Path) -> None:
    async with studio(engine, tmp_path) as client:
        job = await finished(client, input="A **bold** <strong>move. [laughter] Really</strong>!")
        told = (await client.get(f"{PATH}/{job['id']}/timestamps")).json()
    assert [line["text"] for line in told["sentences"]] == ["A bold move.", "[laughter] Really!"]
    assert [word["text"] for word in told["words"]] == ["A", "bold", "move", "Really"]


async def test_what_a_job_ignores_is_said(engine: FakeEngine, tmp_path: Path) -> None:
    async with studio(engine, tmp_path) as client:
        job = await finished(client, instruction="slowly")
        assert [warning["code"] for warning in job["warnings"]] == ["unknown_field"]


def holding(folder: Path, secret: bytes) -> list[Path]:
    """The files in which some bytes can be found."""
    return [file for file in folder.rglob("*") if file.is_file() and secret in file.read_bytes()]


async def test_a_restart_goes_on_where_it_stopped(engine: FakeEngine, tmp_path: Path) -> None:
    text = "".join(f"Sentence number {number}.\n" for number in range(60))
    async with studio(engine, tmp_path) as client:
        job = (await client.post(PATH, json={"input": text})).json()["id"]
        await heard(lambda: len(engine.requests) >= 3)
        engine.gate.clear()
        await asyncio.sleep(0.05)
    before = len(engine.requests)
    assert before < 60
    engine.gate.set()
    async with studio(engine, tmp_path) as client:
        found = await until(client, job, "succeeded")
        whole = (await client.get(f"{PATH}/{job}/audio", params={"response_format": "pcm"})).content
    texts = [request.text for request in engine.requests]
    assert texts[before - 1] == texts[before], "the sentence that was cut off is spoken anew, and no other"
    assert len(texts) == 61
    assert len(whole) / 2 / RATE == pytest.approx(found["audio_seconds"], abs=0.01)
    assert whole.count(PIECE) == sum(math.ceil((len(line)) / 10) for line in text.splitlines())


async def test_an_engine_that_is_away_is_waited_for(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.refuse = EngineUnavailableError("Away.", retry_after=0.01)
    monkeypatch.setattr("isoline_voice.jobs.runner.FIRST_WAIT", 0.01)
    async with studio(engine, tmp_path) as client:
        job = (await client.post(PATH, json={"input": BOOK})).json()["id"]
        await heard(lambda: len(engine.requests) >= 3)
        engine.refuse = None
        assert (await until(client, job, "succeeded", "failed"))["status"] == "succeeded"


async def test_what_cannot_be_spoken_fails_with_the_reason(engine: FakeEngine, tmp_path: Path) -> None:
    async with studio(engine, tmp_path) as client:
        job = await finished(client, voice="nobody")
        assert job["status"] == "failed"
        assert (job["error"]["param"], job["error"]["code"]) == ("voice", "voice_not_found")
        audio = await client.get(f"{PATH}/{job['id']}/audio")
        assert (audio.status_code, audio.json()["error"]["code"]) == (409, "not_ready")


async def test_cancel_frees_the_engine(engine: FakeEngine, tmp_path: Path) -> None:
    engine.endless = True
    async with studio(engine, tmp_path) as client:
        job = (await client.post(PATH, json={"input": BOOK})).json()["id"]
        await engine.begun.wait()
        assert (await client.post(f"{PATH}/{job}/cancel")).json()["status"] == "cancelled"
        assert engine.active == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": "…"}, "input"),
        ({"chapters": [{"title": "One"}]}, "chapters"),
        ({"input": "Hello [boing]"}, "input"),
        ({"input": "Hello", "ref_audio": "no base64"}, "ref_audio"),
        ({"input": "Hello", "ref_audio": "aGVsbG8="}, "ref_audio"),
        ({"input": "Hello", "response_format": "midi"}, "response_format"),
        ({"input": "Hello", "webhook": "http://169.254.169.254/"}, "webhook"),
        ({"input": "Hello", "webhook": "file:///etc/passwd"}, "webhook"),
    ],
)
async def test_each_wrong_field_is_named(client: httpx.AsyncClient, fields: dict[str, Any], param: str) -> None:
    answer = await client.post(PATH, json=fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_wrong_chapter_is_named_by_its_number(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"chapters": [{"input": "One."}, {"title": "Two"}]})
    assert answer.json()["error"]["message"] == "Missing required parameter: 'chapters[1].input'."


async def test_the_webhook_gets_the_finished_job(engine: FakeEngine, tmp_path: Path) -> None:
    told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def hear(request: web.Request) -> web.Response:
        told.set_result(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/done", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with studio(engine, tmp_path, webhooks=("127.0.0.1",)) as client:
            job = await finished(client, webhook=f"http://127.0.0.1:{port}/done")
            assert await told == job
    finally:
        await runner.cleanup()
