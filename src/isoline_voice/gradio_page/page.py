"""The page itself, with CosyVoice's fields, names and order, so that scripts written for its page work."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path

import gradio as gr

from isoline_voice.api.callers import caller_of
from isoline_voice.api.delivery import Meter
from isoline_voice.api.studio import Studio
from isoline_voice.audio.encoders import make_encoder
from isoline_voice.audio.provenance import provenance
from isoline_voice.engines.protocol import BYTES_PER_SAMPLE
from isoline_voice.errors import VoiceError
from isoline_voice.gradio_page.audio import spoken_audio
from isoline_voice.gradio_page.modes import ENGLISH, PRESET, STEPS, Accepted, Wanted, accept

ROUTE = "/gradio"
SEGMENT_SECONDS = 0.6
"""What a player of HLS is given at a time: each segment costs it a request."""
CACHE_SECONDS = (600, 3600)
"""How often Gradio's files are looked through, and how old they get."""
GREATEST_SEED = 100_000_000
LOOK_SECONDS = 0.03
"""How often Gradio looks whether somebody has asked for something."""

STYLE = "#time, #duration, .time, .duration, .playback { color: var(--body-text-color-subdued) !important; }"
"""Gradio's player writes its times too pale to be read."""
FONTS = ["system-ui", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]


def build(studio: Studio) -> gr.Blocks:
    """The page over a studio."""
    speak = Speaker(studio)
    engine = studio.service.engine
    metadata = provenance(engine) if studio.settings.provenance else {}
    blocks = gr.Blocks(title="CosyVoice", analytics_enabled=False, delete_cache=CACHE_SECONDS)
    with blocks:
        gr.Markdown("# CosyVoice · Isoline\n合成任意文字的语音。Type a text, choose a mode, and listen.")
        tts_text = gr.Textbox(label="合成文本 Text", lines=2, value="你好，很高兴认识你。")
        with gr.Row():
            mode = gr.Radio(
                [(f"{name} · {ENGLISH[name]}", name) for name in STEPS], label="推理模式 Mode", value=PRESET
            )
            steps = gr.Textbox(label="操作步骤 Steps", value=STEPS[PRESET], lines=3, interactive=False)
        with gr.Row():
            voices = [(voice.name, voice.id) for voice in studio.service.voices()]
            voice = gr.Dropdown(voices, label="预训练音色 Preset voice", value=voices[0][1], allow_custom_value=True)
            stream = gr.Radio([("否 No", False), ("是 Yes", True)], label="流式推理 Streaming", value=False)
            speed = gr.Number(label="速度 Speed (0.5–2.0)", value=1.0, minimum=0.5, maximum=2.0, step=0.1)
            dice = gr.Button("\U0001f3b2 随机种子 Random seed")
            seed = gr.Number(label="随机推理种子 Seed", value=0, precision=0)
        with gr.Row():
            upload = gr.Audio(sources=["upload"], type="filepath", label="上传 prompt 音频 Upload (≥ 16 kHz)")
            record = gr.Audio(sources=["microphone"], type="filepath", label="录制 prompt 音频 Record")
        prompt_text = gr.Textbox(label="prompt 文本 What the recording says", lines=1, value="")
        instruct_text = gr.Textbox(label="instruct 文本 How to say it", lines=1, value="")
        generate = gr.Button("生成音频 Generate", variant="primary")
        output = spoken_audio(metadata=metadata, label="合成音频 Speech")

        dice.click(generate_seed, inputs=[], outputs=seed, api_name="generate_seed")
        generate.click(
            speak.generate_audio,
            inputs=[tts_text, mode, voice, prompt_text, upload, record, instruct_text, seed, stream, speed],
            outputs=[output],
            api_name="generate_audio",
            concurrency_limit=None,
        )
        mode.change(change_instruction, inputs=[mode], outputs=[steps], api_name="change_instruction")
    # Its own pause is a millisecond, which keeps a processor awake for as long as the studio runs.
    blocks._queue.sleep_when_free = LOOK_SECONDS  # noqa: SLF001 - there is no other way to set it
    return blocks


def theme() -> gr.themes.Base:
    """Gradio's look with the system's letters, since nothing comes from another host, and colours that can be read."""
    look = gr.themes.Default(primary_hue="teal", font=FONTS, font_mono=["ui-monospace", "monospace"])
    return look.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
    )


def generate_seed() -> int:
    """A seed by chance."""
    return 1 + secrets.randbelow(GREATEST_SEED)


def change_instruction(mode_checkbox_group: str) -> str:
    """The steps of a mode."""
    return next((steps for mode, steps in STEPS.items() if mode == mode_checkbox_group), "")


class Speaker:
    """Speaks what the page asks for."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def generate_audio(
        self,
        tts_text: str,
        mode_checkbox_group: str,
        sft_dropdown: str | None,
        prompt_text: str,
        prompt_wav_upload: str | None,
        prompt_wav_record: str | None,
        instruct_text: str,
        seed: float,
        stream: bool,
        speed: float,
        request: gr.Request,
    ) -> AsyncGenerator[bytes]:
        """A WAV file, or AAC piece by piece with `stream`. Whatever a mode lacks ends the run with its reason."""
        recording = prompt_wav_upload or prompt_wav_record

        def prepared() -> Accepted:
            return accept(
                Wanted(
                    text=tts_text or "",
                    mode=mode_checkbox_group,
                    voice=sft_dropdown,
                    prompt_text=prompt_text or "",
                    recording=Path(recording).read_bytes() if recording else None,
                    instruction=instruct_text or "",
                    seed=int(seed or 0),
                    speed=speed,
                )
            )

        try:
            accepted = await asyncio.to_thread(prepared)
            async with contextlib.aclosing(self._spoken(accepted, request, stream=stream)) as pieces:
                async for piece in pieces:
                    yield piece
        except VoiceError as error:
            raise gr.Error(error.message, print_exception=False) from error

    async def _spoken(self, accepted: Accepted, request: gr.Request, *, stream: bool) -> AsyncGenerator[bytes]:
        studio, wanted = self._studio, accepted.request
        assert request.request is not None, "Gradio gives each run the request that began it"
        caller = caller_of(request.request)
        meter = Meter(studio.metrics.audio.labels(ROUTE))
        studio.stream_begins()
        try:
            async with contextlib.aclosing(await studio.speak(wanted, caller)) as speech:
                for warning in (*accepted.warnings, *speech.warnings):
                    gr.Warning(f"{warning.zh} {warning.en}")
                metadata = provenance(speech.voice.engine) if studio.settings.provenance else {}
                pcm = meter.measure(speech)
                async for piece in _segments(pcm, speech.rate) if stream else _whole(pcm, speech.rate, metadata):
                    yield piece
        finally:
            studio.stream_ends()
            if meter.seconds:
                studio.usage.add(caller.tenant, characters=len(wanted.text), seconds=meter.seconds)


async def _whole(pcm: AsyncIterator[bytes], rate: int, metadata: Mapping[str, str]) -> AsyncIterator[bytes]:
    """One WAV file."""
    whole = b"".join([piece async for piece in pcm])
    encoder = make_encoder("wav", rate, length=len(whole) // BYTES_PER_SAMPLE, metadata=metadata)
    yield encoder.feed(whole) + encoder.finish()


async def _segments(pcm: AsyncIterator[bytes], rate: int) -> AsyncIterator[bytes]:
    """AAC in segments of SEGMENT_SECONDS."""
    encoder = make_encoder("aac", rate)
    held, spoken = bytearray(), 0
    async for piece in pcm:
        held += encoder.feed(piece)
        spoken += len(piece)
        if held and spoken >= SEGMENT_SECONDS * rate * BYTES_PER_SAMPLE:
            yield bytes(held)
            held, spoken = bytearray(), 0
    held += encoder.finish()
    if held:
        yield bytes(held)
