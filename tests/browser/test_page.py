"""Speaking: heard while it comes, stopped, by keyboard, in two languages, on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from .conftest import frames, state

NO_WORKLET = "delete window.AudioWorkletNode"
NO_SOCKET = "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.()); } close() {} }"
NO_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource"


def test_speak_is_heard_to_its_end(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("Hello.")
    page.get_by_role("button", name="Speak", exact=True).click()
    state(page, "done")
    assert frames(page) > 0.2 * 24_000
    expect(page.get_by_role("status").filter(has_text="Done:")).to_be_visible()


def test_it_is_heard_while_the_rest_is_still_to_come_and_stops(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("The quick brown fox jumps over the lazy dog. " * 500)
    page.get_by_role("button", name="Speak", exact=True).click()
    page.wait_for_function("() => Number(document.body.dataset.frames) > 4800")
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")
    played = frames(page)
    page.wait_for_timeout(300)
    assert frames(page) == played


def test_a_long_text_does_not_arrive_all_at_once(page: Page) -> None:
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    page.get_by_role("textbox", name="Text", exact=True).fill("The quick brown fox jumps over the lazy dog. " * 500)
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => Number(document.body.dataset.frames) > 24000")
    page.wait_for_timeout(500)
    # The whole takes more than twenty minutes.
    assert sum(received) < 300 * 24_000 * 2
    page.keyboard.press("Escape")
    state(page, "stopped")


def tab_to(page: Page, target: Locator) -> None:
    """Go on with Tab until the target has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    expect(target).to_be_focused()


def test_by_keyboard_alone(page: Page) -> None:
    tab_to(page, page.get_by_role("button", name="切换到中文"))
    tab_to(page, page.get_by_role("radio", name="In your own words"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Preset voice")).to_be_checked()
    expect(page.get_by_role("textbox", name="How to say it")).to_be_hidden()
    page.keyboard.press("ArrowUp")
    tab_to(page, page.get_by_role("textbox", name="Text", exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.type("One, two, three, four, five, six, seven, eight, nine, ten.")
    tab_to(page, page.get_by_role("textbox", name="How to say it"))
    page.keyboard.type("slowly")
    page.keyboard.press("Control+Enter")
    state(page, "speaking")
    page.keyboard.press("Escape")
    state(page, "stopped")
    tab_to(page, page.get_by_role("button", name="Speak", exact=True))
    page.keyboard.press("Space")
    state(page, "speaking")
    tab_to(page, page.get_by_role("button", name="Stop"))
    page.keyboard.press("Enter")
    state(page, "stopped")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()


def test_what_the_engine_cannot_is_said_in_words(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("你好。再见。")
    page.get_by_role("textbox", name="How to say it").fill("用四川话读")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    warnings = page.locator("#warnings li")
    expect(warnings).to_have_count(1)
    expect(warnings).to_contain_text("Mandarin")
    announced = page.get_by_role("status").get_by_role("list").get_by_role("listitem")
    expect(announced).to_have_count(1)  # a list within what is announced: one that is a status itself is none
    page.get_by_role("button", name="切换到中文").click()
    expect(warnings).to_contain_text("普通话")


def test_speed_is_doublings_around_the_middle(page: Page) -> None:
    slider = page.get_by_role("slider", name="Speed")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#speed-value")).to_have_text("4×")
    assert slider.get_attribute("aria-valuetext") == "4 times"
    page.keyboard.press("Home")
    expect(page.locator("#speed-value")).to_have_text("0.25×")


def test_an_empty_text_is_pointed_at(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("  ")
    page.get_by_role("button", name="Speak", exact=True).click()
    text = page.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_be_focused()
    assert text.get_attribute("aria-invalid") == "true"
    expect(page.locator("#text-error")).to_be_visible()
    text.fill("Hello.")
    expect(page.locator("#text-error")).to_be_hidden()


def test_the_other_language_is_one_button_away_and_kept(page: Page) -> None:
    expect(page.get_by_role("heading", name="Voice studio")).to_be_visible()
    page.get_by_role("button", name="切换到中文").click()
    expect(page.get_by_role("heading", name="语音工作室")).to_be_visible()
    expect(page.get_by_role("button", name="朗读", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.reload()
    expect(page.get_by_role("heading", name="语音工作室")).to_be_visible()


class TestInAChineseBrowser:
    @pytest.fixture
    def locale(self) -> str:
        return "zh-CN"

    def test_the_page_is_chinese_and_speaks_it(self, page: Page) -> None:
        expect(page.get_by_role("heading", name="语音工作室")).to_be_visible()
        page.get_by_role("textbox", name="文字").fill("你好！")
        page.get_by_role("button", name="朗读", exact=True).click()
        state(page, "done")
        assert frames(page) > 0.2 * 24_000

    def test_a_refusal_is_in_chinese(self, page: Page) -> None:
        page.get_by_role("textbox", name="文字").fill("你好[boing]")
        page.get_by_role("button", name="朗读", exact=True).click()
        state(page, "failed")
        expect(page.locator("#status")).to_contain_text("没有成功：文字里有不能朗读的标记：第 3 个字符处的 [boing]")


def test_every_control_has_a_name(page: Page) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea")]
            .filter((control) => !control.hidden)
            .filter((control) => !(control.labels?.length || control.ariaLabel || control.textContent.trim()))
            .map((control) => control.outerHTML)"""
    )
    assert nameless == []
    snapshot = page.locator("body").aria_snapshot()
    for name in ('textbox "Text"', 'textbox "How to say it"', 'combobox "Voice"', 'slider "Speed"', 'button "Speak"'):
        assert name in snapshot


def test_nothing_is_wider_than_the_screen_and_targets_fit_a_thumb(page: Page) -> None:
    for width in (320, 375, 768):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, a")]
                .filter((control) => control.checkVisibility() && !["radio", "checkbox"].includes(control.type))
                .map((control) => [control.id || control.textContent, control.getBoundingClientRect()])
                .filter(([, box]) => box.height < 44 || box.width < 44)
                .map(([name]) => name)"""
        )
        assert small == []


def test_letters_of_double_size_fit_a_phone(page: Page, voice_file: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.locator("#how").fill("用四川话大声读出来，像讲睡前故事一样，zzzz")
    expect(page.locator("#wishes > li")).to_have_count(4)
    page.locator("#voice").select_option("recording")
    page.locator("#recorder input[type=file]").set_input_files(voice_file)
    expect(page.locator("#recorder audio")).to_be_visible()
    for view in ("speak", "voices", "jobs", "history"):
        page.locator(f'a[href="#{view}"]').click()
        expect(page.locator(f"#view-{view}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize(
    "missing", [[NO_WORKLET], [NO_SOCKET], [NO_WORKLET, NO_MEDIA_SOURCE]], ids=["worklet", "websocket", "media source"]
)
def test_without_the_best_way_it_is_heard_the_plain_way(
    context: BrowserContext, studio_url: str, missing: list[str]
) -> None:
    for script in missing:
        context.add_init_script(script)
    page = context.new_page()
    page.goto(studio_url)
    page.get_by_role("textbox", name="Text", exact=True).fill("Hello.")
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    assert page.evaluate("document.body.dataset.state") == "done"
    assert frames(page) > 200


def test_a_studio_that_went_away_is_said(context: BrowserContext, studio_url: str) -> None:
    context.add_init_script(NO_SOCKET)
    page = context.new_page()
    page.goto(studio_url)
    page.route("**/v1/audio/speech", lambda route: route.abort())
    page.get_by_role("button", name="Speak", exact=True).click()
    state(page, "failed")
    expect(page.locator("#status")).to_contain_text("cannot be reached")


def test_the_studios_refusal_is_said(page: Page) -> None:
    page.evaluate("document.getElementById('voice').append(new Option('Nobody', 'nobody'))")
    page.get_by_role("combobox", name="Voice").select_option("nobody")
    page.get_by_role("button", name="Speak", exact=True).click()
    state(page, "failed")
    expect(page.locator("#status")).to_contain_text("nobody")


def test_a_text_without_words_is_not_done_but_refused(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("…… [laughter]")
    page.keyboard.press("Control+Enter")
    state(page, "failed", "done")
    expect(page.locator("#status")).to_contain_text("there is nothing to say")


def test_it_speaks_before_the_voices_have_come(context: BrowserContext, studio_url: str) -> None:
    page = context.new_page()
    page.route("**/v1/audio/voices", lambda _route: None)  # never answered
    page.goto(studio_url)
    page.get_by_role("textbox", name="Text", exact=True).fill("Hello.")
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    assert frames(page) > 0.2 * 24_000


def test_a_voice_that_is_chosen_while_the_list_is_asked_for_again_stays(
    context: BrowserContext, studio_url: str
) -> None:
    page = context.new_page()
    held: list[Route] = []
    page.route("**/v1/audio/voices", lambda route: held.append(route))
    with page.expect_request("**/v1/audio/voices"):
        page.goto(studio_url)
    with page.expect_request("**/v1/audio/voices"):
        page.get_by_role("button", name="切换到中文").click()
    first, second = held
    with page.expect_response("**/v1/audio/voices"):
        first.continue_()
    page.locator("#voice").select_option("用录音…")
    with page.expect_response("**/v1/audio/voices"):
        second.continue_()
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator("#voice option:checked")).to_have_text("A recording…")
