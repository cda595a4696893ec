"""Debian's Chromium, headless, at a studio that really speaks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from isoline_voice.speech import SpeechService
from voice.conftest import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def studio_url() -> Iterator[str]:
    """Loopback counts as a secure context, so that AudioWorklet is there."""
    with serving(SpeechService(workers=1)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module and no longer: while Playwright is up, its event loop counts as this thread's running one."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def locale() -> str:
    """The browser's language; a test may override it."""
    return "en-GB"


@pytest.fixture
def context(browser: Browser, locale: str) -> Iterator[BrowserContext]:
    with browser.new_context(locale=locale, viewport={"width": 1100, "height": 900}) as context:
        context.set_default_timeout(15_000)
        yield context


@pytest.fixture
def page(context: BrowserContext, studio_url: str) -> Iterator[Page]:
    """The studio's page; whatever the console complains about, also about the policy, fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(studio_url)
    page.wait_for_function("() => document.querySelectorAll('#voice option').length > 1")
    yield page
    assert complaints == []
