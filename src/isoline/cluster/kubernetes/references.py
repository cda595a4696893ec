"""Single objects that somebody looks up, followed one by one: what else there is of their kind never comes here.

A cluster holds Secrets that are none of our business. Those of type `kubernetes.io/tls` are followed together; any
other only when it is referenced, by a watch that the server narrows to its name.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.reflector import Reflector, Sink
from isoline.objects import Key
from isoline.objects.registry import BY_NAME

SETTLE_SECONDS = 10.0
"""How long a start waits for what is referenced."""


class References:
    """The objects of one kind that are looked up and that `known` does not say are followed otherwise."""

    def __init__(self, client: Client, kind: str, sink: Sink, *, known: Callable[[Key], bool]) -> None:
        self._client = client
        self._kind = BY_NAME[kind]
        self._sink = sink
        self._known = known
        self._wanted: set[Key] = set()
        self._following: dict[Key, tuple[Reflector, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._following)

    @property
    def reflectors(self) -> list[Reflector]:
        return [reflector for reflector, _ in self._following.values()]

    def want(self, key: Key, wanted: bool) -> None:
        """Follow an object, or no longer. Needs a running event loop."""
        if wanted:
            self._wanted.add(key)
        else:
            self._wanted.discard(key)
        self.look_at(key)

    def look_at(self, key: Key) -> None:
        """What is known of an object otherwise has changed, or whether it is wanted."""
        needed = key in self._wanted and not self._known(key)
        if needed and key not in self._following:
            reflector = Reflector(
                self._client,
                self._kind,
                self._sink,
                namespace=key.namespace,
                field_selector=f"metadata.name={key.name}",
            )
            task = asyncio.create_task(reflector.run(), name=f"follow {key}")
            self._following[key] = (reflector, task)
        elif not needed and key in self._following:
            _, task = self._following.pop(key)
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()
            if not self._known(key):
                self._sink.changed((), (key,), version="")

    async def settled(self) -> None:
        """Wait until each has been looked for, or the server did not say in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                for reflector in self.reflectors:
                    await reflector.settled.wait()

    async def stop(self) -> None:
        tasks = [*(task for _, task in self._following.values()), *self._ending]
        self._following.clear()
        self._wanted.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
