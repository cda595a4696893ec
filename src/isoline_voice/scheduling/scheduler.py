"""Lets so many requests at a time to an engine, in turns by client, and turns the others away in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from isoline_voice.engines.protocol import Priority
from isoline_voice.errors import DeadlineError, EngineUnavailableError, QueueFullError
from isoline_voice.scheduling.turns import PRIORITIES, Turns

USUAL_SECONDS = 1.0
SMOOTHING = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`slots` requests are spoken at a time, `waiting` more wait, at most `waiting_a_client` of them for one client;
    what is a batch leaves one slot in `batch_share` free for what is interactive."""

    slots: int = 256
    waiting: int = 256
    waiting_a_client: int = 64
    batch_share: int = 4


class Slot:
    """The right to speak; `release` gives it to the next one, and may be called again."""

    def __init__(self, scheduler: Scheduler, priority: Priority) -> None:
        self._scheduler = scheduler
        self.priority = priority
        self.began = asyncio.get_running_loop().time()
        self._held = True

    def release(self) -> None:
        """It is over, however it ended."""
        if self._held:
            self._held = False
            self._scheduler.released(self)


class Scheduler:
    """Gives out slots."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._turns: Turns[_Waiter] = Turns()
        self._active = 0
        self._batches = 0
        self._usual = USUAL_SECONDS
        self._closed = False
        self.waited_seconds = 0.0
        """In all, of all requests."""

    @property
    def active(self) -> int:
        """Slots that are held."""
        return self._active

    @property
    def queued(self) -> int:
        """Requests that wait."""
        return len(self._turns)

    async def slot(self, *, client: str, priority: Priority, deadline: float | None) -> Slot:
        """A slot, in this client's turn.

        `deadline` is in seconds from now. Raises QueueFullError with the time after which to come back, DeadlineError,
        or EngineUnavailableError when the scheduler is closed meanwhile.
        """
        if self._closed:
            raise EngineUnavailableError("The studio is about to stop; try again elsewhere.")
        if not self._turns and self._has_room(priority):
            return self._give(priority)
        self._admit(client)
        waiter = _Waiter(priority, asyncio.get_running_loop().create_future())
        self._turns.add(waiter, client=client, priority=priority)
        self._hand_out()
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(asyncio.shield(waiter.granted), deadline)
        except TimeoutError as error:
            self._gave_up(waiter)
            raise DeadlineError("The request's deadline passed while it waited for its turn.") from error
        except asyncio.CancelledError:
            self._gave_up(waiter)
            raise
        finally:
            self.waited_seconds += asyncio.get_running_loop().time() - began
            self._turns.remove(waiter, client=client, priority=priority)
        return waiter.granted.result()

    def released(self, slot: Slot) -> None:
        """Called by a slot when it is over."""
        self._active -= 1
        self._batches -= slot.priority == "batch"
        held = asyncio.get_running_loop().time() - slot.began
        self._usual += SMOOTHING * (held - self._usual)
        self._hand_out()

    def close(self) -> None:
        """Turn away all who wait and all who come."""
        self._closed = True
        while (waiter := self._turns.next()) is not None:
            if not waiter.granted.done():
                waiter.granted.set_exception(EngineUnavailableError("The studio is about to stop; try again."))

    def _admit(self, client: str) -> None:
        limits = self.limits
        if len(self._turns) >= limits.waiting:
            raise QueueFullError("As many requests wait as may; try again later.", retry_after=self._wait(self.queued))
        if self._turns.waiting(client) >= limits.waiting_a_client:
            own = self._turns.waiting(client)
            raise QueueFullError(
                f"{own} of your requests wait already; let some of them finish.", retry_after=self._wait(own)
            )

    def _wait(self, before: int) -> float:
        """Seconds until so many are likely to have had their turn."""
        return max(1.0, before * self._usual / max(1, self.limits.slots))

    @staticmethod
    def _gave_up(waiter: _Waiter) -> None:
        """Its turn may have come at the very moment at which it left."""
        if not waiter.granted.cancel() and waiter.granted.exception() is None:
            waiter.granted.result().release()

    def _has_room(self, priority: Priority) -> bool:
        limits = self.limits
        if self._active >= limits.slots:
            return False
        kept_free = limits.slots // limits.batch_share
        return priority == "interactive" or self._batches < max(1, limits.slots - kept_free)

    def _give(self, priority: Priority) -> Slot:
        self._active += 1
        self._batches += priority == "batch"
        return Slot(self, priority)

    def _hand_out(self) -> None:
        for priority in PRIORITIES:
            while self._has_room(priority) and (waiter := self._turns.take(priority)) is not None:
                if not waiter.granted.done():
                    waiter.granted.set_result(self._give(priority))


@dataclass(eq=False, slots=True)
class _Waiter:
    priority: Priority
    granted: asyncio.Future[Slot]
