"""axe-core finds nothing: in each state of each page, in both languages, light and dark, wide and on a phone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.base import AXE_FILE_PATH  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, expect

from isoline_voice.settings import Client
from isoline_voice.speech import SpeechService
from voice.conftest import FakeEngine, serving
from voice.recordings import RATE, wav

from .conftest import state

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEME_RULES = ["color-contrast", "target-size"]
"""What may differ when the colours and the width do."""

RUN = """async (options) => (await axe.run(document, options)).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)"""


def assert_nothing_found(page: Page) -> None:
    """On a phone in light colours by every rule; wide and dark by those to which it can matter."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    # So tall that nothing is behind the buttons that stay at the bottom: axe takes what is half behind them for small.
    page.set_viewport_size({"width": 360, "height": 3000})
    assert page.evaluate(RUN, {"runOnly": TAGS}) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": 1100, "height": 800})
    assert page.evaluate(RUN, {"runOnly": {"type": "rule", "values": SCHEME_RULES}}) == []


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    lab = Client(name="lab", key_sha256=hashlib.sha256(b"secret").digest())
    with serving(SpeechService(FakeEngine()), clients=(lab,)) as url:
        yield url


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    file = tmp_path / "silence.wav"
    file.write_bytes(wav(np.zeros(RATE * 4)))
    return file


@pytest.fixture(params=["en-GB", "zh-CN"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_nothing_is_found_from_the_first_moment_to_the_last(page: Page) -> None:
    assert_nothing_found(page)
    page.locator("#text").fill(" ")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#text-error")).to_be_visible()
    page.locator("#how").fill("用四川话，zzzz")
    expect(page.locator("#wishes > li")).to_have_count(2)
    page.locator(".more summary").first.click()
    assert_nothing_found(page)
    page.locator("#text").fill("你好。")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    expect(page.locator("#warnings li").first).to_be_visible()
    assert_nothing_found(page)


def test_nothing_is_found_while_it_speaks_and_when_it_fails(page: Page) -> None:
    page.locator("#text").fill("The quick brown fox jumps over the lazy dog. " * 50)
    page.keyboard.press("Control+Enter")
    state(page, "speaking")
    assert_nothing_found(page)
    page.keyboard.press("Escape")
    page.evaluate("document.getElementById('voice').append(new Option('Nobody', 'nobody'))")
    page.locator("#voice").select_option("nobody")
    page.keyboard.press("Control+Enter")
    state(page, "failed")
    assert_nothing_found(page)


def test_nothing_is_found_in_the_recorder(page: Page, silence: Path) -> None:
    page.locator("input[name=mode][value=zero_shot]").check()
    page.locator("#recorder .record").click()
    expect(page.locator("#recorder .level-words")).to_contain_text("·")
    assert_nothing_found(page)
    page.locator("#recorder .record").click()
    expect(page.locator("#recorder audio")).to_be_visible()
    page.locator("#recorder input[type=file]").set_input_files(silence)
    expect(page.locator("#recorder .findings li.error")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#transcript-error")).to_be_visible()
    assert_nothing_found(page)


def test_nothing_is_found_on_the_page_of_voices(page: Page, voice_file: Path, locale: str) -> None:
    page.locator('a[href="#voices"]').click()
    page.locator("#voice-form button[type=submit]").click()
    assert_nothing_found(page)
    page.locator("#voice-recorder input[type=file]").set_input_files(voice_file)
    expect(page.locator("#voice-recorder audio")).to_be_visible()
    page.locator("#voice-name").fill(f"axe {locale}")
    page.locator("#consent-by").fill("Li Hua")
    page.locator("#add-voice").click()
    name = page.locator("#own-voices h3").filter(has_text=f"axe {locale}").get_attribute("id")
    voice = page.locator("#own-voices > li").filter(has=page.locator(f"#{name}"))
    voice.get_by_role("button").nth(1).click()
    page.locator("#view-voices .more summary").click()
    assert_nothing_found(page)
    voice.get_by_role("button").last.click()
    expect(page.locator("#confirm")).to_be_visible()
    assert_nothing_found(page)


def test_nothing_is_found_on_the_pages_of_jobs_and_history(page: Page) -> None:
    page.locator("#text").fill("你好。")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    page.locator(".more summary").first.click()
    page.locator("#as-job").click()
    expect(page.locator("#job-list > li select").first).to_be_visible()
    assert_nothing_found(page)
    page.locator('a[href="#history"]').click()
    expect(page.locator("#history-list > li")).to_have_count(1)
    assert_nothing_found(page)


@pytest.mark.parametrize("locale", ["en-GB"])  # it is in English
def test_nothing_is_found_on_the_page_of_the_api(page: Page) -> None:
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="POST /v1/audio/speech Speak a text")).to_be_visible()
    assert_nothing_found(page)
    page.get_by_role("link", name="GET /v1/usage").click()
    expect(page.get_by_role("heading", name="GET /v1/usage")).to_be_in_viewport()


def test_nothing_is_found_when_a_key_is_asked_for(context: BrowserContext, guarded_url: str) -> None:
    page = context.new_page()
    page.goto(guarded_url)
    page.locator("#key-form button").click()
    expect(page.locator("#key-error")).to_be_visible()
    assert_nothing_found(page)
