"""The model's API with its faults: a growing first chunk, threads that die, sessions that leak, speakers that lie.

What is asked of it is appended as JSON to the file CALLS in the model's folder, for the tests to read. Words in the
text bring its faults out: 爆显存 runs out of memory, 出错 raises in the model's thread, 卡住 never goes on, 崩溃 ends
the process.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cosyvoice.utils import common  # type: ignore[import-not-found]

RATE = 24_000
FIRST_HOP = 25
SAMPLES_A_TOKEN = 240
TOKEN_SECONDS = 0.002


class OutOfMemoryError(RuntimeError):
    """As torch.cuda's."""


class _LanguageModel:
    def inference(self, text: str) -> Iterator[int]:
        for index in range(max(1, len(text)) * 4):
            if "爆显存" in text:
                raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            if "出错" in text:
                raise ValueError("a token that is none")
            if "崩溃" in text:
                os._exit(3)
            while "卡住" in text:
                time.sleep(0.05)
            time.sleep(TOKEN_SECONDS)
            yield index


class _Model:
    def __init__(self) -> None:
        self.llm = _LanguageModel()
        self.token_hop_len = FIRST_HOP
        self.tts_speech_token_dict: dict[str, list[int]] = {}
        self.llm_end_dict: dict[str, bool] = {}

    def tts(self, text: str) -> Iterator[dict[str, Any]]:
        session = str(uuid.uuid1())
        self.tts_speech_token_dict[session], self.llm_end_dict[session] = [], False

        def generate() -> None:
            for token in self.llm.inference(text):
                self.tts_speech_token_dict[session].append(token)
            self.llm_end_dict[session] = True

        thread = threading.Thread(target=generate, daemon=True)
        thread.start()
        given = 0
        while True:  # for ever, when the thread dies
            time.sleep(0.002)
            tokens = len(self.tts_speech_token_dict[session])
            if tokens - given >= self.token_hop_len:
                yield {"tts_speech": _tone(self.token_hop_len)}
                given += self.token_hop_len
                self.token_hop_len = min(115, self.token_hop_len * 2)
            elif self.llm_end_dict[session]:
                break
        if tokens == 0:
            raise RuntimeError("an empty tensor")
        if tokens > given:
            yield {"tts_speech": _tone(tokens - given)}
        del self.tts_speech_token_dict[session], self.llm_end_dict[session]


class AutoModel:
    """Of `model_dir`."""

    def __init__(self, *, model_dir: str) -> None:
        self._calls = Path(model_dir) / "CALLS"
        if (Path(model_dir) / "BROKEN").exists():
            raise FileNotFoundError(f"{model_dir}/llm.pt")
        time.sleep(0.05)
        self.sample_rate = RATE
        self.model = _Model()

    def inference_zero_shot(self, tts_text: str, prompt_text: str, prompt_wav: str, **options: Any) -> Iterator[Any]:
        """Speak with the recording's voice."""
        assert "<|endofprompt|>" in prompt_text
        return self._spoken("zero_shot", tts_text, prompt_text, prompt_wav, options)

    def inference_cross_lingual(self, tts_text: str, prompt_wav: str, **options: Any) -> Iterator[Any]:
        """Speak another language with the recording's voice."""
        assert "<|endofprompt|>" in tts_text
        return self._spoken("cross_lingual", tts_text, "", prompt_wav, options)

    def inference_instruct2(self, tts_text: str, instruct_text: str, prompt_wav: str, **options: Any) -> Iterator[Any]:
        """Speak as told."""
        assert "<|endofprompt|>" in instruct_text
        return self._spoken("instruct2", tts_text, instruct_text, prompt_wav, options)

    def _spoken(self, mode: str, text: str, said: str, wav: str, options: dict[str, Any]) -> Iterator[Any]:
        if not text:
            raise IndexError("list index out of range")
        assert Path(wav).exists()
        assert options.get("speed", 1.0) == 1.0
        assert not options.get("zero_shot_spk_id")
        call = {
            "mode": mode, "text": text, "said": said, "hop": self.model.token_hop_len, "seeds": common.seeds,
            "sessions": len(self.model.tts_speech_token_dict),
        }  # fmt: skip
        with self._calls.open("a") as file:
            file.write(json.dumps(call) + "\n")
        yield from self.model.tts(text)


def _tone(tokens: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    at = np.arange(tokens * SAMPLES_A_TOKEN) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32).reshape(1, -1)
