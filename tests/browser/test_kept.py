"""What was spoken: saved in any format, with subtitles, and kept on this device."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from .conftest import frames, state

LISTEN = """() => {
    window.shown = [];
    const caption = document.getElementById("caption");
    const note = () => caption.textContent && window.shown.push(caption.textContent);
    new MutationObserver(note).observe(caption, { childList: true });
}"""


def speak(page: Page, text: str) -> None:
    """As fast as it goes, and to the end."""
    page.get_by_role("slider", name="Speed").fill("2")
    page.get_by_role("textbox", name="Text", exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    state(page, "done")


def download(page: Page, file_format: str, folder: Path) -> Path:
    page.get_by_role("combobox", name="Save as").select_option(file_format)
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download").click()
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return file


def test_it_is_saved_in_every_format_and_with_subtitles(page: Page, tmp_path: Path) -> None:
    expect(page.get_by_role("button", name="Download")).to_be_hidden()
    speak(page, "Hello. R & B < C.")
    with wave.open(str(download(page, "wav", tmp_path))) as heard:
        assert heard.getframerate() == 24_000
        assert heard.getnframes() == frames(page)
    for file_format in ("mp3", "opus", "aac", "flac"):
        with av.open(str(download(page, file_format, tmp_path)), mode="r") as file:
            seconds = sum(frame.samples for frame in file.decode(file.streams.audio[0])) / file.streams.audio[0].rate
        assert seconds == pytest.approx(frames(page) / 24_000, abs=0.1)
    srt = download(page, "srt", tmp_path).read_text(encoding="utf-8").split("\n\n")
    assert srt[0].startswith("1\n00:00:00,000 --> 00:00:0")
    assert srt[0].endswith("\nHello.")
    assert srt[1].endswith("\nR & B < C.")
    vtt = download(page, "vtt", tmp_path).read_text(encoding="utf-8")
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    assert "R &amp; B &lt; C." in vtt
    expect(page.get_by_role("status").filter(has_text="Saved as speech.vtt")).to_be_visible()


def test_the_text_is_shown_along(page: Page) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill("Good morning. How do you do?")
    page.evaluate(LISTEN)
    page.keyboard.press("Control+Enter")
    state(page, "done")
    assert page.evaluate("[...new Set(window.shown)]") == ["Good morning.", "How do you do?"]
    expect(page.locator("#caption .heard")).to_have_text(["How", "do", "you", "do"])


def test_what_was_spoken_is_kept_and_opened_again(page: Page) -> None:
    page.get_by_role("textbox", name="How to say it").fill("slowly")
    speak(page, "First.")
    heard = frames(page)
    speak(page, "Second.")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History")).to_be_focused()
    kept = page.locator("#history-list > li")
    expect(kept).to_have_count(2)
    page.reload()
    expect(kept).to_have_count(2)
    expect(kept.first.get_by_role("heading")).to_have_text("Second.")
    kept.last.get_by_role("button", name="Open again").click()
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("First.")
    expect(page.get_by_role("textbox", name="How to say it")).to_have_value("slowly")
    state(page, "loaded")
    page.wait_for_function(
        "seconds => Math.abs(document.getElementById('replay').duration - seconds) < 0.01", arg=heard / 24_000
    )
    expect(page.get_by_role("combobox", name="Save as").get_by_role("option", name="SRT")).to_be_attached()


def test_what_was_spoken_is_forgotten_when_one_says_so(page: Page) -> None:
    speak(page, "One.")
    speak(page, "Two.")
    page.get_by_role("link", name="History").click()
    page.locator("#history-list > li").first.get_by_role("button", name="Delete").click()
    expect(page.locator("#history-list > li")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Deleted: Two.")).to_be_visible()
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("#history-list > li")).to_have_count(1)
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete all").click()
    expect(page.locator("#history-list > li")).to_have_count(0)
    page.get_by_role("checkbox", name="Keep what is spoken").uncheck()
    page.get_by_role("link", name="Speak").click()
    speak(page, "Three.")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Nothing was kept yet.")).to_be_visible()


def test_light_and_dark_are_chosen_and_kept(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Colours: Auto").click()
    page.get_by_role("button", name="Colours: Light").click()
    expect(page.get_by_role("button", name="Colours: Dark")).to_be_visible()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    expect(page.get_by_role("button", name="Colours: Dark")).to_be_visible()
    assert page.evaluate(paper) == dark
