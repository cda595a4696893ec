"""A new control plane takes over what the one before it has left running."""

import os
import signal
from pathlib import Path

from isoline.objects import Key
from unit.controllers.machine import RealMachine, deployment, get


async def test_replicas_go_on_as_they_are_and_are_endpoints_from_the_first_moment(machine: RealMachine) -> None:
    probe = "readinessProbe: {httpGet: {path: /ready, port: 8080}}"
    await machine.start(deployment(spec="replicas: 2", container=probe))
    await machine.until_ready(2)
    pids, ports = machine.pids(), sorted(machine.ports())
    names = [replica.name for replica in machine.replicas()]

    await machine.leave()
    assert {(await get(port))["pid"] for port in ports} == set(pids)
    await machine.start()

    # Not once "not ready", although no probe has been asked yet.
    assert sorted(machine.ports()) == ports
    await machine.until_ready(2)
    assert machine.pids() == pids
    assert [replica.name for replica in machine.replicas()] == names
    assert all(runner.restarts == 0 for replica in machine.replicas() for runner in replica.containers)


async def test_an_adopted_replica_is_looked_after(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    await machine.leave()
    await machine.start()
    (pid,) = machine.pids()

    os.kill(pid, signal.SIGKILL)
    await machine.until(lambda: machine.pids() not in ([], [pid]))
    await machine.until_ready(1)

    assert (await get(machine.ports()[0]))["argv"] == ["v1"]


async def test_what_ended_meanwhile_is_replaced(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 2"))
    await machine.until_ready(2)
    dead, living = machine.pids()
    await machine.leave()
    os.kill(dead, signal.SIGKILL)

    await machine.start()
    await machine.until_ready(2)

    assert living in machine.pids()
    assert dead not in machine.pids()


async def test_replicas_of_an_old_template_are_rolled(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    (old,) = machine.pids()
    await machine.leave()

    await machine.start(deployment(version="v2"))
    await machine.until_ready(1)

    assert machine.pids() != [old]
    assert (await get(machine.ports()[0]))["argv"] == ["v2"]
    assert not Path(f"/proc/{old}").exists()


async def test_replicas_whose_deployment_is_gone_are_ended(machine: RealMachine) -> None:
    await machine.start(deployment() + "---" + deployment(name="other"))
    await machine.until_ready(1)
    await machine.until_ready(1, "other")
    (pid,) = machine.pids()
    await machine.leave()
    machine.state.acquire()
    await machine.forget(Key("Deployment", "default", "web"))

    await machine.start()
    await machine.until(lambda: not Path(f"/proc/{pid}").exists())

    await machine.until_ready(1, "other")


async def test_an_end_that_was_interrupted_is_finished(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    (pid,) = machine.pids()
    (replica,) = machine.replicas()
    replica.terminate()
    await machine.leave()
    assert Path(f"/proc/{pid}").exists()

    await machine.start()
    await machine.until(lambda: not Path(f"/proc/{pid}").exists())

    await machine.until_ready(1)
    assert machine.replicas()[0].name != replica.name


async def test_a_broken_record_ends_what_it_was_of_and_stops_nothing_else(machine: RealMachine) -> None:
    await machine.start(deployment())
    await machine.until_ready(1)
    (pid,) = machine.pids()
    (replica,) = machine.replicas()
    record = replica.folder / "replica.json"
    await machine.leave()
    record.write_text("{")

    await machine.start()
    await machine.until_ready(1)

    assert not Path(f"/proc/{pid}").exists()
