"""How much audio the embedded engine makes in a second, when as many listen as it has workers."""

import asyncio
import os
import time
from typing import Any

from benchmarks import speech
from benchmarks.stack import Stack

SECONDS = 8.0
PARAGRAPHS = 20


async def measure() -> dict[str, Any]:
    """Seconds of audio that come over HTTPS in each second, by style."""
    async with speech.studio() as stack:
        return {
            style: round(await _made_in_a_second(stack, how), 1)
            for style, how in (("plain", ""), ("feeling", speech.FEELING))
        }


async def _made_in_a_second(stack: Stack, how: str) -> float:
    clients = os.cpu_count() or 1
    async with speech.connected(stack, clients) as session:
        started = time.perf_counter()

        async def client() -> float:
            seconds = 0.0
            while time.perf_counter() - started < SECONDS:
                text = speech.TEXT * PARAGRAPHS
                seconds += (await speech.speak(session, stack.https_port, input=text, instructions=how)).audio
            return seconds

        heard = await asyncio.gather(*(client() for _ in range(clients)))
        return sum(heard) / (time.perf_counter() - started)
