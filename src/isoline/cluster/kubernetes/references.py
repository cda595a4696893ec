"""Single objects that somebody looks up: what else there is of their kind is not kept here.

A cluster holds Secrets that are none of our business. Those of type `kubernetes.io/tls` are followed together; any
other only when it is referenced, by a watch that the server narrows to its name. That is a connection for each, so
when they are many one watch takes their place: what passes it and is not referenced is dropped unread.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.reflector import Reflector, Sink
from isoline.objects import Key
from isoline.objects.registry import BY_NAME

SETTLE_SECONDS = 10.0
"""How long a start waits for what is referenced."""
SINGLES = 64
"""So many are followed one by one, or looked for at a time."""


class References:
    """The objects of one kind that are looked up and that `known` does not say are followed otherwise.

    `others` is the field selector of all that may be looked up, for when they are followed together in `namespaces`.
    """

    def __init__(
        self,
        client: Client,
        kind: str,
        sink: Sink,
        *,
        known: Callable[[Key], bool],
        others: str = "",
        namespaces: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._kind = BY_NAME[kind]
        self._sink = sink
        self._known = known
        self._others = others
        self._namespaces = namespaces or (None,)
        self._wanted: set[Key] = set()
        self._following: dict[Key, tuple[Reflector, asyncio.Task[None]]] = {}
        self._together: list[Reflector] = []
        self._of_together: set[Key] = set()
        self._running: list[asyncio.Task[None]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(SINGLES)

    def __len__(self) -> int:
        return len(self._following) + len(self._of_together)

    @property
    def reflectors(self) -> list[Reflector]:
        return [*(reflector for reflector, _ in self._following.values()), *self._together]

    def want(self, key: Key, wanted: bool) -> None:
        """Follow an object, or no longer. Needs a running event loop."""
        if wanted:
            self._wanted.add(key)
        else:
            self._wanted.discard(key)
        self.look_at(key)

    def look_at(self, key: Key) -> None:
        """What is known of an object otherwise has changed, or whether it is wanted."""
        needed = self._needs(key)
        followed = key in self._following or key in self._of_together
        if needed and not followed:
            if not self._together and len(self._following) >= SINGLES:
                self._follow_together()
            self._follow(key)
        elif not needed and followed:
            self._of_together.discard(key)
            self._end(key)
            if not self._known(key):
                self._sink.changed((), (key,), version="")

    async def settled(self) -> None:
        """Wait until each has been looked for, or the server did not say in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                for reflector in self.reflectors:
                    await reflector.settled.wait()

    async def stop(self) -> None:
        tasks = [*(task for _, task in self._following.values()), *self._running, *self._ending]
        self._following.clear()
        self._of_together.clear()
        self._wanted.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _needs(self, key: Key) -> bool:
        return key in self._wanted and not self._known(key)

    def _follow(self, key: Key) -> None:
        selector = f"metadata.name={key.name}"
        reflector = Reflector(self._client, self._kind, self._sink, namespace=key.namespace, field_selector=selector)
        work = self._look_once(key, reflector) if self._together else reflector.run()
        self._following[key] = (reflector, asyncio.create_task(work, name=f"follow {key}"))

    def _end(self, key: Key) -> None:
        found = self._following.pop(key, None)
        if found is not None:
            _, task = found
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    def _follow_together(self) -> None:
        self._together = [
            Reflector(
                self._client,
                self._kind,
                self._sink,
                namespace=namespace,
                field_selector=self._others,
                wanted=self._needs,
            )
            for namespace in self._namespaces
        ]
        for each in self._together:
            self._running.append(asyncio.create_task(each.run(), name=f"follow {self._kind.plural} together"))
        for key, (reflector, _) in list(self._following.items()):
            self._end(key)
            self._following[key] = (reflector, asyncio.create_task(self._look_once(key, reflector)))

    async def _look_once(self, key: Key, reflector: Reflector) -> None:
        """What passed by before somebody wanted it is looked for by its name; what comes later is told together."""
        async with self._slots:
            looking = asyncio.create_task(reflector.run(), name=f"look for {key}")
            try:
                await reflector.settled.wait()
                for each in self._together:
                    await each.settled.wait()
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        told = reflector.keys()
        for each in self._together:
            if each.namespace in (None, key.namespace) and key in told:
                each.adopt(key)
        self._of_together.add(key)
        self._following.pop(key, None)
