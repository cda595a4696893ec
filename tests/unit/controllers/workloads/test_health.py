"""The three probes of a container: their order, and what each one's failure means."""

import asyncio

import pytest

from isoline.controllers.workloads.health import watch
from isoline.controllers.workloads.probes import Outcome, Target
from isoline.objects.containers import Container, ContainerPort, ExecAction, Probe
from unit.controllers.support import FakeClock, settle


class Patient:
    """A container whose probes are commands named `startup`, `readiness` and `liveness`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.well: set[str] = set()
        self.asked: list[str] = []
        self.started = False
        self.ready = False
        self.said: list[str] = []
        self.port = 1

    def believed_ready(self) -> bool:
        return self.ready

    def has_started(self) -> None:
        self.started = True

    def set_ready(self, ready: bool, because: str) -> None:
        self.ready = ready
        self.said.append(because)

    def unhealthy(self, probe: str, outcome: Outcome) -> None:
        self.said.append(f"{probe}: {outcome.message}")

    async def execute(self, command: tuple[str, ...], _seconds: float) -> Outcome:
        self.asked.append(command[0])
        return Outcome(command[0] in self.well, f"{command[0]} is ill")

    def watch(self, *kinds: str, ports: tuple[ContainerPort, ...] = ()) -> "asyncio.Task[str]":
        def probe(kind: str) -> Probe | None:
            asks = Probe(exec=ExecAction(command=(kind,)), period_seconds=10, failure_threshold=2)
            return asks if kind in kinds else None

        container = Container(
            name="c",
            ports=ports,
            startup_probe=probe("startup"),
            readiness_probe=probe("readiness"),
            liveness_probe=probe("liveness"),
        )
        target = Target(address="127.0.0.1", port=lambda _: self.port, execute=self.execute)
        return asyncio.create_task(watch(container, target, self.clock, self))


@pytest.fixture
def patient() -> Patient:
    return Patient()


async def test_nothing_else_is_asked_before_the_startup_probe_has_succeeded(patient: Patient) -> None:
    task = patient.watch("startup", "readiness", "liveness")
    await patient.clock.advance(8)
    assert set(patient.asked) == {"startup"}

    patient.well = {"startup", "readiness", "liveness"}
    await patient.clock.advance(5)

    assert patient.started
    assert patient.believed_ready()
    task.cancel()


async def test_a_startup_probe_that_fails_too_often_dooms_the_container(patient: Patient) -> None:
    task = patient.watch("startup")
    await patient.clock.advance(30)

    assert await task == "the startup probe failed: startup is ill"
    assert not patient.started


async def test_readiness_comes_and_goes_and_the_container_stays(patient: Patient) -> None:
    patient.well = {"readiness"}
    task = patient.watch("readiness")
    await settle()
    assert patient.believed_ready()

    patient.well = set()
    await patient.clock.advance(25)
    assert not patient.believed_ready()
    assert "Readiness: readiness is ill" in patient.said

    patient.well = {"readiness"}
    await patient.clock.advance(15)
    assert patient.believed_ready()
    assert not task.done()
    task.cancel()


async def test_a_liveness_probe_that_fails_dooms_the_container_and_ends_the_other_probe(patient: Patient) -> None:
    patient.well = {"readiness", "liveness"}
    task = patient.watch("readiness", "liveness")
    await patient.clock.advance(11)
    patient.well = {"readiness"}
    await patient.clock.advance(25)

    assert await task == "the liveness probe failed: liveness is ill"
    count = len(patient.asked)
    await patient.clock.advance(100)
    assert len(patient.asked) == count


async def test_without_probes_or_ports_a_container_is_ready_at_once(patient: Patient) -> None:
    task = patient.watch()
    await settle()

    assert patient.believed_ready()
    task.cancel()


async def test_without_probes_a_container_with_a_port_is_ready_when_the_port_is_open(patient: Patient) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    listening: int = server.sockets[0].getsockname()[1]
    task = patient.watch(ports=(ContainerPort(container_port=7860),))
    for _ in range(20):
        await patient.clock.advance(1)
        await asyncio.sleep(0.01)
    assert not patient.believed_ready()
    assert any("must listen on $HOST:$PORT" in words for words in patient.said)

    patient.port = listening
    for _ in range(20):
        await patient.clock.advance(1)
        await asyncio.sleep(0.01)

    assert patient.believed_ready()
    task.cancel()
    server.close()
    await server.wait_closed()
