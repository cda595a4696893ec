"""A worker of one utterance's own, for output that is the same every time.

espeak-ng lets a voice flutter a little, goes on with that from one text to the next, and has no way to begin again. So
the parts of an utterance with a seed are spoken by a process that has spoken nothing before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from isoline_voice.engines.embedded.pool import PROGRESS_TIMEOUT
from isoline_voice.engines.embedded.process import JobFailedError, Worker, WorkerDiedError
from isoline_voice.engines.embedded.worker import Job
from isoline_voice.engines.protocol import Priority
from isoline_voice.errors import SynthesisError, SynthesisTimeoutError


class FreshWorker:
    """Speaks like a WorkerPool, with one process that is started for the first job and ended by `release`.

    `room` bounds how many of them there are at a time.
    """

    def __init__(self, room: asyncio.Semaphore, *, rate: int) -> None:
        self.rate = rate
        self._room = room
        self._worker: Worker | None = None

    async def speak(
        self,
        job: Job,
        sink: Callable[[bytes], None],
        *,
        restarted: Callable[[], None],  # noqa: ARG002 (begun again it would not be the same)
        client: str = "",  # noqa: ARG002 (nobody else waits for this process)
        priority: Priority = "interactive",  # noqa: ARG002
    ) -> None:
        """Speak a job; raises SynthesisError, SynthesisTimeoutError or EngineUnavailableError."""
        if self._worker is None:
            await self._room.acquire()
            self._worker = worker = Worker(lambda _: None)
            self.rate = await worker.start()
        try:
            await self._worker.speak(job, sink, progress_timeout=PROGRESS_TIMEOUT)
        except WorkerDiedError as error:
            raise SynthesisTimeoutError("The speech worker ended while it spoke; try again.") from error
        except JobFailedError as error:
            raise SynthesisError(f"The speech engine could not speak this text: {error}.") from error

    async def release(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            self._room.release()
            await worker.kill()
