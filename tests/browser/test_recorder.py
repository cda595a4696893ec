"""The modes that take a voice from a recording: microphone or file, what the check found, consent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from voice.recordings import RATE, wav

from .conftest import choose_mode, frames, opened, state

NO_MICROPHONE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }"


def test_a_voice_is_recorded_heard_and_spoken_with(page: Page) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    choose_mode(page, "A voice from 3 s")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#recorder .levels")).to_be_visible()
    page.wait_for_function("() => document.querySelector('#recorder meter').value > 0.05")
    page.wait_for_function("() => parseFloat(document.querySelector('.level-words').textContent.split('· ')[1]) > 3.5")
    page.get_by_role("button", name="End the recording").click()
    expect(page.get_by_role("status").filter(has_text="The recording can be used")).to_be_visible()
    page.get_by_role("checkbox", name="Whoever is heard agrees").check()
    page.get_by_role("textbox", name="What is said in the recording").fill("Lalala.")
    page.locator("#text").fill("Hello.")
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    expect(page.locator("#warnings")).to_contain_text("imitates the recording")
    assert frames(page) > 0.2 * 24_000
    assert '"ref_text":"Lalala."' in sent[0]
    assert '"ref_audio":"' in sent[0]
    assert '"voice"' not in sent[0]


def test_everything_that_a_mode_lacks_is_said_at_once(page: Page, voice_file: Path) -> None:
    choose_mode(page, "A voice from 3 s")
    page.locator("#text").fill("")
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.locator("#text-error")).to_be_visible()
    expect(page.locator("#recorder-error")).to_have_text("Record a voice or choose a file.")
    expect(page.locator("#transcript-error")).to_be_visible()
    expect(page.locator("#text")).to_be_focused()
    page.locator("#text").fill("Hello.")
    page.locator("#recorder input[type=file]").set_input_files(voice_file)
    expect(page.get_by_role("status").filter(has_text="The recording can be used")).to_be_visible()
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.locator("#recorder-error")).to_have_text("Confirm that whoever is heard agrees.")
    expect(page.get_by_role("checkbox", name="Whoever is heard agrees")).to_be_focused()
    assert page.evaluate("document.body.dataset.state") == "idle"


def test_a_recording_of_nothing_is_explained_in_both_languages(page: Page, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(wav(np.zeros(RATE * 4)))
    choose_mode(page, "A voice in another language")
    page.locator("#recorder input[type=file]").set_input_files(silence)
    finding = page.locator("#recorder .findings li")
    expect(finding).to_contain_text("Wrong: Next to nothing can be heard")
    page.get_by_role("button", name="切换到中文").click()
    expect(finding).to_contain_text("有问题： 录音里几乎听不到声音；请检查麦克风后重新录制。")
    expect(page.get_by_role("status").filter(has_text="录音不能使用")).to_be_visible()


def test_a_wish_and_a_recording_go_together(page: Page, voice_file: Path) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    expect(page.locator("#recorder")).to_be_hidden()
    page.get_by_role("combobox", name="Voice").select_option("A recording…")
    page.locator("#recorder input[type=file]").set_input_files(voice_file)
    page.get_by_role("checkbox", name="Whoever is heard agrees").check()
    page.get_by_role("textbox", name="How to say it").fill("slowly")
    page.locator("#text").fill("Hi.")
    expect(page.get_by_role("status").filter(has_text="The recording can be used")).to_be_visible()
    page.keyboard.press("Control+Enter")
    state(page, "done", "failed")
    assert '"instructions":"slowly"' in sent[0]
    assert '"ref_audio":"' in sent[0]


def test_a_microphone_that_is_not_allowed_is_explained(context: BrowserContext, studio_url: str) -> None:
    context.add_init_script(NO_MICROPHONE)
    page = opened(context, studio_url)
    choose_mode(page, "A voice from 3 s")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Allow it in the browser's settings")).to_be_visible()


class TestInAChineseBrowser:
    @pytest.fixture
    def locale(self) -> str:
        return "zh-CN"

    def test_the_modes_are_named_as_cosyvoice_names_them(self, page: Page) -> None:
        for mode in ("自然语言控制", "预训练音色", "3s极速复刻", "跨语种复刻"):
            expect(page.get_by_role("radio", name=mode)).to_be_visible()
        choose_mode(page, "预训练音色")
        expect(page.locator("#how")).to_be_hidden()
        expect(page.locator("#voice")).to_be_visible()
        choose_mode(page, "跨语种复刻")
        expect(page.locator("#voice")).to_be_hidden()
        expect(page.locator("#transcript")).to_be_hidden()
        expect(page.locator("#recorder")).to_be_visible()
