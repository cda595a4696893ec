"""Keys that wait for their turn: each is there once, and is never worked on twice at the same time."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

KeyType = TypeVar("KeyType")


class WorkQueue(Generic[KeyType]):
    """First come, first served. A key that is added while it is worked on comes again after that."""

    def __init__(self) -> None:
        self._waiting: deque[KeyType] = deque()
        self._dirty: set[KeyType] = set()
        self._active: set[KeyType] = set()
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, key: KeyType) -> None:
        """Ask for a key to be worked on."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        self._idle.clear()
        if key not in self._active:
            self._waiting.append(key)
            self._some.set()

    async def take(self) -> KeyType:
        """Return the next key, which is then active until `done` is called with it."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        key = self._waiting.popleft()
        self._dirty.discard(key)
        self._active.add(key)
        return key

    def done(self, key: KeyType) -> None:
        """The work on a key is over, for better or worse."""
        self._active.discard(key)
        if key in self._dirty:
            self._waiting.append(key)
            self._some.set()
        if not self._active and not self._dirty:
            self._idle.set()

    @property
    def busy(self) -> bool:
        """Whether there is a key or work."""
        return not self._idle.is_set()

    async def idle(self) -> None:
        """Wait until there is neither a key nor work."""
        await self._idle.wait()
