"""CosyVoice's page at /gradio, as scripts that were written for it use it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]

from isoline_voice.api.app import create_app
from isoline_voice.gradio_page.audio import adts_seconds
from isoline_voice.gradio_page.modes import Wanted, accept
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService

from .recordings import spoken, wav

PARAMETERS = [
    "tts_text",
    "mode_checkbox_group",
    "sft_dropdown",
    "prompt_text",
    "prompt_wav_upload",
    "prompt_wav_record",
    "instruct_text",
    "seed",
    "stream",
    "speed",
]
# Gradio's statistics set an option that this pandas calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")

MODES = ["预训练音色", "3s极速复刻", "跨语种复刻", "自然语言控制"]


@pytest.fixture(scope="module")
def client(studio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("downloads")
    client = Client(f"{studio}/gradio/", verbose=False, download_files=str(folder), analytics_enabled=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recordings") / "prompt.wav"
    file.write_bytes(wav(spoken()))
    return file


def generate(client: Client, **fields: Any) -> Path:
    """The file of `generate_audio`, with CosyVoice's names for its parameters."""
    defaults: dict[str, Any] = {
        "tts_text": "你好，世界。",
        "mode_checkbox_group": "预训练音色",
        "sft_dropdown": "alloy",
        "prompt_text": "",
        "prompt_wav_upload": None,
        "prompt_wav_record": None,
        "instruct_text": "",
        "seed": 0,
        "stream": False,
        "speed": 1.0,
    }
    return Path(client.predict(**{**defaults, **fields}, api_name="/generate_audio"))


def seconds_of(file: Path) -> float:
    samples, rate = soundfile.read(file)
    assert rate == 24_000
    assert abs(samples).max() > 0.05, "this is silence"
    return float(len(samples) / rate)


def test_the_names_are_cosyvoices(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) >= {"/generate_audio", "/generate_seed", "/change_instruction"}
    assert [field["parameter_name"] for field in endpoints["/generate_audio"]["parameters"]] == PARAMETERS


def test_a_preset_voice_speaks(client: Client) -> None:
    assert 0.5 < seconds_of(generate(client)) < 5


def test_a_stream_is_a_playlist_of_aac(client: Client) -> None:
    playlist = generate(client, tts_text="你好，世界。" * 5, stream=True).read_text()
    lengths = [float(line[len("#EXTINF:") :].rstrip(",")) for line in playlist.splitlines() if "#EXTINF" in line]
    assert len(lengths) > 2
    assert 3 < sum(lengths) < 30


def test_fields_that_are_left_out_have_cosyvoices_defaults(client: Client) -> None:
    recordings = {"prompt_wav_upload": None, "prompt_wav_record": None}
    assert seconds_of(Path(client.predict(tts_text="早上好。", **recordings, api_name="/generate_audio"))) > 0.3


def test_a_recording_is_the_prompt_of_two_modes(client: Client, recording: Path) -> None:
    prompt = handle_file(recording)
    cloned = generate(client, mode_checkbox_group="3s极速复刻", prompt_wav_upload=prompt, prompt_text="啊啊啊")
    assert seconds_of(cloned) > 0.5
    crossed = generate(client, tts_text="Good day.", mode_checkbox_group="跨语种复刻", prompt_wav_record=prompt)
    assert seconds_of(crossed) > 0.3


def test_an_instruction_is_followed(client: Client) -> None:
    plain = seconds_of(generate(client))
    slow = seconds_of(
        generate(client, mode_checkbox_group="自然语言控制", instruct_text="请用尽可能慢地语速说一句话。")
    )
    assert slow > 1.15 * plain


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mode_checkbox_group": "自然语言控制"}, "instruct"),
        ({"mode_checkbox_group": "3s极速复刻", "prompt_text": "啊"}, "prompt 音频"),
        ({"mode_checkbox_group": "跨语种复刻"}, "prompt 音频"),
        ({"sft_dropdown": ""}, "预训练音色"),
        ({"sft_dropdown": "nobody"}, "nobody"),
        ({"tts_text": " "}, "合成文本"),
    ],
)
def test_what_a_mode_lacks_ends_the_run(client: Client, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(AppError, match=reason):
        generate(client, **fields)


def test_a_prompt_needs_its_text_and_16_khz(client: Client, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="prompt 文本"):
        generate(client, mode_checkbox_group="3s极速复刻", prompt_wav_upload=handle_file(recording))
    telephone = tmp_path / "telephone.wav"
    telephone.write_bytes(wav(spoken(rate=8_000), 8_000))
    with pytest.raises(AppError, match="16"):
        generate(client, mode_checkbox_group="跨语种复刻", prompt_wav_upload=handle_file(telephone))


def test_the_dice_and_the_steps(client: Client) -> None:
    assert 1 <= client.predict(api_name="/generate_seed") <= 100_000_000
    for mode in MODES:
        assert "Generate" in client.predict(mode, api_name="/change_instruction")


def test_everything_that_is_missing_is_said_at_once() -> None:
    wanted = Wanted(
        text="", mode="3s极速复刻", voice=None, prompt_text="", recording=None, instruction="", seed=0, speed=1.0
    )
    with pytest.raises(Exception, match=r"合成文本.*prompt 音频.*prompt 文本"):
        accept(wanted)


def test_a_field_of_another_mode_is_named() -> None:
    wanted = Wanted(
        text="Hi",
        mode="预训练音色",
        voice="nova",
        prompt_text="x",
        recording=None,
        instruction="loud",
        seed=7,
        speed=1.5,
    )
    accepted = accept(wanted)
    assert [warning.code for warning in accepted.warnings] == ["field_ignored"] * 2
    assert (accepted.request.voice, accepted.request.seed, accepted.request.speed) == ("nova", 7, 1.5)
    assert accepted.request.style.volume is None


def test_a_frame_of_aac_lasts_1024_samples() -> None:
    frame = bytes([0xFF, 0xF1, 6 << 2 | 1 << 6, 0, 10 << 5 >> 8 | 1, 10 << 5 & 0xFF, 0]) + bytes(3)
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    padded = frame.ljust(length, b"\0")
    assert adts_seconds(b"ID3 tag" + padded * 3) == pytest.approx(3 * 1024 / 24_000)


def test_the_page_is_at_its_address_without_a_slash_too(studio: str) -> None:
    answer = httpx.get(f"{studio}/gradio?__theme=dark")
    assert (answer.status_code, answer.headers["location"]) == (307, "gradio/?__theme=dark")
    assert "CosyVoice" in httpx.get(f"{studio}/gradio/").text


def test_behind_a_gateway_the_page_names_the_gateway(studio: str) -> None:
    told = {"X-Forwarded-Host": "voice.example.org", "X-Forwarded-Proto": "https"}
    config = httpx.get(f"{studio}/gradio/config", headers=told).json()
    assert config["root"] == "https://voice.example.org/gradio"
    config = httpx.get(f"{studio}/gradio/config", headers={**told, "X-Forwarded-Prefix": "/tools/studio"}).json()
    assert config["root"] == "https://voice.example.org/tools/studio/gradio"


async def test_a_page_that_nobody_uses_does_not_keep_a_processor_awake() -> None:
    from isoline_voice.gradio_page.page import build

    queue: Any = build(create_app(SpeechService(workers=1), Settings()).state.studio)._queue
    looks: list[float] = []

    class Watched(type(queue)):  # type: ignore[misc]
        def __len__(self) -> int:
            looks.append(time.monotonic())
            self.stopped = len(looks) == 3
            return 0

    queue.__class__ = Watched
    await queue.start_processing()
    assert looks[2] - looks[0] >= 0.04


def test_a_studio_that_nobody_asks_for_it_starts_without_gradio() -> None:
    code = "import sys, isoline_voice.server; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
