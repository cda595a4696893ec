"""The controllers of a cluster: of several replicas of the control plane they run where one leads."""

import asyncio
from collections.abc import Callable

from isoline.apps import Target, load_catalog
from isoline.cluster.source import Source
from isoline.controllers.apps import Apps
from isoline.controllers.clock import Clock
from isoline.controllers.runner import Loop, Runner


class Operator:
    """Makes Apps real while this replica leads.

    `https_port` is the one that clients see; `offered_kinds` are those that the cluster has beyond every cluster's.
    """

    def __init__(
        self, source: Source, clock: Clock, *, https_port: int, offered_kinds: Callable[[], frozenset[str]]
    ) -> None:
        self._source = source
        self._clock = clock
        self._https_port = https_port
        self._offered_kinds = offered_kinds
        self._loop: Loop | None = None
        self._catalog = load_catalog()
        self._runner: Runner | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def lead(self, leading: bool) -> None:
        """Look at every App and go on following them, or end. Needs a running event loop."""
        if leading and self._runner is None:
            # A new one each time: what an earlier term knew of Apps, another leader may have changed.
            apps = Apps(
                self._source,
                self._catalog,
                self._clock,
                https_port=lambda: self._https_port,
                target=Target.KUBERNETES,
                offered_kinds=self._offered_kinds,
            )
            self._loop = Loop(apps, self._clock)
            self._runner = Runner(self._source.store, (self._loop,))
            self._runner.start()
        elif not leading and self._runner is not None:
            task = asyncio.create_task(self._runner.stop(), name="operator ends")
            self._runner = self._loop = None
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def look_at_all(self) -> None:
        """Look at every App again, where this replica leads: the cluster offers other kinds."""
        if self._loop is not None:
            for key in self._loop.reconciler.everything():
                self._loop.add(key)

    async def stop(self) -> None:
        """End, and return when it has ended."""
        self.lead(False)
        await asyncio.gather(*self._ending)
