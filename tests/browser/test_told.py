"""What a screen reader is told and finds, and what the page asks of the network."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect

from .conftest import opened, state

NEVER_ANSWERS = "window.WebSocket = class { close() {} send() {} }"
LISTEN = """() => {
    window.told = [];
    const status = document.getElementById("status");
    new MutationObserver(() => window.told.push(status.textContent)).observe(status, { childList: true });
}"""
LARGEST_TRANSFER = 150_000

TREES = {
    "en-GB": {
        "speak": """
            - heading "Speak" [level=2]
            - group "Mode":
              - radio "In your own words 自然语言控制" [checked]
              - radio "Preset voice 预训练音色"
              - radio "A voice from 3 s 3s极速复刻"
              - radio "A voice in another language 跨语种复刻"
            - textbox "Text"
            - textbox "How to say it"
            - group "Examples of how to say it"
            - combobox "Voice"
            - slider "Speed"
            - button "Speak"
            - button "Stop" [disabled]
            """,
        "voices": """
            - heading "Voices" [level=2]
            - button "Import a voice…"
            - form "Add a voice":
              - group "Recording":
                - button "Record"
                - button "Choose a file…"
              - textbox "Name"
              - textbox "Who is heard"
              - button "Keep this voice"
            """,
        "jobs": """
            - heading "Long texts" [level=2]
            """,
        "history": """
            - heading "History" [level=2]
            - checkbox "Keep what is spoken" [checked]
            """,
    },
    "zh-CN": {
        "speak": """
            - heading "朗读" [level=2]
            - group "模式":
              - radio "自然语言控制" [checked]
              - radio "预训练音色"
              - radio "3s极速复刻"
              - radio "跨语种复刻"
            - textbox "文字"
            - textbox "怎么读"
            - group "读法示例"
            - combobox "声音"
            - slider "语速"
            - button "朗读"
            - button "停止" [disabled]
            """,
        "voices": """
            - heading "声音" [level=2]
            - button "导入声音…"
            - form "添加声音":
              - group "录音":
                - button "录音"
                - button "选择文件…"
              - textbox "名字"
              - textbox "录音中的人"
              - button "保存这个声音"
            """,
        "jobs": """
            - heading "长文本" [level=2]
            """,
        "history": """
            - heading "记录" [level=2]
            - checkbox "保存朗读过的内容" [checked]
            """,
    },
}


def test_each_step_is_announced_once(page: Page) -> None:
    page.evaluate(LISTEN)
    page.locator("#text").fill("Hi.")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    told = [sentence for sentence in page.evaluate("window.told") if not sentence.startswith("Queued")]
    assert [sentence.split(":")[0] for sentence in told] == ["Starting…", "Speaking", "Done"]


def test_waiting_for_a_turn_is_announced(context: BrowserContext, studio_url: str) -> None:
    context.add_init_script(NEVER_ANSWERS)
    page = opened(context, studio_url)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="Queued: waiting for its turn…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="Stopped.")).to_be_visible()


@pytest.mark.parametrize("locale", list(TREES))
def test_the_tree_of_each_page_has_names_and_roles(page: Page, locale: str) -> None:
    for view, tree in TREES[locale].items():
        page.locator(f'a[href="#{view}"]').click()
        expect(page.locator(f'a[href="#{view}"]')).to_have_attribute("aria-current", "page")
        expect(page.locator(f"#view-{view}")).to_match_aria_snapshot(tree)


def test_the_page_is_light_and_asks_nobody_else(context: BrowserContext, studio_url: str) -> None:
    answers: list[Response] = []
    context.on("response", lambda answer: answers.append(answer))
    page = opened(context, studio_url)
    page.wait_for_load_state("networkidle")
    assert {urlsplit(answer.url).netloc for answer in answers} == {urlsplit(studio_url).netloc}
    sizes = [answer.request.sizes() for answer in answers]
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) <= LARGEST_TRANSFER


def test_what_is_spoken_is_drawn(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    flat = page.evaluate("document.getElementById('wave').toDataURL()")
    page.locator("#text").fill("Hi.")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    page.wait_for_function("flat => document.getElementById('wave').toDataURL() !== flat", arg=flat)
