"""One replica of a Deployment: what a pod is on a cluster."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import structlog

from isoline.controllers.workloads import records, volumes
from isoline.controllers.workloads.containers import ContainerRunner, Waiting
from isoline.controllers.workloads.draining import SETTLE, drained
from isoline.controllers.workloads.launching import CONTAINER_LABEL, Identity, process_name
from isoline.controllers.workloads.machine import Machine
from isoline.controllers.workloads.ports import declared
from isoline.controllers.workloads.records import Record
from isoline.controllers.workloads.resources import NotEnoughGPUsError, gpus_asked, gpus_needed
from isoline.objects.workloads import Container
from isoline.processes import LogFile, Process

_log = structlog.get_logger(__name__)

INSUFFICIENT_GPU = "InsufficientGPU"
DRAIN_SHARE = 0.5
"""Share of the grace period in which requests may end by themselves; the rest is for the program's own ending."""


class Replica:
    """Runs the containers of a record on this machine. `changed` is called whenever what it shows has changed."""

    def __init__(self, record: Record, machine: Machine, changed: Callable[["Replica"], None]) -> None:
        self.record = record
        self.ready_since: float | None = None
        self.unmounted: tuple[str, ...] = ()
        self.cpu_variant = False
        """It asks for a GPU and runs without, because its profile can and the machine has none."""
        self.gone = False
        self._waiting: Waiting | None = None
        self._machine = machine
        self._report = changed
        self._poked = asyncio.Event()
        self._folders: dict[str, Path] = {}
        pod = record.template.spec
        self._init = [self._runner(container) for container in pod.init_containers if not is_sidecar(container)]
        sidecars = (container for container in pod.init_containers if is_sidecar(container))
        self.containers = [self._runner(container) for container in (*pod.containers, *sidecars)]
        self._running: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._serving = False

    def _runner(self, container: Container) -> ContainerRunner:
        real = self.record.ports[container.name]
        return ContainerRunner(
            container, real=real, about=self.record.owner, machine=self._machine, changed=self._changed
        )

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def folder(self) -> Path:
        """What goes with the replica."""
        return self._machine.replicas / self.record.key

    @property
    def terminating(self) -> bool:
        return self.record.terminating

    @property
    def ready(self) -> bool:
        """Whether traffic may be sent to it: all its containers are ready and it is not ending."""
        return not self.terminating and self._all_ready()

    @property
    def serving(self) -> bool:
        """Whether it answers, even if it is ending."""
        return self._serving if self.terminating else self._all_ready()

    @property
    def waiting(self) -> Waiting | None:
        """Why it, or the first of its containers that does not run, does not run."""
        if self._waiting is not None:
            return self._waiting
        waiting = (runner.waiting for runner in (*self._init, *self.containers))
        return next((reason for reason in waiting if reason is not None), None)

    @property
    def unready_because(self) -> str:
        """What its containers lack to be ready; empty when nothing is known to be amiss."""
        unready = (runner for runner in self.containers if runner.unready_because)
        return next((f"container {runner.container.name}: {runner.unready_because}" for runner in unready), "")

    @property
    def limits_enforced(self) -> bool:
        """Whether the limits of its running containers are kept; True when they have none."""
        processes = (runner.process for runner in self.containers)
        return all(process.limits_enforced for process in processes if process is not None)

    @property
    def identity(self) -> Identity:
        return Identity(
            namespace=self.record.namespace,
            name=self.record.name,
            template=self.record.template,
            folder=self.folder,
            gpus=self.record.gpus,
            folders=self._folders,
        )

    @property
    def logs(self) -> dict[str, LogFile]:
        """The log of each container that was ever started, by the container's name."""
        found = {}
        for runner in (*self._init, *self.containers):
            process = self._machine.table.get(process_name(self.identity, runner.container))
            if process is not None:
                found[runner.container.name] = process.log
        return found

    def _all_ready(self) -> bool:
        return self.record.initialized and all(runner.ready for runner in self.containers)

    def start(self) -> None:
        """Begin to run it, or go on, or go on ending it."""
        if self.terminating:
            self.terminate()
        else:
            self._running = asyncio.create_task(self._run_or_tell(), name=f"replica {self.record.key}")

    def adopt(self, processes: Iterable[Process]) -> None:
        """Take over processes of an earlier run, known by the label that names their container."""
        by_container = {process.labels[CONTAINER_LABEL]: process for process in processes}
        self._machine.gpus.keep(self.record.key, self.record.gpus)
        self._machine.ports.keep(self._ports())
        for runner in (*self._init, *self.containers):
            process = by_container.get(runner.container.name)
            if process is not None:
                name = runner.container.name
                runner.adopt(process, started=name in self.record.started, ready=name in self.record.ready)
        if self.ready:
            self.ready_since = self.record.created

    def poke(self) -> None:
        """Something that it waits for may have come; its ConfigMap and Secret volumes may be out of date."""
        self._poked.set()
        if self.record.initialized and not self.terminating:
            with suppress(volumes.VolumeError, OSError):
                self._provide_volumes()
        for runner in (*self._init, *self.containers):
            runner.poke()

    def terminate(self) -> None:
        """Begin to end it; what it shows says so at once. `gone` when that is done."""
        if self._ending is not None:
            return
        self._serving = self._all_ready()
        self.record.terminating = True
        self._ending = asyncio.create_task(self._end(), name=f"end of replica {self.record.key}")
        self._machine.events.normal(self.record.owner, "Killing", f"replica {self.name} is ending")
        self._changed()

    async def wait_gone(self) -> None:
        """Wait until it has ended; `terminate` first."""
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def detach(self) -> None:
        """Stop looking after it; its processes go on, for the next run to adopt."""
        for task in (self._running, self._ending):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _run_or_tell(self) -> None:
        try:
            await self._run()
        except Exception as error:
            _log.exception("replica failed", replica=self.record.key)
            self._waiting = Waiting("InternalError", f"{self.name}: {error}")
            self._changed()

    async def _run(self) -> None:
        records.save(self.record, self.folder)
        # One that runs already is looked after even if its volumes cannot be had at this moment.
        while not self._prepare() and not self.record.initialized:
            self._poked.clear()
            await self._poked.wait()
        for runner in self._init:
            if not self.record.initialized:
                await runner.complete(self.identity)
                runner.waiting = None
        self.record.initialized = True
        async with asyncio.TaskGroup() as group:
            for runner in self.containers:
                group.create_task(runner.run(self.identity))

    def _prepare(self) -> bool:
        """Take what the replica needs of the machine; False, with the reason shown, while it cannot be had."""
        pod, before = self.record.template.spec, self._waiting
        try:
            needed = gpus_needed(pod, self._machine.catalog, self._machine.gpus)
            self.cpu_variant = needed < sum(map(gpus_asked, pod.containers))
            self.record.gpus = self._machine.gpus.take(self.record.key, needed)
            self._provide_volumes()
        except NotEnoughGPUsError as error:
            self._waiting = Waiting(INSUFFICIENT_GPU, str(error))
        except (volumes.VolumeError, OSError, ValueError) as error:
            self._waiting = Waiting("FailedMount", str(error))
        else:
            self._waiting = None
            self._changed()
            return True
        if self._waiting != before:
            reason, message = self._waiting
            self._machine.events.warning(self.record.owner, reason, f"{self.name}: {message}")
        self._changed()
        return False

    def _provide_volumes(self) -> None:
        provider = self._machine.volumes(self.record.namespace)
        pod = self.record.template.spec
        self._folders.update(volumes.provide(pod, self.folder / "volumes", provider))
        told = (volumes.mounts(container, self._folders).unmounted for container in pod.containers)
        self.unmounted = tuple(dict.fromkeys(text for texts in told for text in texts))

    def _ports(self) -> list[int]:
        return [port for real in self.record.ports.values() for port in real.values()]

    async def _end(self) -> None:
        """Out of the traffic, let requests end, ask the programs to end, clear up."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        clock, grace = self._machine.clock, float(self.record.template.spec.termination_grace_period_seconds)
        began = clock.now()
        if self._serving:
            await clock.sleep(min(SETTLE, grace))
            await drained(self._ports(), at_most=grace * DRAIN_SHARE, clock=clock)
        left = max(grace - (clock.now() - began), 0.0)
        runners = (*self.containers, *self._init)
        await asyncio.gather(*(runner.stop(self.identity, grace=left) for runner in runners))
        await self._clear_up()
        self._changed()

    async def _clear_up(self) -> None:
        self.gone = True
        for runner in (*self._init, *self.containers):
            self._machine.table.remove(process_name(self.identity, runner.container))
        self._machine.gpus.release(self.record.key)
        self._machine.ports.release(self._ports())
        await asyncio.to_thread(volumes.remove, self.folder)

    def _changed(self) -> None:
        ready = self.ready
        if not ready:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = self._machine.clock.now()
        if not self.gone:
            self.record.started = frozenset(runner.container.name for runner in self.containers if runner.started)
            self.record.ready = frozenset(runner.container.name for runner in self.containers if runner.ready)
            records.save(self.record, self.folder)
        self._report(self)


def is_sidecar(container: Container) -> bool:
    """Whether an init container is meant to go on running beside the others (`restartPolicy: Always`)."""
    return container.restart_policy == "Always"


def allocate(containers: Iterable[Container], machine: Machine) -> dict[str, dict[int, int]]:
    """Return a free port of this machine for each port that containers declare, by container."""
    return {
        container.name: {number: machine.ports.take() for number in declared(container)} for container in containers
    }
