"""CosyVoice's page at /gradio: what axe-core finds there is Gradio's own, and nothing comes from another host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_FILE_PATH  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, expect

# Gradio's statistics set an option that this pandas calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")

GRADIOS_OWN = {"aria-prohibited-attr": 'aria-label="Empty value"'}
"""What an output that is still empty is called, on an element that may have no name."""
STILL = "* { transition: none !important; animation: none !important; }"
"""A colour on its way to another is no colour to judge."""
RUN = """async (options) => (await axe.run(document, options)).violations
    .map(({ id, nodes }) => [id, nodes.map((node) => node.html)])"""


def found(page: Page) -> list[str]:
    """What axe-core finds in light colours, and of colours in dark ones, without what is known of Gradio."""
    faults = []
    for dark, options in ((False, {}), (True, {"runOnly": ["color-contrast"]})):
        page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
        for rule, places in page.evaluate(RUN, options):
            known = GRADIOS_OWN.get(rule)
            faults += [f"{rule}: {place}" for place in places if known is None or known not in place]
    return faults


def test_nothing_of_ours_is_found_before_and_after_it_speaks(context: BrowserContext, studio_url: str) -> None:
    page = context.new_page()
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((studio_url, "data:", "blob:")) else elsewhere.append(request.url)
        ),
    )
    page.goto(f"{studio_url}/gradio/", timeout=60_000)
    generate = page.get_by_role("button", name="生成音频")
    expect(generate).to_be_visible(timeout=60_000)  # Gradio is loaded for whoever asks first
    page.add_style_tag(content=STILL)
    page.evaluate(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
    assert found(page) == []

    generate.click()
    expect(page.locator("#duration")).to_have_text(re.compile("0:0[1-9]"), timeout=60_000)
    assert found(page) == []
    assert elsewhere == []
