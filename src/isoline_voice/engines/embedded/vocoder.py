"""WORLD in processes of its own: it holds the interpreter for as long as it works, and others' audio must not wait."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from dataclasses import asdict
from typing import Any

from isoline_voice.audio.world import Shape, Timbre
from isoline_voice.engines.embedded.vocoder_worker import LENGTH, frames, timbre_from
from isoline_voice.engines.protocol import Reference
from isoline_voice.errors import InvalidRequestError, SynthesisError

TIMBRES_KEPT = 64


class Vocoder:
    """`size` processes at most, started when they are first needed."""

    def __init__(self, size: int) -> None:
        self._room = asyncio.Semaphore(size)
        self._idle: list[Process] = []
        self._timbres: OrderedDict[bytes, Timbre] = OrderedDict()

    async def reshape(self, pcm: bytes, rate: int, shape: Shape) -> bytes:
        """int16 PCM at `rate`, changed, of the same length; raises SynthesisError."""
        return (await self._ask({"shape": asdict(shape), "rate": rate}, pcm))[1]

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
