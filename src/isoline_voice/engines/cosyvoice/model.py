"""CosyVoice3's Python API with its traps closed. One job at a time; runs in the GPU worker only.

What each trap does is told where it is closed.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from isoline_voice.engines.cosyvoice.frames import Job

SYSTEM = "You are a helpful assistant."
END_OF_PROMPT = "<|endofprompt|>"
TOKENS = ("<|", "|>")


class OutOfMemoryError(Exception):
    """The GPU has no room; nothing that this process does afterwards can be relied on."""


class CosyVoiceModel:
    """The model in `folder`."""

    def __init__(self, folder: str) -> None:
        module = importlib.import_module("cosyvoice.cli.cosyvoice")
        # Keywords only, and no load_jit, which CosyVoice3 does not know.
        self._model = module.AutoModel(model_dir=folder)
        self._inner = self._model.model
        self._hop = getattr(self._inner, "token_hop_len", None)
        self._cancelled = threading.Event()
        self._trouble: BaseException | None = None
        self._inner.llm.inference = self._guarded(self._inner.llm.inference)

    @property
    def rate(self) -> int:
        """Hertz of what `speak` gives."""
        return int(self._model.sample_rate)

    def cancel(self) -> None:
        """End the running job soon; called from another thread."""
        self._cancelled.set()

    def speak(self, job: Job) -> Iterator[bytes]:
        """The job's int16 PCM as the model makes it; ends early after `cancel`.

        Raises OutOfMemoryError, or what the model raised.
        """
        self._cancelled.clear()
        self._trouble = None
        # The model lengthens its first chunk with every stream and never sets it back: 1.6 s become 4.6 s.
        if self._hop is not None:
            self._inner.token_hop_len = self._hop
        if job.seed is not None:
            importlib.import_module("cosyvoice.utils.common").set_all_random_seed(job.seed)
        try:
            # Taken to its end even when nobody listens: closed early it would leave its session's state behind.
            for chunk in self._inference(job):
                if not self._cancelled.is_set() and self._trouble is None:
                    yield _pcm(chunk["tts_speech"])
        except Exception as error:
            # After its thread has failed, or was stopped, the model stumbles over what is missing.
            if self._trouble is None and not self._cancelled.is_set():
                raise _known(error) from error
        finally:
            self._forget_sessions()
        if self._trouble is not None:
            raise _known(self._trouble) from self._trouble

    def _inference(self, job: Job) -> Iterator[dict[str, Any]]:
        text = _without_tokens(job.text)
        said = _without_tokens(job.said)
        # No saved speaker anywhere: with one, instruct2 ignores its instruction and sft raises a KeyError.
        # Speed stays 1: streams know no other.
        match job.mode:
            case "zero_shot":
                prompt = f"{SYSTEM}{END_OF_PROMPT}{said}"
                chunks = self._model.inference_zero_shot(text, prompt, job.recording, stream=True)
            case "cross_lingual":
                # The text is split already: with a token in it the model neither normalises nor splits.
                prefixed = f"{SYSTEM}{END_OF_PROMPT}{text}"
                chunks = self._model.inference_cross_lingual(prefixed, job.recording, stream=True)
            case "instruct":
                prompt = f"{SYSTEM} {said}{END_OF_PROMPT}"
                chunks = self._model.inference_instruct2(text, prompt, job.recording, stream=True)
        yield from chunks

    def _guarded(self, inference: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """The language model's generator, which ends instead of raising: it runs in a thread of the model's, and when
        that thread dies the caller waits for ever. It also ends when the job is cancelled, which nothing else does."""

        def tokens(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                for token in inference(*args, **kwargs):
                    if self._cancelled.is_set():
                        return
                    yield token
            except Exception as error:
                self._trouble = error

        return tokens

    def _forget_sessions(self) -> None:
        """Clear what a failed or cancelled stream has left; only one runs at a time."""
        for name, value in vars(self._inner).items():
            if name.endswith("_dict") and isinstance(value, dict):
                value.clear()


def _pcm(speech: Any) -> bytes:
    import numpy as np

    samples = np.asarray(speech, dtype=np.float32).reshape(-1)
    pcm: bytes = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
    return pcm


def _without_tokens(text: str) -> str:
    for mark in TOKENS:
        text = text.replace(mark, " ")
    return text


def _known(error: BaseException) -> BaseException:
    """torch.cuda.OutOfMemoryError by its name, since torch is imported by the model only; older ones by their words."""
    if type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error).lower():
        return OutOfMemoryError(str(error))
    return error
