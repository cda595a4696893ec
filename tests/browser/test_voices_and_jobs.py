"""Voices of one's own, and long texts in the background."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from .conftest import choose_mode, state

LINE = "The quick brown fox jumps over the lazy dog. "


def entry(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


def add_voice(page: Page, name: str, file: Path) -> None:
    page.get_by_role("link", name="Voices").click()
    page.locator("#voice-recorder input[type=file]").set_input_files(file)
    expect(page.get_by_role("status").filter(has_text="The recording can be used")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Who is heard").fill("Li Hua")
    page.get_by_role("button", name="Keep this voice").click()
    expect(entry(page, name)).to_be_visible()


def test_a_voice_is_added_with_consent_renamed_carried_away_and_deleted(
    page: Page, voice_file: Path, tmp_path: Path
) -> None:
    add_voice(page, "First", voice_file)
    expect(entry(page, "First")).to_contain_text("Li Hua agreed on")
    entry(page, "First").get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").first.fill("Renamed")
    page.keyboard.press("Enter")
    expect(entry(page, "Renamed").get_by_role("button", name="Rename")).to_be_focused()
    with page.expect_download() as begun:
        entry(page, "Renamed").get_by_role("button", name="Export").click()
    begun.value.save_as(tmp_path / "voice.zip")
    entry(page, "Renamed").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(entry(page, "Renamed")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Deleted: Renamed")).to_be_visible()
    page.locator("#voice-file").set_input_files(tmp_path / "voice.zip")
    expect(entry(page, "Renamed")).to_be_visible()
    entry(page, "Renamed").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(entry(page, "Renamed")).to_have_count(0)


def test_a_voice_of_ones_own_speaks(page: Page, voice_file: Path) -> None:
    add_voice(page, "Speaker", voice_file)
    page.get_by_role("link", name="Speak").click()
    page.get_by_role("combobox", name="Voice").select_option("Speaker")
    page.locator("#text").fill("Hi.")
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    expect(page.locator("#warnings")).to_contain_text("imitates the recording")


def test_what_is_missing_for_a_voice_is_said_at_its_field(page: Page) -> None:
    page.get_by_role("link", name="Voices").click()
    page.locator("#consent-words").fill("")
    page.get_by_role("button", name="Keep this voice").click()
    for field in ("voice-recorder", "voice-name", "consent-by", "consent-words"):
        expect(page.locator(f"#{field}-error")).to_be_visible()
    expect(page.locator("#voice-recorder").get_by_role("button", name="Record", exact=True)).to_be_focused()


def test_a_long_text_is_spoken_in_the_background_and_saved(page: Page, tmp_path: Path) -> None:
    begin_job(page, "Background. " + LINE * 3)
    job = page.get_by_role("listitem").filter(has_text="Background.")
    expect(job).to_contain_text("Done · 100 %")
    expect(job.get_by_role("progressbar")).to_have_js_property("value", 1)
    for file_format in ("mp3", "srt"):
        job.get_by_role("combobox", name="Save as").select_option(file_format)
        with page.expect_download() as begun:
            job.get_by_role("button", name="Download").click()
        assert begun.value.suggested_filename.endswith(file_format)
        begun.value.save_as(tmp_path / file_format)
        assert (tmp_path / file_format).stat().st_size > 100
    job.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)
    expect(page.get_by_role("heading", name="Long texts")).to_be_focused()


def test_a_recording_that_was_not_kept_speaks_in_the_background(page: Page, voice_file: Path) -> None:
    choose_mode(page, "A voice in another language")
    page.locator("#recorder input[type=file]").set_input_files(voice_file)
    expect(page.get_by_role("status").filter(has_text="The recording can be used")).to_be_visible()
    page.get_by_role("checkbox", name="agrees").check()
    begin_job(page, "Recorded. Hi.")
    job = page.get_by_role("listitem").filter(has_text="Recorded.")
    expect(job).to_contain_text("Done · 100 %")
    expect(job).to_contain_text("imitates the recording")


def test_a_long_text_is_cancelled(page: Page) -> None:
    begin_job(page, "Endless. " + LINE * 2_000)
    job = page.get_by_role("listitem").filter(has_text="Endless.")
    job.get_by_role("button", name="Cancel it").click()
    expect(job).to_contain_text("Cancelled")
    expect(page.get_by_role("status").filter(has_text="Cancelled")).to_be_visible()


def test_a_text_file_is_opened(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("从前有座山。", encoding="utf-8")
    page.locator("#text-file").set_input_files(file)
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("从前有座山。")


def begin_job(page: Page, text: str) -> None:
    page.get_by_text("More", exact=True).click()
    page.get_by_role("textbox", name="Text", exact=True).fill(text)
    page.get_by_role("button", name="Speak it in the background").click()
    expect(page.get_by_role("heading", name="Long texts")).to_be_focused()
