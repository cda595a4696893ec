"""Where a gateway puts the studio under a path, and where the operator has given out keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from isoline_voice.settings import Client
from isoline_voice.speech import SpeechService
from voice.conftest import FakeEngine, serving

from .conftest import frames, opened, state

PREFIX = "/team/studio"


def under_a_path(app: ASGIApp) -> ASGIApp:
    """Takes the prefix off, as a gateway does, and says so; knows nothing elsewhere."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            assert scope["path"].startswith(PREFIX), f"asked for {scope['path']}"
            path = scope["path"].removeprefix(PREFIX) or "/"
            headers = [*scope["headers"], (b"x-forwarded-prefix", PREFIX.encode())]
            scope = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
        await app(scope, receive, send)

    return gateway


@pytest.fixture(scope="module")
def prefixed_url() -> Iterator[str]:
    with serving(SpeechService(FakeEngine()), behind=under_a_path) as url:
        yield url + PREFIX


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    lab = Client(name="lab", key_sha256=hashlib.sha256(b"secret").digest())
    with serving(SpeechService(FakeEngine()), clients=(lab,)) as url:
        yield url


def test_under_a_path_with_no_slash_everything_is_found(context: BrowserContext, prefixed_url: str) -> None:
    sockets: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda socket: sockets.append(socket.url)))
    page = opened(context, prefixed_url)
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    assert frames(page) > 0.2 * 24_000
    assert sockets == [prefixed_url.replace("http:", "ws:") + "/v1/audio/speech/stream"]
    page.get_by_role("link", name="Voices").click()
    expect(page.get_by_role("heading", name="Voices", exact=True)).to_be_focused()
    assert page.url == f"{prefixed_url}#voices"


def test_a_key_is_asked_for_and_goes_with_everything(context: BrowserContext, guarded_url: str) -> None:
    page = context.new_page()
    page.goto(guarded_url)
    field = page.get_by_label("Your key")
    expect(field).to_be_focused()
    field.fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not know this key")
    field.fill("secret")
    page.keyboard.press("Enter")
    expect(field).to_be_hidden()
    page.wait_for_function("() => document.querySelectorAll('#voice option').length > 1")
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    assert frames(page) > 0.2 * 24_000  # over the WebSocket: the fallback counts in thousands
    with page.expect_download():
        page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="Forget the key").click()
    expect(field).to_be_visible()
