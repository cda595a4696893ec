"""The GPU worker as the studio sees it: kept running, one job at a time, cancelled, watched for progress."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import AsyncGenerator

from isoline_voice.engines.cosyvoice.frames import AUDIO, CANCEL, DONE, HEADER, JOB, READY, Job, frame, json_frame
from isoline_voice.engines.cosyvoice.worker import BROKEN, OUT_OF_MEMORY
from isoline_voice.errors import EngineUnavailableError, SynthesisError, SynthesisTimeoutError

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 30.0
SETTLE_SECONDS = 2.0
"""How long a cancelled job may take to end before the worker is replaced."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
USUAL_START = 20.0
LARGEST_FRAME = 64 * 1024 * 1024


class GpuWorker:
    """Keeps one worker process on the model in `folder`; `environment` is the process's, ours unless given."""

    def __init__(
        self, folder: str, *, environment: dict[str, str] | None = None, progress: float = PROGRESS_SECONDS
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._progress = progress
        self._turn = asyncio.Lock()
        self._frames: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[None]] = set()
        self._start_seconds = USUAL_START
        self.rate = 0
        self.restarts = 0
        self.waiting = 0
        self.ready = asyncio.Event()
        self.trouble = "the model is being loaded"

    @property
    def busy(self) -> bool:
        """Whether a job is being spoken, or has yet to end."""
        return self._turn.locked()

    async def start(self) -> None:
        """Begin to load the model; `ready` is set when it is there."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process."""
        for task in (*self._settling, *([self._keeping] if self._keeping else [])):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._keeping = None

    def unavailable(self) -> EngineUnavailableError:
        """What to answer while the worker is not ready, with the time after which to come back."""
        return EngineUnavailableError(f"CosyVoice3 is not ready: {self.trouble}.", retry_after=self._start_seconds)

    async def speak(self, job: Job) -> AsyncGenerator[bytes]:
        """The PCM of a job when the ones before it are done.

        Closed early it tells the worker to stop, and replaces it when it does not. Raises EngineUnavailableError (not
        ready, out of memory), SynthesisError or SynthesisTimeoutError.
        """
        self.waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self.waiting -= 1
        ended = False
        try:
            if not self.ready.is_set() or self._writer is None:
                ended = True
                raise self.unavailable()
            frames: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
            self._frames = frames
            self._writer.write(json_frame(JOB, job._asdict()))
            while not ended:
                kind, payload = await self._next(frames)
                if kind == AUDIO:
                    yield payload
                else:
                    ended = True
                    if kind != DONE:
                        raise self._failure(payload)
        except (EngineUnavailableError, SynthesisError):
            ended = True
            raise
        finally:
            if ended:
                self._turn.release()
            else:
                task = asyncio.create_task(self._settle(self._frames))
                self._settling.add(task)
                task.add_done_callback(self._settling.discard)

    async def _next(self, frames: asyncio.Queue[tuple[int, bytes] | None]) -> tuple[int, bytes]:
        try:
            received = await asyncio.wait_for(frames.get(), self._progress)
        except TimeoutError as error:
            self._kill("it made no progress")
            raise SynthesisTimeoutError("CosyVoice3 made no progress; its process is being replaced.") from error
        if received is None:
            raise self.unavailable()
        return received

    def _failure(self, payload: bytes) -> EngineUnavailableError | SynthesisError:
        told = json.loads(payload)
        if told["code"] == OUT_OF_MEMORY:
            self.ready.clear()
            self.trouble = "the GPU ran out of memory, and the model is being loaded again"
            return self.unavailable()
        assert told["code"] == BROKEN
        return SynthesisError(f"CosyVoice3 could not speak this text: {told['message']}.")

    async def _settle(self, frames: asyncio.Queue[tuple[int, bytes] | None]) -> None:
        """See a job to its end that nobody listens to any more."""
        try:
            if self._writer is not None:
                self._writer.write(frame(CANCEL))
            async with asyncio.timeout(SETTLE_SECONDS):
                while (received := await frames.get()) is not None and received[0] == AUDIO:
                    pass
        except TimeoutError:
            self._kill("it did not stop when it was told")
        finally:
            self._turn.release()

    def _kill(self, why: str) -> None:
        self.ready.clear()
        self.trouble = f"{why}, and the model is being loaded again"
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _keep(self) -> None:
        """Start the worker again whenever it ends."""
        pause = FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._run_once(began)
            except OSError as error:
                self.trouble = f"its process cannot be started: {error}"
            finally:
                was_ready = self.ready.is_set()
                self.ready.clear()
                self._frames.put_nowait(None)
            self.restarts += 1
            if was_ready:
                self.trouble = "its process ended, and the model is being loaded again"
            # One that was up for a while deserves a quick restart; one that cannot start does not.
            lasted = asyncio.get_running_loop().time() - began
            pause = FIRST_PAUSE if was_ready or lasted > LONGEST_PAUSE else min(LONGEST_PAUSE, pause * 2)
            log.warning("the CosyVoice3 worker ended (%s); starting another in %.1f s", self.trouble, pause)
            await asyncio.sleep(pause)

    async def _run_once(self, began: float) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "isoline_voice.engines.cosyvoice.worker", self._folder,
                stdin=theirs.fileno(), env=self._environment,
            )  # fmt: skip
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    kind, length = HEADER.unpack(await reader.readexactly(HEADER.size))
                    if length > LARGEST_FRAME:
                        break
                    self._received(kind, await reader.readexactly(length), began)
        finally:
            self._writer.close()
            self._writer = None
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _received(self, kind: int, payload: bytes, began: float) -> None:
        if kind == READY:
            self.rate = json.loads(payload)
            self._start_seconds = max(1.0, asyncio.get_running_loop().time() - began)
            self.ready.set()
        elif self.ready.is_set():
            self._frames.put_nowait((kind, payload))
        else:
            self.trouble = str(json.loads(payload)["message"])
