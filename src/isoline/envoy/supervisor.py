"""Keeps an Envoy running: restarts it after a crash, replaces it without a refused connection, drains it at the end."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from isoline.envoy import instances, waiting
from isoline.envoy.admin import AdminClient
from isoline.envoy.bootstrap import BootstrapSettings
from isoline.envoy.instances import EnvoyError, Instance, Plan
from isoline.processes import ExitStatus, LogFile, ProcessTable, StartError

Reason = Literal["Started", "Adopted", "Crashed", "Replaced", "ReplaceFailed", "Retired", "Stopped"]
State = Literal["stopped", "running", "backing-off", "draining"]

FIRST_BACK_OFF = 0.1
LONGEST_BACK_OFF = 30.0
STABLE_SECONDS = 60.0
"""An Envoy that ran that long has no earlier crashes held against it."""
_RETIRE_MARGIN = 2.0
_EXIT_GRACE = 5.0


@dataclass(frozen=True)
class EnvoyEvent:
    """Something that an operator would like to know of."""

    reason: Reason
    message: str
    at: float


class Envoy:
    """The Envoy of one state folder. It goes on running when this object, or its process, comes to an end.

    `directory` is for its files. `drain_seconds` is how long connections may go on after a hot restart, or after the
    listener that they came by was removed. `on_event` is called with what happens, in the event loop.
    """

    def __init__(
        self,
        table: ProcessTable,
        directory: Path,
        settings: BootstrapSettings,
        concurrency: int | None = None,
        *,
        drain_seconds: int = 600,
        on_event: Callable[[EnvoyEvent], None] | None = None,
    ) -> None:
        self._table = table
        self._directory = directory.absolute()
        self._plan = Plan(settings=settings, concurrency=concurrency, drain_seconds=drain_seconds)
        self._on_event = on_event
        self._current: Instance | None = None
        self._living: list[Instance] = []
        self._state: State = "stopped"
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._crashes = 0
        self._restarts = 0
        self._last_words = ""

    @property
    def state(self) -> State:
        """What it is doing; `running` means that there is a process, `wait_ready` that it takes requests."""
        return self._state

    @property
    def restarts(self) -> int:
        """How often it was started again after a crash, by this supervisor."""
        return self._restarts

    @property
    def last_words(self) -> str:
        """The end of its log at its last crash; empty if it never crashed."""
        return self._last_words

    @property
    def pid(self) -> int | None:
        """The pid of the Envoy that takes new connections; None while there is none."""
        process = None if self._current is None else self._current.process
        return process.pid if process is not None and process.alive else None

    @property
    def admin(self) -> AdminClient:
        """The admin interface of the Envoy that takes new connections; raises EnvoyError before there is one."""
        if self._current is None:
            raise EnvoyError("Envoy was not started yet")
        return self._current.admin

    @property
    def logs(self) -> list[LogFile]:
        """The logs of all Envoys of this folder; two when there was a hot restart."""
        return [process.log for process in self._table.processes if process.labels.get("component") == "envoy"]

    async def start(self) -> None:
        """Take over the Envoy that runs already, or start one; it asks for its configuration from then on.

        One that runs with another bootstrap is replaced in the background, as by `reconfigure`. Raises StartError if
        there is none and none can be started.
        """
        await self._take_over()
        if self._current is None:
            await self._start_afresh()
        elif self._current.digest != self._plan.digest:
            self._run(self._replace_adopted(self._current))
        self._state = "running"
        for instance in self._living:
            if instance is not self._current and self._current is not None:
                self._run(self._retire(instance, successor=self._current))

    async def reconfigure(self, settings: BootstrapSettings) -> None:
        """Run with other settings: a new process takes over, the old one serves its connections to their end.

        Returns when the new one takes connections, at once if nothing differs. Raises EnvoyError if it does not get
        that far; the old one goes on then.
        """
        plan = replace(self._plan, settings=settings)
        if self._state == "backing-off":
            # The next attempt is made with these; perhaps they are what it takes.
            self._plan = plan
            return
        async with self._changing:
            if self._state == "running" and self._current is not None and self._current.digest != plan.digest:
                await self._replace(self._current, plan)
            self._plan = plan

    async def wait_ready(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait until it takes requests, which it does when it has its first configuration.

        Raises EnvoyError, with its last words, if that takes more than `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._current is None or not await self._current.admin.ready():  # noqa: ASYNC110
                    await asyncio.sleep(waiting.LOOK_AGAIN_SECONDS)
        except TimeoutError:
            crashed = f". It crashed {self._restarts} times and said: {self._last_words}" if self._restarts else ""
            raise EnvoyError(f"Envoy is not ready after {timeout:g} s{crashed}") from None

    async def stop(self, drain: float) -> None:
        """End every Envoy of this folder, also one that an earlier control plane left.

        No new connections are taken; what is being served has `drain` seconds to finish.
        """
        self._find()
        await self.detach()
        self._state = "draining"
        await asyncio.gather(*(waiting.drained(instance, drain) for instance in self._living))
        await asyncio.gather(*(instance.process.stop(_EXIT_GRACE) for instance in self._living))
        instances.clean(self._directory)
        self._living.clear()
        self._current = None
        self._state = "stopped"
        self._tell("Stopped", "Envoy has ended")

    async def detach(self) -> None:
        """Stop looking after it and let it run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _find(self) -> None:
        known = {instance.process.name for instance in self._living}
        adopted = instances.adopt(self._table, self._directory)
        self._living += [instance for instance in adopted if instance.process.name not in known]

    async def _take_over(self) -> None:
        """Look after the newest Envoy that takes connections, and see the others to their end."""
        self._find()
        for instance in reversed(self._living):
            if await waiting.answers(instance):
                self._promote(instance)
                self._tell("Adopted", f"Envoy {instance.version} was running as process {self.pid} and was taken over")
                return

    async def _launch(self, *, parent: Instance | None, plan: Plan | None = None) -> Instance:
        instance = await instances.start(
            self._table, self._directory, plan or self._plan, living=self._living, parent=parent
        )
        self._living.append(instance)
        return instance

    async def _start_afresh(self) -> None:
        instance = await self._launch(parent=None)
        self._promote(instance)
        self._tell("Started", f"Envoy {instance.version} runs as process {self.pid}")

    def _promote(self, instance: Instance) -> None:
        """Make it the one that is kept running."""
        self._current = instance
        self._run(self._watch(instance))

    async def _watch(self, instance: Instance) -> None:
        status = await instance.process.wait()
        async with self._changing:
            self._forget(instance)
            if instance is self._current:
                await self._restart(instance, status)

    async def _restart(self, instance: Instance, status: ExitStatus) -> None:
        self._state = "backing-off"
        if status.at - instance.process.started_at >= STABLE_SECONDS:
            self._crashes = 0
        said = instances.own_words(status.last_words)
        how = f"Envoy {status}"
        while True:
            delay = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** min(self._crashes, 16))
            self._crashes += 1
            self._last_words = said
            self._tell("Crashed", f"{how}; it is started again in {delay:g} s. Its last words: {said or 'none'}")
            await asyncio.sleep(delay)
            self._restarts += 1
            try:
                await self._start_afresh()
            except (StartError, EnvoyError, OSError) as error:
                said, how = str(error), "Envoy could not be started"
            else:
                self._state = "running"
                return

    async def _replace_adopted(self, adopted: Instance) -> None:
        async with self._changing:
            if self._current is not adopted or self._state != "running":
                return
            try:
                await self._replace(adopted, self._plan)
            except (StartError, EnvoyError, OSError) as error:
                self._tell("ReplaceFailed", f"Envoy goes on with the settings that it was started with: {error}")

    async def _replace(self, old: Instance, plan: Plan) -> None:
        new = await self._launch(parent=old, plan=plan)
        try:
            await waiting.takes_connections(new)
        except BaseException:
            await new.process.stop(grace=0)
            self._forget(new)
            raise
        self._promote(new)
        self._run(self._retire(old, successor=new))
        self._tell(
            "Replaced", f"Envoy runs as process {new.process.pid} now; process {old.process.pid} drains and ends"
        )

    async def _retire(self, old: Instance, *, successor: Instance) -> None:
        """See an Envoy that was replaced to its end.

        After a hot restart its successor ends it when its time is over. Nobody else may, nor earlier: a successor that
        misses it then aborts (seen with Envoy 1.40). Only what has lost its successor is ended here.
        """
        restarted_hot = old.base_id == successor.base_id
        if not restarted_hot and await old.admin.ready():
            await waiting.drained(old, self._plan.drain_seconds)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.parent_shutdown_seconds + _RETIRE_MARGIN):
                    await old.process.wait()
        await old.process.stop(_EXIT_GRACE)
        self._forget(old)
        self._tell("Retired", f"Envoy process {old.process.pid} had its time to serve its connections and ended")

    def _forget(self, instance: Instance) -> None:
        if instance in self._living:
            self._living.remove(instance)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, reason: Reason, message: str) -> None:
        if self._on_event is not None:
            self._on_event(EnvoyEvent(reason, message, time.time()))
