"""One worker process as the studio sees it: start it, give it a job, cancel, notice its death."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import espeakng_loader

from isoline_voice.engines.embedded import worker
from isoline_voice.errors import EngineUnavailableError

START_TIMEOUT = 20.0


class WorkerDiedError(Exception):
    """The process ended, or was ended for making no progress, before the job was done."""


class JobFailedError(Exception):
    """The worker lives but could not speak the job; the message is espeak-ng's reason."""


class Worker(asyncio.Protocol):
    """A worker process and the socket to it.

    `speak` runs one job at a time. Any end of the process, for whatever reason, shows as the end of the socket: then
    the running job fails with WorkerDiedError and `died` is called once.
    """

    def __init__(self, died: Callable[[Worker], None]) -> None:
        self._died = died
        self._buffer = bytearray()
        self._ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._job: asyncio.Future[None] | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._progress = 0
        self._transport: asyncio.WriteTransport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.alive = False

    @property
    def pid(self) -> int | None:
        """The process's id, None before it is started."""
        return self._process.pid if self._process else None

    @property
    def busy(self) -> bool:
        """Whether it is speaking, or has yet to confirm that it has stopped."""
        return self._job is not None

    async def start(self) -> int:
        """Start the process; returns its sample rate. Raises EngineUnavailableError with the reason."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-S", str(Path(worker.__file__)), *_library()]
        try:
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        except OSError as error:
            ours.close()
            raise EngineUnavailableError(f"The speech worker cannot be started: {error}.") from error
        finally:
            theirs.close()
        self.alive = True
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), START_TIMEOUT)
        except (WorkerDiedError, TimeoutError) as error:
            await self.kill()
            raise EngineUnavailableError("The speech worker ends as soon as it is started; see its log.") from error
        except asyncio.CancelledError:
            await self.kill()
            raise

    async def speak(self, job: worker.Job, sink: Callable[[bytes], None], *, progress_timeout: float) -> None:
        """Speak a job, handing each buffer (int16 at the worker's rate) to `sink` as it arrives.

        Raises WorkerDiedError (also when nothing comes for `progress_timeout` seconds, after killing it) or
        JobFailedError. When the caller is cancelled the job goes on being `busy` until `settle` has stopped it.
        """
        if self._transport is None or not self.alive or self.busy:
            raise WorkerDiedError
        self._job = finished = asyncio.get_running_loop().create_future()
        self._sink = sink
        self._transport.write(job.to_bytes())
        while not finished.done():
            seen = self._progress
            await asyncio.wait({finished}, timeout=progress_timeout)
            if not finished.done() and self._progress == seen:
                await self.kill()
        self._job = self._sink = None
        finished.result()

    async def settle(self, *, within: float) -> None:
        """Stop a job whose caller is gone: ask, and after `within` seconds kill."""
        job = self._job
        if job is None:
            return
        self._sink = None
        if self._transport is not None and not job.done():
            self._transport.write(worker.CANCEL)
            await asyncio.wait({job}, timeout=within)
        if not job.done():
            await self.kill()
        with contextlib.suppress(WorkerDiedError, JobFailedError):
            await job
        self._job = None

    async def kill(self) -> None:
        """End the process now and wait until it is gone; may be called again."""
        process = self._process
        if process is None:
            return
        process.kill()
        if self._transport is not None:
            self._transport.close()
        try:
            await asyncio.to_thread(process.wait)
        except asyncio.CancelledError:
            process.wait()  # it was killed, so that is at once; left to itself it would stay behind as a zombie
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is up."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are not subclasses of it

    def data_received(self, data: bytes) -> None:
        """Take the whole frames out of what has come."""
        self._buffer += data
        size = worker.FRAME_HEADER.size
        at = 0
        while len(self._buffer) - at >= size:
            kind, length = worker.FRAME_HEADER.unpack_from(self._buffer, at)
            if len(self._buffer) - at < size + length:
                break
            self._frame(kind, bytes(self._buffer[at + size : at + size + length]))
            at += size + length
        del self._buffer[:at]

    def connection_lost(self, _exc: Exception | None) -> None:
        """The process is gone."""
        self.alive = False
        for waiting in (self._ready, self._job):
            if waiting is not None and not waiting.done():
                waiting.set_exception(WorkerDiedError())
                waiting.exception()  # nobody may be waiting any more, which is no reason to complain
        self._died(self)

    def _frame(self, kind: int, payload: bytes) -> None:
        self._progress += 1
        if kind == worker.READY:
            if not self._ready.done():
                self._ready.set_result(int(payload))
        elif kind == worker.AUDIO:
            if self._sink is not None:
                self._sink(payload)
        elif self._job is not None and not self._job.done():
            if kind == worker.DONE:
                self._job.set_result(None)
            else:
                self._job.set_exception(JobFailedError(payload.decode(errors="replace")))
                self._job.exception()


def _library() -> tuple[str, str]:
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
