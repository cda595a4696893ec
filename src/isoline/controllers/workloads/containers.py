"""One container of a replica: started, watched by its probes, started again when it ends."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from isoline.controllers.workloads import health, lifecycle, probes
from isoline.controllers.workloads.backoff import RestartBackoff
from isoline.controllers.workloads.exits import program_ended
from isoline.controllers.workloads.images import with_profile_probes
from isoline.controllers.workloads.launching import ContainerConfigError, Identity, Launch, launch, process_name
from isoline.controllers.workloads.machine import Machine
from isoline.controllers.workloads.ports import ADDRESS, real_port
from isoline.controllers.workloads.probes import Outcome, Target
from isoline.objects.containers import Container
from isoline.objects.meta import Key
from isoline.processes import ExitStatus, Process, StartError

CREATING = "ContainerCreating"
SHORTEST_RETRY = 1.0
"""Seconds until the next try when a program cannot even be started."""


class Waiting(NamedTuple):
    """Why something does not run: Kubernetes's word for it, and a sentence."""

    reason: str
    message: str


class ContainerRunner:
    """Keeps one container running. `changed` is called whenever what it shows has changed."""

    def __init__(
        self,
        container: Container,
        *,
        real: dict[int, int],
        about: Key,
        machine: Machine,
        changed: Callable[[], None],
    ) -> None:
        self.container = container
        self.real = real
        self.process: Process | None = None
        self.waiting: Waiting | None = Waiting(CREATING, f"container {container.name} is about to start")
        self.started = False
        self.ready = False
        self.unready_because = ""
        self.restarts = 0
        self.last_exit: ExitStatus | None = None
        self._about = about
        self._machine = machine
        self._changed = changed
        self._backoff = RestartBackoff()
        self._poked = asyncio.Event()
        self._label = f"container {container.name}"

    def poke(self) -> None:
        """Something that it waits for may have come."""
        self._poked.set()

    def adopt(self, process: Process, *, started: bool, ready: bool) -> None:
        """Go on with a process of an earlier run, which was believed to be so."""
        self.process, self.waiting = process, None
        self.started, self.ready = started, ready

    async def run(self, identity: Identity) -> None:
        """Run it, and again whenever it ends. A cancelled run leaves the process as it is."""
        while True:
            process = self.process or await self._start(identity)
            await self._supervise(process, identity)
            await self._back_off(ran_for=self._machine.clock.now() - process.started_at)

    async def complete(self, identity: Identity) -> None:
        """Run an init container, again until it has ended with 0."""
        while True:
            process = self.process or await self._start(identity)
            self.last_exit = await process.wait()
            if self.last_exit.code == 0:
                self.process = None
                return
            await self._back_off(ran_for=0.0)

    async def stop(self, identity: Identity, *, grace: float) -> None:
        """End it: its preStop hook, its stop signal, and SIGKILL when `grace` seconds are over."""
        process = self.process or self._machine.table.get(process_name(identity, self.container))
        if process is None or process.exit_status is not None:
            return
        began = self._machine.clock.now()
        hook = self.container.lifecycle.pre_stop if self.container.lifecycle is not None else None
        if hook is not None and process.alive:
            outcome = await lifecycle.run(hook, self._target(process), self._machine.clock, at_most=grace)
            if not outcome.success:
                self._warn("FailedPreStopHook", outcome.message)
        left = max(grace - (self._machine.clock.now() - began), 0.0)
        self.last_exit = await process.stop(left)

    async def _start(self, identity: Identity) -> Process:
        """Start the process, however long it takes until that is possible."""
        while True:
            try:
                self._machine.ports.renew(self.real)
                chosen = launch(self.container, identity, self.real, self._machine)
                self.process = await self._execute(chosen)
            except ContainerConfigError as error:
                if self.waiting != Waiting(error.reason, str(error)):
                    self._warn(error.reason, f"waits: {error}")
                self._wait(error.reason, str(error))
                self._poked.clear()
                await self._poked.wait()
            except StartError as error:
                delay = max(self._backoff.delay(ran_for=0.0), SHORTEST_RETRY)
                self._wait("RunContainerError", str(error))
                self._warn("Failed", str(error))
                await self._machine.clock.sleep(delay)
            else:
                self._begun(self.process, chosen, identity)
                return self.process

    async def _execute(self, chosen: Launch) -> Process:
        """Start a process, all of it or nothing: a start that is under way when we are cancelled is waited for."""
        before = self._machine.table.get(chosen.process.name)
        if before is not None:
            await before.wait()
        starting = asyncio.ensure_future(self._machine.table.start(chosen.process))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(StartError):
                self.process = await starting
            raise

    def _begun(self, process: Process, chosen: Launch, identity: Identity) -> None:
        self.waiting, self.started, self.unready_because = None, False, ""
        events = self._machine.events
        for note in chosen.notes:
            events.normal(self._about, "Substituted", note)
        events.normal(self._about, "Started", f"{self._label} of {identity.name} runs as process {process.pid}")
        self._changed()

    async def _supervise(self, process: Process, identity: Identity) -> None:
        """Wait until the process has ended, by itself or because a probe says that it must."""
        exited = asyncio.ensure_future(program_ended(process))
        watching = asyncio.ensure_future(self._look_after(process))
        try:
            await asyncio.wait((exited, watching), return_when=asyncio.FIRST_COMPLETED)
            # Out of the traffic first; how it ended can be found out after that.
            self.set_ready(False, "it is being restarted")
            if exited.done():
                self.last_exit = await process.wait()
                self._warn("Exited", str(self.last_exit))
            else:
                self._warn("Killing", f"is restarted: {watching.result()}")
                self.last_exit = await process.stop(self._grace(identity))
        finally:
            for task in (exited, watching):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _look_after(self, process: Process) -> str:
        """Returns why the process must be ended."""
        target = self._target(process)
        hook = self.container.lifecycle.post_start if self.container.lifecycle is not None else None
        if hook is not None and not self.started:
            outcome = await lifecycle.run(hook, target, self._machine.clock, at_most=None)
            if not outcome.success:
                return f"its postStart hook failed: {outcome.message}"
        return await health.watch(self._probed(), target, self._machine.clock, self)

    async def _back_off(self, *, ran_for: float) -> None:
        self.process = None
        self.restarts += 1
        delay = self._backoff.delay(ran_for=ran_for)
        if delay:
            ending = self._ending()
            self._wait("CrashLoopBackOff", f"{self._label} {ending}; it is started again after {delay:g} s")
            self._warn("BackOff", f"{ending}; it is started again after {delay:g} s")
            await self._machine.clock.sleep(delay)

    def has_started(self) -> None:
        """The startup probe has succeeded."""
        self.started = True
        self._changed()

    def set_ready(self, ready: bool, because: str) -> None:
        """Traffic may come, or may not for this reason."""
        if (ready, because) != (self.ready, self.unready_because):
            self.ready, self.unready_because = ready, because
            self._changed()

    def unhealthy(self, probe: str, outcome: Outcome) -> None:
        """A probe has failed often enough to count."""
        self._warn("Unhealthy", f"{probe} probe failed: {outcome.message}")

    def _probed(self) -> Container:
        return with_profile_probes(self.container, self._machine.catalog.profile_for_image(self.container.image))

    def _grace(self, identity: Identity) -> float:
        """Seconds to end in after a probe has failed."""
        liveness = self._probed().liveness_probe
        own = liveness.termination_grace_period_seconds if liveness is not None else None
        return identity.template.spec.termination_grace_period_seconds if own is None else own

    def _target(self, process: Process) -> Target:
        async def execute(command: tuple[str, ...], seconds: float) -> Outcome:
            return await probes.execute(command, seconds, env=process.spec.env, cwd=str(process.spec.cwd or "/"))

        return Target(
            address=ADDRESS, port=lambda wanted: real_port(wanted, self.container, self.real), execute=execute
        )

    def _wait(self, reason: str, message: str) -> None:
        self.waiting = Waiting(reason, message)
        self.ready = False
        self._changed()

    def _warn(self, reason: str, message: str) -> None:
        self._machine.events.warning(self._about, reason, f"{self._label} {message}")

    def _ending(self) -> str:
        if self.last_exit is None:
            return "ended"
        words = self.last_exit.last_words.strip().splitlines()
        return f"{self.last_exit}, saying `{words[-1]}`" if words else str(self.last_exit)
