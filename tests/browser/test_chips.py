"""What was understood, as chips: each can be changed and taken away, and the sentence says the same."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from .conftest import state


def wish(page: Page) -> Locator:
    return page.get_by_role("textbox", name="How to say it")


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Understood").get_by_role("listitem")


def test_what_was_understood_is_shown_while_one_types(page: Page) -> None:
    wish(page).fill("用四川话大声读出来，zzzz")
    expect(chips(page)).to_have_count(3)
    expect(page.get_by_role("combobox", name="Dialect")).to_have_value("Sichuanese")
    understood = page.locator("#understood")
    expect(understood).to_contain_text("Understood: Sichuanese, loud")
    expect(understood).to_contain_text("cannot speak Sichuanese")
    expect(understood).to_contain_text("Not understood: zzzz")
    wish(page).fill("")
    expect(chips(page)).to_have_count(0)
    expect(understood).to_be_empty()


def test_a_chip_taken_away_is_gone_from_the_sentence(page: Page) -> None:
    wish(page).fill("read it loudly and slowly, zzzz")
    expect(chips(page)).to_have_count(3)
    page.get_by_role("button", name="Take away: zzzz").press("Enter")
    expect(wish(page)).to_have_value("loud, slow")
    page.get_by_role("button", name="Take away: loud").click()
    expect(wish(page)).to_have_value("slow")
    expect(page.get_by_role("button", name="Take away: slow")).to_be_focused()
    page.keyboard.press("Enter")
    expect(wish(page)).to_have_value("")
    expect(wish(page)).to_be_focused()


def test_a_chip_changed_is_another_wish_that_is_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    wish(page).fill("happy and loud")
    page.get_by_role("combobox", name="Loudness").select_option("whispered")
    expect(wish(page)).to_have_value("whispered, happy")
    expect(page.get_by_role("combobox", name="Loudness")).to_be_focused()
    expect(page.locator("#understood")).to_contain_text("Understood: whispered, happy")
    page.get_by_role("textbox", name="Text", exact=True).fill("Hi.")
    page.keyboard.press("Control+Enter")
    state(page, "done")
    assert '"instructions":"whispered, happy"' in sent[0]


def test_the_chips_speak_the_language_of_the_page(page: Page) -> None:
    wish(page).fill("happy and loud")
    expect(chips(page)).to_have_count(2)
    page.get_by_role("button", name="切换到中文").click()
    page.get_by_role("combobox", name="音量").select_option("soft")
    expect(page.locator("#how")).to_have_value("轻声，开心")


def test_an_example_fills_the_wish(page: Page) -> None:
    page.get_by_role("button", name="read it like a bedtime story, slowly", exact=True).click()
    expect(wish(page)).to_have_value("read it like a bedtime story, slowly")
    expect(page.locator("#understood")).to_contain_text("Understood:")
