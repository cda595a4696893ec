"""The workers: one a core, jobs in turn, replaced when they die.

An utterance is many short jobs and has at most one of them here at a time, so a long text does not hold up a short
one, and a listener who takes the audio slowly holds no worker. Jobs that wait take turns by client, and what is a batch
waits for what is interactive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine

from isoline_voice.engines.embedded.process import JobFailedError, Worker, WorkerDiedError
from isoline_voice.engines.embedded.worker import Job
from isoline_voice.engines.protocol import Priority
from isoline_voice.errors import EngineUnavailableError, SynthesisError, SynthesisTimeoutError
from isoline_voice.scheduling.turns import Turns

log = logging.getLogger(__name__)

CANCEL_WITHIN = 0.1
PROGRESS_TIMEOUT = 5.0
TURN_TIMEOUT = 30.0
ATTEMPTS = 3
SLOWEST_RESTART = 5.0


class WorkerPool:
    """`size` worker processes (one a core unless told) and the queue in front of them."""

    def __init__(self, size: int | None = None, *, progress_timeout: float = PROGRESS_TIMEOUT) -> None:
        self.size = size or usable_cores()
        self.rate = 0
        self.restarts = 0
        self._progress_timeout = progress_timeout
        self._workers: set[Worker] = set()
        self._idle: deque[Worker] = deque()
        self._waiting: Turns[asyncio.Future[Worker]] = Turns()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._trouble = "it has not been started"

    @property
    def queued(self) -> int:
        """Jobs that wait for a worker."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """Workers that are speaking."""
        return sum(worker.busy for worker in self._workers)

    @property
    def alive(self) -> int:
        """Workers that can speak."""
        return len(self._workers)

    @property
    def trouble(self) -> str:
        """Why there is no worker, for a human."""
        return self._trouble

    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers."""
        return tuple(sorted(worker.pid for worker in self._workers if worker.pid is not None))

    async def start(self) -> None:
        """Start all workers; raises EngineUnavailableError if one cannot be started."""
        if self._running:
            return
        self._running = True
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.size):
                    group.create_task(self._add_worker())
        except ExceptionGroup as errors:
            # Caught whole: what is raised under `except*` comes out as a group again.
            unavailable, others = errors.split(EngineUnavailableError)
            await self.stop()
            if others is not None or unavailable is None:
                raise
            raise unavailable.exceptions[0] from None

    async def stop(self) -> None:
        """End all workers and turn away all who wait."""
        self._running, self._trouble = False, "it has been stopped"
        while (turn := self._waiting.next()) is not None:
            if not turn.done():
                turn.set_exception(EngineUnavailableError("The speech engine has been stopped."))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        workers = tuple(self._workers)
        self._workers.clear()
        self._idle.clear()
        await asyncio.gather(*(worker.kill() for worker in workers))
        await asyncio.sleep(0)  # lets the sockets close within this loop

    async def speak(
        self,
        job: Job,
        sink: Callable[[bytes], None],
        *,
        restarted: Callable[[], None],
        client: str = "",
        priority: Priority = "interactive",
    ) -> None:
        """Speak a job on the next free worker in the client's turn, handing raw PCM to `sink`.

        When the worker dies under it, the job is begun again on another one, after a call of `restarted`. Raises
        SynthesisError, SynthesisTimeoutError or EngineUnavailableError.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                restarted()
            worker = await self._turn(client, priority)
            try:
                await worker.speak(job, sink, progress_timeout=self._progress_timeout)
            except WorkerDiedError:
                log.warning("a speech worker ended while it spoke, attempt %d of %d", attempt + 1, ATTEMPTS)
                continue
            except JobFailedError as error:
                raise SynthesisError(f"The speech engine could not speak this text: {error}.") from error
            finally:
                self._give_back(worker)
            return
        raise SynthesisTimeoutError("The speech engine failed on this text each time it was tried.")

    async def release(self) -> None:
        """An utterance is over; its jobs held no worker between them."""

    async def _turn(self, client: str, priority: Priority) -> Worker:
        while self._idle and not self._waiting:
            worker = self._idle.popleft()
            if worker.alive:
                return worker
        if not self._running:
            raise EngineUnavailableError(f"The speech engine does not run: {self._trouble}.")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Worker] = loop.create_future()
        self._waiting.add(turn, client=client, priority=priority)
        expiry = loop.call_later(TURN_TIMEOUT, _expire, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came at the very moment at which it left
                self._give_back(turn.result())
            raise
        finally:
            expiry.cancel()
            self._waiting.remove(turn, client=client, priority=priority)

    def _give_back(self, worker: Worker) -> None:
        if worker.busy:
            self._spawn(self._settle(worker))
        elif worker.alive and self._running:
            self._offer(worker)

    def _offer(self, worker: Worker) -> None:
        while (turn := self._waiting.next()) is not None:
            if not turn.done():
                turn.set_result(worker)
                return
        self._idle.append(worker)

    async def _settle(self, worker: Worker) -> None:
        await worker.settle(within=CANCEL_WITHIN)
        if worker.alive and self._running:
            self._offer(worker)

    async def _add_worker(self) -> None:
        worker = Worker(self._lost)
        self.rate = await worker.start()
        self._workers.add(worker)
        if not worker.alive:  # it ended between its first word and now
            self._lost(worker)
            return
        self._offer(worker)

    def _lost(self, worker: Worker) -> None:
        if worker not in self._workers:
            return
        self._workers.discard(worker)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        self._spawn(self._replace(worker))

    async def _replace(self, lost: Worker) -> None:
        await lost.kill()
        pause = 0.0
        while self._running:
            self.restarts += 1
            try:
                await self._add_worker()
            except EngineUnavailableError as error:
                self._trouble = error.message
                pause = min(SLOWEST_RESTART, 2 * pause + 0.1)
                log.error("a speech worker cannot be replaced, next try in %.1f s: %s", pause, error.message)
                await asyncio.sleep(pause)
            else:
                return

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _expire(turn: asyncio.Future[Worker]) -> None:
    if not turn.done():
        turn.set_exception(SynthesisTimeoutError("No speech worker became free in time; try again later."))


def usable_cores() -> int:
    """The cores that this process may use, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
