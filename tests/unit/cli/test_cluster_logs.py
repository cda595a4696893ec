"""Logs of a cluster are those of the pods that a Deployment selects. The API server here is a small fake of our own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from isoline.cli.cluster_console import Background
from isoline.cli.cluster_logs import pod_logs
from isoline.cli.errors import FoundWrongError
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.identities import Fixed
from isoline.console.wire import LogRecord

LINES = "2026-05-01T12:00:00.123456789Z first\n2026-05-01T12:00:01Z second: with words\n"


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and what was asked of it for logs."""
    asked: list[str] = []

    async def deployment(request: web.Request) -> web.Response:
        if request.match_info["name"] != "voice":
            return web.json_response({"message": "not found", "reason": "NotFound"}, status=404)
        return web.json_response({"spec": {"selector": {"matchLabels": {"app": "voice"}}}})

    async def pods(request: web.Request) -> web.Response:
        assert request.query["labelSelector"] == "app=voice"
        found = [{"metadata": {"name": f"voice-{n}"}, "spec": {"containers": [{"name": "main"}]}} for n in (1, 2)]
        return web.json_response({"items": found})

    async def log(request: web.Request) -> web.Response:
        asked.append(f"{request.match_info['pod']}?{request.query_string}")
        return web.Response(text=LINES)

    app = web.Application()
    app.router.add_get("/apis/apps/v1/namespaces/ns/deployments/{name}", deployment)
    app.router.add_get("/api/v1/namespaces/ns/pods", pods)
    app.router.add_get("/api/v1/namespaces/ns/pods/{pod}/log", log)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def lines_of(address: str, **query: str | None) -> list[LogRecord]:
    def read() -> list[LogRecord]:
        background = Background()
        try:
            connection = Connection(server=address, identity=Fixed())
            return list(pod_logs(background, connection, {"namespace": "ns", "name": "voice", **query}))
        finally:
            background.close()

    return await asyncio.to_thread(read)


async def test_every_pod_tells_its_lines_with_their_times(server: tuple[str, list[str]]) -> None:
    address, _ = server
    records = await lines_of(address)
    assert [(each.replica, each.container, each.text) for each in records] == [
        (replica, "main", text) for replica in ("voice-1", "voice-2") for text in ("first", "second: with words")
    ]
    assert records[0].at == pytest.approx(1777636800.123456)
    assert records[1].at == 1777636801.0


async def test_what_is_asked_for_is_asked_of_the_server(server: tuple[str, list[str]]) -> None:
    address, asked = server
    await lines_of(address, replica="voice-2", tail="5", since="1777636800.0", follow="true")
    (question,) = asked
    assert question.startswith("voice-2?container=main&timestamps=true&follow=true&tailLines=5&sinceTime=2026-05-01T12")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"name": "none"}, "there is no app or deployment ns/none"),
        ({"replica": "x"}, "has no replica x; there are: voice-1, voice-2"),
    ],
)
async def test_what_is_not_there_is_told(server: tuple[str, list[str]], query: dict[str, str], words: str) -> None:
    with pytest.raises(FoundWrongError, match=words):
        await lines_of(server[0], **query)
