"""The model's files come whole or not at all: from a server of ours with every fault that servers and lines have."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from isoline_voice.errors import InvalidRequestError
from isoline_voice.models.download import TRIES, Progress, download
from isoline_voice.models.files import MODEL, NEEDED, ModelFile, missing, unfinished
from isoline_voice.models.mirrors import HUGGING_FACE, MODELSCOPE, DownloadError, Mirror, mirror_of

LARGE = "llm.pt"
CONTENTS = {
    **{name: name.encode() * 50 for name in NEEDED if name != "CosyVoice-BlankEN"},
    LARGE: bytes(range(256)) * 4096,
    "CosyVoice-BlankEN/config.json": b"{}",
    "README.md": b"not needed",
}


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


@dataclass
class ModelServer:
    """Answers as Hugging Face or ModelScope do; `ranges` are what was asked for of LARGE, "" for the whole.

    `cut_after` closes the connection after so many bytes of LARGE, `cuts` times; `wrong` sends so many times another
    content for LARGE; `whole` does not know ranges; `busy` answers 503 so often; `lacks` leaves a file out.
    """

    kind: str = HUGGING_FACE
    cut_after: int = 0
    cuts: int = 0
    wrong: int = 0
    whole: bool = False
    busy: int = 0
    lacks: str = ""
    refuses: int = 0
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Mirror]:
        app = web.Application()
        app.add_routes(
            [
                web.get(f"/api/models/{MODEL}/tree/main", self._list),
                web.get(f"/{MODEL}/resolve/main/{{path:.*}}", self._content),
                web.get(f"/api/v1/models/{MODEL}/repo/files", self._list),
                web.get(f"/api/v1/models/{MODEL}/repo", self._content),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Mirror(f"http://127.0.0.1:{runner.addresses[0][1]}", self.kind)
        finally:
            await runner.cleanup()

    async def _list(self, _request: web.Request) -> web.Response:
        if self.busy:
            self.busy -= 1
            return web.Response(status=503)
        names = [name for name in CONTENTS if name != self.lacks]
        if self.kind == MODELSCOPE:
            folder = {"Path": "CosyVoice-BlankEN", "Type": "tree", "Size": 0}
            return web.json_response({"Code": 200, "Data": {"Files": [folder, *map(_as_modelscope_says, names)]}})
        return web.json_response(
            [{"type": "directory", "path": "asset", "size": 0}, *map(_as_hugging_face_says, names)]
        )

    async def _content(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info.get("path") or request.query["FilePath"]
        self.asked.append(path)
        if self.refuses:
            return web.Response(status=self.refuses)
        content = CONTENTS[path]
        if path == LARGE:
            self.ranges.append(request.headers.get("Range", ""))
            if self.wrong:
                self.wrong -= 1
                content = content[:-1] + b"\0"
        begin = 0 if self.whole else (request.http_range.start or 0)
        head = {"Content-Length": str(len(content) - begin)}
        if begin:
            head["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        answer = web.StreamResponse(status=206 if begin else 200, headers=head)
        await answer.prepare(request)
        if path == LARGE and self.cuts:
            self.cuts -= 1
            await answer.write(content[begin : begin + self.cut_after])
            assert request.transport is not None
            request.transport.close()  # what is written is sent before
            return answer
        await answer.write(content[begin:])
        return answer


def _as_modelscope_says(name: str) -> dict[str, Any]:
    content = CONTENTS[name]
    return {"Path": name, "Type": "blob", "Size": len(content), "Sha256": hashlib.sha256(content).hexdigest()}


def _as_hugging_face_says(name: str) -> dict[str, Any]:
    """Large files by their SHA-256, small ones by the name that git has for them."""
    content = CONTENTS[name]
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content)}
    if name == LARGE:
        return {**entry, "oid": "0" * 40, "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}}
    return {**entry, "oid": hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()}


async def fetched(server: ModelServer, folder: Path) -> list[Progress]:
    """What was told of its progress."""
    told: list[Progress] = []
    async with server.running() as mirror:
        await download(folder, mirror, report=told.append, first_pause=0.001)
    return told


def whole(folder: Path) -> bool:
    kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return kept == {name: content for name, content in CONTENTS.items() if name != "README.md"}


@pytest.mark.parametrize("kind", [HUGGING_FACE, MODELSCOPE])
async def test_a_model_comes_whole_and_its_progress_is_told(kind: str, tmp_path: Path) -> None:
    told = await fetched(ModelServer(kind), tmp_path)

    assert whole(tmp_path)
    assert missing(tmp_path) == []
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1].share == 1


async def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    await fetched(ModelServer(), tmp_path)
    again = ModelServer()
    assert await fetched(again, tmp_path) == []
    assert again.asked == []


async def test_a_cut_line_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    server = ModelServer(cut_after=300_000, cuts=2)
    await fetched(server, tmp_path)

    assert whole(tmp_path)
    begins = [int(asked.removeprefix("bytes=").removesuffix("-") or 0) for asked in server.ranges]
    assert len(begins) == 3
    assert begins[0] == 0
    assert 0 < begins[1] < begins[2]


async def test_a_download_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    stopped = ModelServer(cut_after=300_000, cuts=1, refuses=0)

    def stop(progress: Progress) -> None:
        if progress.done > 200_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with stopped.running() as mirror:
            await download(tmp_path, mirror, report=stop)
    assert missing(tmp_path) == [*NEEDED], "it is not whole while the mark is there"

    server = ModelServer()
    await fetched(server, tmp_path)
    assert whole(tmp_path)
    assert server.ranges[0].startswith("bytes=")


async def test_a_server_that_knows_no_ranges_sends_the_whole_again(tmp_path: Path) -> None:
    await fetched(ModelServer(cut_after=300_000, cuts=1, whole=True), tmp_path)
    assert whole(tmp_path)


async def test_another_content_is_fetched_again_and_refused_the_second_time(tmp_path: Path) -> None:
    await fetched(ModelServer(wrong=1), tmp_path / "once")
    assert whole(tmp_path / "once")

    with pytest.raises(DownloadError, match=r"llm\.pt has another checksum.*another mirror"):
        await fetched(ModelServer(wrong=2), tmp_path / "twice")
    assert not (tmp_path / "twice" / LARGE).exists()
    assert not (tmp_path / "twice" / f"{LARGE}.part").exists()


async def test_a_part_of_something_else_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / f"{LARGE}.part").write_bytes(b"\0" * 1000)
    await fetched(ModelServer(), tmp_path)
    assert whole(tmp_path)


async def test_a_busy_server_is_asked_again_and_a_dead_one_given_up(tmp_path: Path) -> None:
    await fetched(ModelServer(busy=2), tmp_path / "busy")
    assert whole(tmp_path / "busy")

    with pytest.raises(DownloadError, match=r"the list of files did not come from .*: it answered 503"):
        await fetched(ModelServer(busy=TRIES), tmp_path / "dead")


async def test_what_a_server_refuses_is_not_asked_again(tmp_path: Path) -> None:
    server = ModelServer(refuses=403)
    with pytest.raises(DownloadError, match="it answered 403"):
        await fetched(server, tmp_path)
    assert len(server.asked) == 1


async def test_a_mirror_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"does not have flow\.pt"):
        await fetched(ModelServer(lacks="flow.pt"), tmp_path)


async def test_without_room_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(10_000, 9_000, 1_000))
    server = ModelServer()
    with pytest.raises(DownloadError, match=r"room for 0\.00 GB, and 0\.00 GB are to come: make room"):
        await fetched(server, tmp_path)
    assert server.asked == []


async def test_a_disk_that_gets_full_is_said_and_what_has_come_stays(tmp_path: Path) -> None:
    def fill(progress: Progress) -> None:
        if progress.done > 200_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    async with ModelServer(cut_after=300_000, cuts=1).running() as mirror:
        with pytest.raises(DownloadError, match=r"is full: make room and start again; what has come stays"):
            await download(tmp_path, mirror, report=fill)
    assert (tmp_path / f"{LARGE}.part").stat().st_size > 0

    await fetched(ModelServer(), tmp_path)
    assert whole(tmp_path)


async def test_of_two_processes_one_downloads_and_the_other_waits(tmp_path: Path) -> None:
    server = ModelServer()
    async with server.running() as mirror:
        both = (download(tmp_path, mirror, report=lambda _: None) for _ in range(2))
        await asyncio.gather(*both)
    assert whole(tmp_path)
    assert server.ranges == [""]


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", ""])
async def test_no_path_leads_out_of_the_folder(path: str) -> None:
    mirror = Mirror("http://mirror", HUGGING_FACE)
    with pytest.raises(DownloadError, match="no list of files"):
        mirror.files([{"type": "file", "path": path, "size": 1, "oid": "0" * 40}])


@pytest.mark.parametrize("listing", [{}, [], "no", [{"type": "file"}], [{"type": "file", "path": "a", "size": "x"}]])
def test_a_list_that_is_none_is_said(listing: Any) -> None:
    with pytest.raises(DownloadError, match="http://mirror"):
        Mirror("http://mirror", HUGGING_FACE).files(listing)


@pytest.mark.parametrize(
    ("told", "listing"),
    [
        ("modelscope", f"https://modelscope.cn/api/v1/models/{MODEL}/repo/files?Revision=master&Recursive=true"),
        ("huggingface", f"https://huggingface.co/api/models/{MODEL}/tree/main?recursive=true"),
        ("https://mirror.example/hf/", f"https://mirror.example/hf/api/models/{MODEL}/tree/main?recursive=true"),
    ],
)
def test_a_mirror_is_a_name_or_an_address(told: str, listing: str) -> None:
    assert mirror_of(told).listing(MODEL) == listing


def test_what_is_no_mirror_is_said_with_what_is() -> None:
    with pytest.raises(InvalidRequestError, match=r"modelscope, huggingface, or the URL"):
        mirror_of("ftp://mirror")


def test_a_path_is_quoted_as_each_mirror_wants_it() -> None:
    file = ModelFile(PurePosixPath("CosyVoice-BlankEN/a b.json"), 1)
    assert mirror_of("huggingface").content(MODEL, file).endswith("/resolve/main/CosyVoice-BlankEN/a%20b.json")
    assert mirror_of("modelscope").content(MODEL, file).endswith("&FilePath=CosyVoice-BlankEN%2Fa%20b.json")


def test_the_mark_of_a_download_is_a_file_that_no_model_has(tmp_path: Path) -> None:
    assert unfinished(tmp_path).name not in CONTENTS


async def test_the_program_fetches_and_says_where_it_is(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("isoline-voice")
    async with ModelServer().running() as mirror:
        arguments = ("fetch", str(tmp_path / "model"), "--mirror", mirror.address)
        run = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        said, _ = await run.communicate()
    assert run.returncode == 0
    assert "is whole" in said.decode()
    assert whole(tmp_path / "model")
