"""WORLD in processes of its own: it holds the interpreter for as long as it works, and others' audio must not wait."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from isoline_voice.audio.levels import Samples, from_int16, to_int16
from isoline_voice.audio.world import Shape, Timbre
from isoline_voice.engines.embedded.vocoder_worker import LENGTH, frames, timbre_from
from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError, SynthesisError

TIMBRES_KEPT = 64
SHORTEST_BLOCK, LONGEST_BLOCK = 0.7, 1.4
"""Seconds; a listener waits for the first block only."""
LAP_SECONDS = 0.01


class Vocoder:
    """`size` processes at most, started when they are first needed."""

    def __init__(self, size: int) -> None:
        self._room = asyncio.Semaphore(size)
        self._idle: list[Process] = []
        self._timbres: OrderedDict[bytes, Timbre] = OrderedDict()

    async def reshape(self, pcm: bytes, rate: int, shape: Shape) -> AsyncGenerator[bytes]:
        """int16 PCM of a phrase at `rate`, changed, of the same length, block by block; raises SynthesisError.

        What is measured of the whole phrase, as for the likeness of a voice, takes it as one block.
        """
        samples = from_int16(pcm)
        cuts = [samples.size] if shape.like is not None else quiet_places(samples, rate)
        lap = int(LAP_SECONDS * rate)
        tail = np.zeros(0, dtype=np.float32)
        for start, end in zip([0, *cuts], cuts, strict=False):
            last = end == samples.size
            asked = shape if last else replace(shape, ending=0.0)
            block = to_int16(samples[start : end if last else end + lap])
            made = from_int16((await self._ask({"shape": asdict(asked), "rate": rate}, block))[1]).copy()
            if tail.size:
                ramp = np.linspace(0.0, 1.0, tail.size, dtype=np.float32)
                made[: tail.size] = made[: tail.size] * ramp + tail * (1.0 - ramp)
            tail = made[made.size :] if last else made[made.size - lap :]
            yield to_int16(made if last else made[: made.size - lap])

    async def timbre(self, reference: Reference) -> Timbre:
        """Whose voice a recording is; raises InvalidRequestError when it cannot be read or holds no voice."""
        key = hashlib.sha256(reference.audio).digest()
        if key not in self._timbres:
            told, _ = await self._ask({}, reference.audio)
            if "error" in told:
                raise InvalidRequestError(told["error"], param="voice", code="reference_unusable")
            self._timbres[key] = timbre_from(told["timbre"])
            while len(self._timbres) > TIMBRES_KEPT:
                self._timbres.popitem(last=False)
        self._timbres.move_to_end(key)
        return self._timbres[key]

    async def stop(self) -> None:
        """End the processes that are idle; one that works is ended by whoever waits for it."""
        while self._idle:
            await _end(self._idle.pop())

    async def _ask(self, told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        async with self._room:
            process = self._idle.pop() if self._idle else await _start()
            try:
                assert process.stdin is not None
                process.stdin.write(frames(told, data))
                await process.stdin.drain()
                answer, made = json.loads(await _frame(process)), await _frame(process)
            except (asyncio.IncompleteReadError, OSError) as error:
                await _end(process)
                raise SynthesisError("A process that shapes the voice ended; try again.") from error
            except BaseException:
                await _end(process)  # nobody waits for what it is doing
                raise
            self._idle.append(process)
            return answer, made


def quiet_places(samples: Samples, rate: int) -> list[int]:
    """Where to cut a phrase so that the first block is soon done and no cut is heard; the end is the last."""
    frame = rate // 100
    cuts: list[int] = []
    at = 0
    while samples.size - at > int((SHORTEST_BLOCK + LONGEST_BLOCK) * rate):
        first, last = at + int(SHORTEST_BLOCK * rate), at + int(LONGEST_BLOCK * rate)
        window = samples[first : first + (last - first) // frame * frame].reshape(-1, frame)
        at = first + int(np.argmin(np.square(window).sum(axis=1))) * frame
        cuts.append(at)
    return [*cuts, samples.size]


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "isoline_voice.engines.embedded.vocoder_worker", stdin=PIPE, stdout=PIPE
    )


async def _frame(process: Process) -> bytes:
    assert process.stdout is not None
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()  # closes the pipes as well
