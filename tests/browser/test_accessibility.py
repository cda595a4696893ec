"""axe-core finds nothing: in each state of the page, in both languages, light and dark, wide and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def violations(page: Page) -> list[str]:
    """Each violation with the elements that it is about."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


def state(page: Page, name: str) -> None:
    page.wait_for_function("name => document.body.dataset.state === name", arg=name)


class TestInEachLanguage:
    @pytest.fixture(params=["en-GB", "zh-CN"])
    def locale(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1100])
    def test_nothing_is_found_from_the_first_moment_to_the_last(self, page: Page, scheme: str, width: int) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == []
        page.locator("#text").fill(" ")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#text-error")).to_be_visible()
        assert violations(page) == []
        page.locator("#text").fill("你好。再见。")
        page.locator("#how").fill("用四川话，zzzz")
        expect(page.locator("#understood .unsure").first).to_be_visible()
        page.keyboard.press("Control+Enter")
        state(page, "done")
        expect(page.locator("#warnings li").first).to_be_visible()
        assert violations(page) == []

    def test_nothing_is_found_while_it_speaks_and_when_it_fails(self, page: Page) -> None:
        page.locator("#text").fill("The quick brown fox jumps over the lazy dog. " * 50)
        page.keyboard.press("Control+Enter")
        state(page, "speaking")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.evaluate("document.getElementById('voice').append(new Option('Nobody', 'nobody'))")
        page.locator("#voice").select_option("nobody")
        page.keyboard.press("Control+Enter")
        state(page, "failed")
        assert violations(page) == []
