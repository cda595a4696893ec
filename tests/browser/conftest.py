"""Debian's Chromium, headless, at a studio that really speaks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from isoline_voice.speech import SpeechService
from voice.conftest import serving
from voice.recordings import spoken, wav

PATIENCE_MS = 60_000
"""Much longer than anything takes, for a machine that has other things to do."""
expect.set_options(timeout=PATIENCE_MS)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@pytest.fixture(scope="session")
def studio_url() -> Iterator[str]:
    """Loopback counts as a secure context, so that AudioWorklet is there."""
    with serving(SpeechService(workers=1)) as url:
        yield url


@pytest.fixture(scope="session")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that can be used; it is also what the microphone hears, over and over."""
    file = tmp_path_factory.mktemp("voice") / "voice.wav"
    file.write_bytes(wav(spoken()))
    return file


@pytest.fixture(scope="module")
def browser(voice_file: Path) -> Iterator[Browser]:
    """One for a module and no longer: while Playwright is up, its event loop counts as this thread's running one."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=PATIENCE_MS,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={voice_file}"],
        )
        yield browser
        browser.close()


@pytest.fixture
def locale() -> str:
    """The browser's language; a test may override it."""
    return "en-GB"


@pytest.fixture
def context(browser: Browser, locale: str) -> Iterator[BrowserContext]:
    with browser.new_context(locale=locale, viewport={"width": 1100, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


def opened(context: BrowserContext, url: str) -> Page:
    """The studio's page, ready."""
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("() => document.querySelectorAll('#voice option').length > 1")
    return page


@pytest.fixture
def page(context: BrowserContext, studio_url: str) -> Iterator[Page]:
    """The studio's page; whatever the console complains about, also about the policy, fails the test."""
    complaints: list[str] = []
    context.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield opened(context, studio_url)
    assert complaints == []


def state(page: Page, *names: str) -> None:
    """Wait until the speech on the page is in one of the states."""
    page.wait_for_function("names => names.includes(document.body.dataset.state)", arg=list(names))


def frames(page: Page) -> int:
    """How many samples were heard."""
    return int(page.evaluate("document.body.dataset.frames"))


def choose_mode(page: Page, name: str) -> None:
    """One of the four modes, by its name."""
    page.get_by_role("radio", name=name).check()
