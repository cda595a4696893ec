"""Changes of a Deployment under traffic: scaled, rolled, replaced, deleted; and nobody is cut off."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from isoline.objects import Key
from unit.controllers.machine import RealMachine, deployment, get

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


class Traffic:
    """Sends requests to whatever is an endpoint at the moment, as Envoy does."""

    def __init__(self, machine: RealMachine) -> None:
        self._machine = machine
        self.answers: Counter[str] = Counter()
        self.fewest = 1000

    async def run(self) -> None:
        while True:
            ports = self._machine.ports()
            self.fewest = min(self.fewest, len(ports))
            try:
                answer = await get(random.choice(ports))
                self.answers[answer["argv"][0]] += 1
            except (aiohttp.ClientError, OSError, IndexError) as error:
                self.answers[f"failed: {error!r}"] += 1
            await asyncio.sleep(0.002)

    @property
    def failures(self) -> list[str]:
        return [answer for answer in self.answers if answer.startswith("failed")]


@asynccontextmanager
async def traffic(machine: RealMachine) -> AsyncIterator[Traffic]:
    sent = Traffic(machine)
    tasks = [asyncio.create_task(sent.run()) for _ in range(3)]
    yield sent
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_rolling_update_changes_the_version_without_one_failed_request(machine: RealMachine) -> None:
    spec = "replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"
    await machine.start(deployment(spec=spec))
    await machine.until_ready(3)

    async with traffic(machine) as sent:
        await machine.until(lambda: sent.answers["v1"] > 10)
        await machine.apply(deployment(spec=spec, version="v2"))
        await machine.until_ready(3)
        old = sent.answers["v1"]
        await machine.until(lambda: sent.answers["v2"] > 50)

    assert sent.failures == []
    assert sent.fewest >= 3
    assert sent.answers["v1"] == old


async def test_scaling_starts_and_ends_only_the_difference(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 1"))
    await machine.until_ready(1)
    first = machine.pids()

    await machine.apply(deployment(spec="replicas: 3"))
    await machine.until_ready(3)
    assert set(first) < set(machine.pids())

    async with traffic(machine) as sent:
        await machine.apply(deployment(spec="replicas: 1"))
        await machine.until_ready(1)

    assert machine.pids() == first
    assert sent.failures == []


async def test_recreate_ends_the_old_before_it_starts_the_new(machine: RealMachine) -> None:
    spec = "strategy: {type: Recreate}"
    await machine.start(deployment(spec=spec))
    await machine.until_ready(1)
    (old,) = machine.pids()

    await machine.apply(deployment(spec=spec, version="v2"))
    while old in machine.pids():
        assert machine.pids() == [old]
        await asyncio.sleep(0.005)
    await machine.until_ready(1)

    assert not Path(f"/proc/{old}").exists()
    assert (await get(machine.ports()[0]))["argv"] == ["v2"]


async def test_a_bad_new_version_leaves_the_old_one_serving(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    before = machine.ports()

    await machine.apply(deployment(command=(sys.executable, "-c", "raise SystemExit(1)"), version="v2"))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "CrashLoopBackOff")

    assert machine.ports() == before
    assert machine.condition("Available")[0] == "MinimumReplicasAvailable"
    await machine.apply(deployment(version="v3"))
    await machine.until_ready(1)
    assert (await get(machine.ports()[0]))["argv"] == ["v3"]


async def test_a_request_under_way_is_answered_before_its_replica_ends(machine: RealMachine) -> None:
    # The program itself would die of SIGTERM at once, in the middle of its answer.
    await machine.start(deployment())
    await machine.until_ready(1)
    (port,) = machine.ports()
    request = asyncio.create_task(get(port, "/slow"))
    await machine.until((machine.folder / "slow.begun").exists)

    await machine.delete(Key("Deployment", "default", "web"))
    await machine.until(lambda: not machine.ports())
    assert not request.done()

    (machine.folder / "slow.may-end").touch()
    assert (await request)["argv"] == ["v1"]
    await machine.until(lambda: not machine.replicas())


async def test_an_ending_replica_is_an_endpoint_that_is_terminating(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    await machine.delete(Key("Deployment", "default", "web"))
    await machine.until(lambda: not machine.ports())

    (endpoint,) = machine.slices()[0].endpoints

    assert (endpoint.conditions.ready, endpoint.conditions.serving, endpoint.conditions.terminating) == (
        False,
        True,
        True,
    )
    await machine.until(lambda: not machine.slices())


async def test_nothing_is_left_of_a_deleted_deployment(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 2"))
    await machine.until_ready(2)
    pids = machine.pids()

    await machine.delete(Key("Deployment", "default", "web"))
    await machine.until(lambda: not machine.replicas() and not machine.slices())

    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    folders = (machine.state.path / "replicas", machine.state.processes)
    await machine.until(lambda: not any(any(folder.iterdir()) for folder in folders))


async def test_the_pre_stop_hook_comes_before_the_signal_and_the_kill_after_the_grace_period(
    machine: RealMachine,
) -> None:
    hook = "lifecycle: {preStop: {exec: {command: [sh, -c, 'echo hook of $HOSTNAME $VERSION > hook']}}}"
    await machine.start(
        deployment(
            command=(sys.executable, "-c", STUBBORN),
            container=hook + ", readinessProbe: {exec: {command: ['true']}}",
            pod="terminationGracePeriodSeconds: 1",
        )
    )
    await machine.until(lambda: machine.deployment().status.ready_replicas == 1)
    (pid,) = machine.pids()
    (replica,) = machine.replicas()

    await machine.delete(Key("Deployment", "default", "web"))
    await machine.until(lambda: not machine.replicas())

    assert (machine.folder / "hook").read_text() == f"hook of {replica.name} v1\n"
    assert not Path(f"/proc/{pid}").exists()


async def test_a_new_replica_counts_only_after_it_was_ready_for_long_enough(machine: RealMachine) -> None:
    await machine.start(deployment(spec="minReadySeconds: 1"))
    await machine.until(lambda: machine.deployment().status.ready_replicas == 1)
    assert machine.deployment().status.available_replicas == 0

    await machine.until(lambda: machine.deployment().status.available_replicas == 1)


async def test_the_end_of_everything_leaves_no_process(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 2") + "---" + deployment(name="other"))
    await machine.until_ready(2)
    await machine.until_ready(1, "other")
    pids = [*machine.pids(), *machine.pids("other")]

    await machine.controllers.stop()

    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert list((machine.state.path / "replicas").iterdir()) == []
