"""Whether a studio at an address really speaks: what a new version is asked before people are sent to it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from http import HTTPStatus
from typing import Any

import aiohttp
import numpy as np
import soundfile

from isoline_voice.errors import VoiceError

ANSWER_SECONDS = 60.0
TEXT = "你好，世界。 This is a test of the voice studio."
SHORTEST, LONGEST = 1.0, 30.0
"""Seconds that the text may take, whoever speaks it."""
PAUSE_SECONDS = 0.5
QUIETEST = 0.01
"""Root mean square of what counts as sound, of 1."""


class SmokeError(VoiceError):
    """The studio does not do what it should; the message says what."""

    code = "smoke_test_failed"


async def smoke(url: str, *, engine: str | None, ready: float) -> str:
    """Have the studio at `url` speak, with that engine if one is named; a sentence on what was heard.

    The engine is given a few seconds of the studio's own voice as its recording: a model speaks with no other. Raises
    SmokeError after `ready` seconds without readiness or without that engine, for silence, and for what is no audio.
    """
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(base_url=url.rstrip("/") + "/", timeout=timeout) as session:
        try:
            async with asyncio.timeout(ready):
                await _until_ready(session)
                audio, spoke = await _spoken(session, {})
                if engine not in (None, spoke):
                    recording = f"data:audio/wav;base64,{base64.b64encode(audio).decode()}"
                    audio = await _spoken_by(engine, session, {"ref_audio": recording, "ref_text": TEXT})
                    spoke = engine
        except TimeoutError as error:
            wanted = f"speak with the engine {engine}" if engine else "get ready"
            raise SmokeError(f"{url} did not {wanted} in {ready:.0f} s: {(await _asked(session))[1]}.") from error
    return f"{spoke} spoke {_heard(audio):.1f} s"


async def _until_ready(session: aiohttp.ClientSession) -> None:
    while (await _asked(session))[0] != HTTPStatus.OK:  # noqa: ASYNC110 - what is waited for is elsewhere
        await asyncio.sleep(PAUSE_SECONDS)


async def _spoken_by(engine: str, session: aiohttp.ClientSession, fields: dict[str, Any]) -> bytes:
    """A WAV file, asked for until that engine speaks: others may speak while its model is loaded."""
    while True:
        audio, spoke = await _spoken(session, fields)
        if spoke == engine:
            return audio
        await asyncio.sleep(PAUSE_SECONDS)


async def _asked(session: aiohttp.ClientSession) -> tuple[int, str]:
    try:
        async with session.get("readyz") as answer:
            return answer.status, str(json.loads(await answer.text()).get("detail", ""))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return 0, str(error) or type(error).__name__


async def _spoken(session: aiohttp.ClientSession, fields: dict[str, Any]) -> tuple[bytes, str]:
    """A WAV file, and the engine that spoke."""
    try:
        async with session.post("v1/audio/speech", json={"input": TEXT, "response_format": "wav", **fields}) as answer:
            content = await answer.read()
            if answer.status != HTTPStatus.OK:
                raise SmokeError(f"{answer.url} answered {answer.status}: {content[:300].decode(errors='replace')}")
            return content, answer.headers.get("X-Voice-Engine", "")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SmokeError(f"The studio did not speak: {error or type(error).__name__}.") from error


def _heard(audio: bytes) -> float:
    """Its seconds; raises SmokeError for what cannot be heard."""
    try:
        samples, rate = soundfile.read(io.BytesIO(audio))
    except soundfile.LibsndfileError as error:
        raise SmokeError("What came is no WAV file.") from error
    seconds = float(len(samples) / rate)
    loudness = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    if not SHORTEST < seconds < LONGEST or loudness < QUIETEST:
        raise SmokeError(f"What came is no speech: {seconds:.1f} s of a loudness of {loudness:.3f}.")
    return seconds
