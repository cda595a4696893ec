"""What runs around a program: hooks, init containers, sidecars."""

import asyncio
import sys
from pathlib import Path

import pytest

from isoline.controllers.workloads.lifecycle import run
from isoline.controllers.workloads.probes import Outcome, Target
from isoline.objects.containers import ExecAction, HTTPGetAction, LifecycleHandler, SleepAction
from unit.controllers.machine import RealMachine, deployment, get
from unit.controllers.support import FakeClock


async def no_command(_command: tuple[str, ...], _seconds: float) -> Outcome:
    return Outcome(False, "no")


TARGET = Target(address="127.0.0.1", port=int, execute=no_command)


async def test_a_hook_sleeps_no_longer_than_it_may() -> None:
    clock = FakeClock()
    sleeping = asyncio.create_task(run(LifecycleHandler(sleep=SleepAction(seconds=100)), TARGET, clock, at_most=5))
    await clock.advance(4)
    assert not sleeping.done()

    await clock.advance(2)

    assert (await sleeping).success


@pytest.mark.parametrize(
    ("hook", "success"),
    [
        (LifecycleHandler(), True),
        (LifecycleHandler(exec=ExecAction(command=("x",))), False),
        (LifecycleHandler(http_get=HTTPGetAction(port=1)), False),
    ],
)
async def test_a_hook_that_fails_says_so(hook: LifecycleHandler, success: bool) -> None:
    assert (await run(hook, TARGET, FakeClock(), at_most=5)).success == success


async def test_a_post_start_hook_that_fails_has_the_container_started_again(machine: RealMachine) -> None:
    hook = "lifecycle: {postStart: {exec: {command: [sh, -c, 'test -f go || { touch go; exit 1; }']}}}"
    await machine.start(deployment(container=hook))
    await machine.until_ready(1)

    assert machine.replicas()[0].containers[0].restarts == 1
    assert "its postStart hook failed" in machine.said("Killing")[0]


async def test_a_sidecar_runs_beside_the_program_and_ends_with_it(machine: RealMachine) -> None:
    sidecar = (
        "initContainers: [{name: side, image: isoline.dev/host, restartPolicy: Always, "
        f"command: [{sys.executable}, program.py, side], ports: [{{name: side, containerPort: 9000}}]}}]"
    )
    await machine.start(deployment(pod=sidecar))
    await machine.until_ready(1)
    pids = machine.pids()
    ports = machine.replicas()[0].record.ports

    assert (await get(ports["side"][9000]))["argv"] == ["side"]
    assert (await get(ports["c"][8080]))["argv"] == ["v1"]
    assert len(pids) == 2
    await machine.leave()
    await machine.start()
    assert machine.pids() == pids

    await machine.controllers.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_init_containers_are_not_run_again_for_an_adopted_replica(machine: RealMachine) -> None:
    init = "initContainers: [{name: once, image: isoline.dev/host, command: [sh, -c, 'echo x >> ran']}]"
    await machine.start(deployment(pod=init))
    await machine.until_ready(1)
    await machine.leave()

    await machine.start()
    await machine.until_ready(1)

    assert (machine.folder / "ran").read_text() == "x\n"
