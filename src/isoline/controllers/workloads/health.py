"""The three probes of a running container, in the order and with the meaning that Kubernetes gives them."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from isoline.controllers.clock import Clock
from isoline.controllers.workloads.probes import Outcome, Target, check_of, verdicts
from isoline.objects.containers import Container, Probe, TCPSocketAction

OPEN_PORT_PERIOD = 1


class Observer(Protocol):
    """Is told what the probes find."""

    @property
    def started(self) -> bool: ...

    @property
    def ready(self) -> bool: ...

    def has_started(self) -> None: ...

    def set_ready(self, ready: bool, because: str) -> None: ...

    def unhealthy(self, probe: str, outcome: Outcome) -> None: ...


async def watch(container: Container, target: Target, clock: Clock, observer: Observer) -> str:
    """Ask the startup probe until it succeeds, then the readiness and the liveness probe side by side.

    Returns why the container must be restarted, as soon as it must. What `observer` believes already, of a process of
    an earlier run, is the point that it starts from.
    """
    if not observer.started:
        if container.startup_probe is not None:
            doom = await _startup(container.startup_probe, target, clock, observer)
            if doom is not None:
                return doom
        elif container.readiness_probe is None:
            await _port_is_open(container, target, clock, observer)
        observer.has_started()
    async with asyncio.TaskGroup() as group:
        readiness = group.create_task(_readiness(container.readiness_probe, target, clock, observer))
        doom = await _liveness(container.liveness_probe, target, clock, observer)
        readiness.cancel()
    return doom


async def _startup(probe: Probe, target: Target, clock: Clock, observer: Observer) -> str | None:
    async with aclosing(verdicts(probe, check_of(probe, target), clock)) as answers:
        outcome = await anext(answers)
    if outcome.success:
        return None
    observer.unhealthy("Startup", outcome)
    return f"the startup probe failed: {outcome.message}"


async def _port_is_open(container: Container, target: Target, clock: Clock, observer: Observer) -> None:
    """Wait until a container that brings neither a startup nor a readiness probe takes connections on its first port.

    Kubernetes would call it ready at once, and the first requests would meet a port that nobody listens on yet.
    """
    port = next((port.container_port for port in container.ports if port.protocol == "TCP"), None)
    if port is None:
        return
    probe = Probe(tcp_socket=TCPSocketAction(port=port), period_seconds=OPEN_PORT_PERIOD, failure_threshold=10)
    async with aclosing(verdicts(probe, check_of(probe, target), clock)) as answers:
        async for outcome in answers:
            if outcome.success:
                return
            observer.set_ready(False, f"{outcome.message}; the program must listen on $HOST:$PORT")


async def _readiness(probe: Probe | None, target: Target, clock: Clock, observer: Observer) -> None:
    if probe is None:
        observer.set_ready(True, "")
        return
    believed = True if observer.ready else None
    async for outcome in verdicts(probe, check_of(probe, target), clock, believed=believed):
        if not outcome.success:
            observer.unhealthy("Readiness", outcome)
        observer.set_ready(outcome.success, "" if outcome.success else f"its readiness probe failed: {outcome.message}")


async def _liveness(probe: Probe | None, target: Target, clock: Clock, observer: Observer) -> str:
    if probe is None:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never
    async for outcome in verdicts(probe, check_of(probe, target), clock):
        if not outcome.success:
            observer.unhealthy("Liveness", outcome)
            return f"the liveness probe failed: {outcome.message}"
    raise AssertionError("a probe is asked for ever")
