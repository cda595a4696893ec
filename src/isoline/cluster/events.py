"""What happened, one line each, as Kubernetes' events: kept in memory, the newest few thousand."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Literal

import msgspec

from isoline.objects import Key

RETAINED_EVENTS = 2000
REPEAT_WINDOW = 600.0

Severity = Literal["Normal", "Warning"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an object, once or several times in a row."""

    position: int
    """Grows with each thing that happens: a repeated event moves to the end under a new position."""
    type: Severity
    reason: str
    """One word in CamelCase, for machines."""
    about: Key
    message: str
    """One sentence, for people."""
    first_seen: float
    last_seen: float
    """Epoch seconds."""
    count: int = 1


class EventLog:
    """A ring of events. What repeats within ten minutes is counted, not listed again."""

    def __init__(self, *, retained: int = RETAINED_EVENTS, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=retained)
        self._latest: dict[tuple[Key, str, str], Event] = {}
        self._position = 0
        self._changed = asyncio.Event()

    @property
    def position(self) -> int:
        return self._position

    def normal(self, about: Key, reason: str, message: str) -> Event:
        return self._record("Normal", about, reason, message)

    def warning(self, about: Key, reason: str, message: str) -> Event:
        return self._record("Warning", about, reason, message)

    def about(self, key: Key) -> list[Event]:
        """The events of one object, oldest first."""
        return [event for event in self._events if event.about == key]

    def after(self, position: int = 0) -> list[Event]:
        """What is retained of the events after a position, oldest first."""
        return [event for event in self._events if event.position > position]

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Events after a position as they happen. A follower that is too slow misses the oldest."""
        while True:
            changed = self._changed
            for event in self.after(after):
                after = event.position
                yield event
            if after >= self._position:
                await changed.wait()

    def _record(self, severity: Severity, about: Key, reason: str, message: str) -> Event:
        now = self._clock()
        self._position += 1
        identity = (about, reason, message)
        first_seen, count = now, 1
        earlier = self._latest.get(identity)
        if earlier is not None and now - earlier.last_seen <= REPEAT_WINDOW:
            first_seen, count = earlier.first_seen, earlier.count + 1
            self._events.remove(earlier)
        elif len(self._events) == self._events.maxlen:
            oldest = self._events[0]
            if self._latest.get((oldest.about, oldest.reason, oldest.message)) is oldest:
                del self._latest[oldest.about, oldest.reason, oldest.message]
        event = Event(
            position=self._position,
            type=severity,
            reason=reason,
            about=about,
            message=message,
            first_seen=first_seen,
            last_seen=now,
            count=count,
        )
        self._events.append(event)
        self._latest[identity] = event
        self._changed.set()
        self._changed = asyncio.Event()
        return event
