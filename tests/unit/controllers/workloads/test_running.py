"""Replicas as real processes: started, told who they are, watched, started again."""

import os
import signal
import sys

import aiohttp
import pytest

from isoline.objects import Key
from unit.controllers.machine import RealMachine, deployment, get

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: s3cret}\n"
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
)


async def test_each_replica_has_a_port_of_its_own_and_is_an_endpoint_when_it_answers(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 2"))
    await machine.until_ready(2)

    answers = [await get(port) for port in machine.ports()]

    assert len({answer["pid"] for answer in answers}) == 2
    assert [answer["env"]["PORT"] for answer in answers] == [str(port) for port in machine.ports()]
    assert all(answer["argv"] == ["v1"] for answer in answers)
    assert machine.deployment().status.observed_generation == machine.deployment().metadata.generation


async def test_a_replica_sees_its_own_environment_and_nothing_of_the_control_planes(
    machine: RealMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_SECRET", "x")
    env = "envFrom: [{secretRef: {name: keys}}]"
    await machine.start(SECRET + "---" + deployment(container=env))
    await machine.until_ready(1)

    (answer,) = [await get(port) for port in machine.ports()]

    assert answer["env"]["token"] == "s3cret"
    assert "CONTROL_PLANE_SECRET" not in answer["env"]
    assert answer["env"]["CUDA_VISIBLE_DEVICES"] == ""


async def test_a_killed_replica_leaves_the_endpoints_at_once_and_is_started_again(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: 2"))
    await machine.until_ready(2)
    victim, other = machine.replicas()
    before = machine.pids()

    os.kill(before[0], signal.SIGKILL)
    await machine.until(lambda: len(machine.ports()) == 1)
    assert (await get(machine.ports()[0]))["pid"] == before[1]
    await machine.until_ready(2)

    assert machine.replicas() == [victim, other]
    assert [runner.restarts for replica in (victim, other) for runner in replica.containers] == [1, 0]
    assert machine.pids()[1] == before[1]
    assert machine.said("Exited") == ["container c was ended by SIGKILL"]


async def test_an_unready_replica_gets_no_traffic_until_it_is_ready_again(machine: RealMachine) -> None:
    probe = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}"
    await machine.start(deployment(container=probe))
    await machine.until_ready(1)
    pids = machine.pids()

    (machine.folder / "ready.fails").touch()
    await machine.until(lambda: not machine.ports())
    assert machine.deployment().status.ready_replicas == 0
    assert "container c Readiness probe failed: GET /ready answered 503" in machine.said("Unhealthy")
    told = {each.type: each.message for each in machine.deployment().status.conditions}
    assert told["ReplicasReady"] == "container c: its readiness probe failed: GET /ready answered 503"

    (machine.folder / "ready.fails").unlink()
    await machine.until_ready(1)
    assert machine.pids() == pids


async def test_a_replica_that_is_not_alive_is_restarted(machine: RealMachine) -> None:
    probe = "livenessProbe: {httpGet: {path: /alive, port: 8080}, periodSeconds: 1, failureThreshold: 1}"
    await machine.start(deployment(container=probe))
    await machine.until_ready(1)
    (before,) = machine.pids()

    (machine.folder / "alive.fails").touch()
    await machine.until(lambda: machine.said("Killing"))
    (machine.folder / "alive.fails").unlink()
    await machine.until(lambda: machine.pids() not in ([], [before]))
    await machine.until_ready(1)

    assert "the liveness probe failed" in machine.said("Killing")[0]


async def test_a_program_that_keeps_failing_is_left_for_a_while_with_its_last_words(machine: RealMachine) -> None:
    command = (sys.executable, "-c", "import sys; print('no model here'); sys.exit(3)")
    await machine.start(deployment(command=command))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "CrashLoopBackOff")

    _, message = machine.condition("ReplicaFailure")
    assert "exited with code 3, saying `no model here`" in message
    assert "after 10 s" in message
    (replica,) = machine.replicas()
    # The first restart was at once, the second waits.
    assert replica.containers[0].restarts == 2
    assert any(line.text == "no model here" for line in replica.logs["c"].read())


async def test_a_program_that_does_not_exist_is_told(machine: RealMachine) -> None:
    await machine.start(deployment(command=("no-such-program",)))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "RunContainerError")

    assert "no program 'no-such-program'" in machine.condition("ReplicaFailure")[1]


async def test_an_image_that_cannot_run_here_is_told_with_what_to_give(machine: RealMachine) -> None:
    text = deployment().replace("isoline.dev/host", "ghcr.io/acme/app:1")
    await machine.start(text)
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "ImageNotRunnable")

    assert "spec.run.command" in machine.condition("ReplicaFailure")[1]
    (said,) = machine.said("ImageNotRunnable")
    assert "spec.run.command" in said


async def test_a_replica_waits_for_a_missing_secret_and_starts_when_it_comes(machine: RealMachine) -> None:
    await machine.start(deployment(container="envFrom: [{secretRef: {name: keys}}]"))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "CreateContainerConfigError")
    assert 'secret "keys" not found' in machine.condition("ReplicaFailure")[1]

    await machine.apply(SECRET)

    await machine.until_ready(1)
    assert machine.condition("ReplicaFailure") == ("", "")


async def test_a_replica_waits_for_a_missing_claim_and_its_data_stays_when_it_goes(machine: RealMachine) -> None:
    pod = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"
    text = deployment(pod=pod, container="volumeMounts: [{name: data, mountPath: /srv/not/here}]")
    await machine.start(text)
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "FailedMount")

    await machine.apply(CLAIM)
    await machine.until_ready(1)
    (answer,) = [await get(port) for port in machine.ports()]

    folder = machine.state.volumes / "default" / "data"
    assert answer["env"]["ISOLINE_VOLUME_DATA"] == str(folder)
    assert folder.is_dir()
    assert machine.condition("VolumesMounted")[0] == "MountPathNotOnThisMachine"
    await machine.delete(Key("Deployment", "default", "web"))
    await machine.until(lambda: not machine.replicas())
    assert folder.is_dir()


async def test_a_config_map_volume_follows_its_config_map(machine: RealMachine) -> None:
    def config(value: str) -> str:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {value}}}\n"

    pod = "volumes: [{name: settings, configMap: {name: settings}}]"
    mount = "volumeMounts: [{name: settings, mountPath: /srv/not/here}]"
    await machine.start(config("red") + "---" + deployment(pod=pod, container=mount))
    await machine.until_ready(1)
    (answer,) = [await get(port) for port in machine.ports()]
    (replica,) = machine.replicas()
    file = replica.folder / "volumes" / "settings" / "colour"
    assert answer["env"]["ISOLINE_VOLUME_SETTINGS"] == str(file.parent)
    assert file.read_text() == "red"

    await machine.apply(config("blue"))

    await machine.until(lambda: file.read_text() == "blue")
    assert machine.replicas() == [replica]


async def test_init_containers_end_one_after_the_other_before_the_program_starts(machine: RealMachine) -> None:
    def step(name: str, script: str) -> str:
        return f"{{name: {name}, image: isoline.dev/host, command: [sh, -c, '{script}']}}"

    pod = f"initContainers: [{step('one', 'echo one >> order')}, {step('two', 'echo two >> order; test -f go')}]"
    await machine.start(deployment(pod=pod))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "CrashLoopBackOff")
    assert machine.replicas()[0].containers[0].process is None
    lines = (machine.folder / "order").read_text().split()

    assert lines == ["one", "two", "two"]


async def test_a_gpu_is_given_to_one_replica_and_the_next_waits_for_it(machine: RealMachine) -> None:
    gpu = "resources: {limits: {nvidia.com/gpu: 1}}"
    strategy = "strategy: {type: Recreate}"
    await machine.start(deployment(spec=strategy, container=gpu), gpus=("3",))
    await machine.until_ready(1)
    (answer,) = [await get(port) for port in machine.ports()]
    assert answer["env"]["CUDA_VISIBLE_DEVICES"] == "3"

    await machine.apply(deployment(name="second", spec=strategy, container=gpu))
    await machine.until(lambda: machine.condition("ReplicaFailure", "second")[0] == "InsufficientGPU")
    await machine.delete(Key("Deployment", "default", "web"))

    await machine.until_ready(1, "second")


async def test_limits_that_nobody_keeps_are_told(machine: RealMachine) -> None:
    await machine.start(deployment(container="resources: {limits: {memory: 1Gi, cpu: 500m}}"))
    await machine.until_ready(1)
    (replica,) = machine.replicas()

    assert (machine.condition("LimitsEnforced") == ("", "")) == replica.limits_enforced


async def test_a_spec_that_cannot_be_run_starts_nothing(machine: RealMachine) -> None:
    await machine.start(deployment(spec="replicas: -1"))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "InvalidSpec")

    assert machine.replicas() == []


async def test_a_command_runs_in_its_working_directory_taken_from_the_manifests_folder(machine: RealMachine) -> None:
    inside = machine.folder / "inside"
    inside.mkdir()
    (inside / "program.py").symlink_to(machine.folder / "program.py")
    (inside / "ready.fails").touch()
    await machine.start(deployment(container="workingDir: inside"))
    await machine.until_ready(1)

    with pytest.raises(aiohttp.ClientResponseError):
        await get(machine.ports()[0], "/ready")


async def test_a_working_directory_that_does_not_exist_is_told(machine: RealMachine) -> None:
    await machine.start(deployment(container="workingDir: nowhere"))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "RunContainerError")

    assert "nowhere does not exist" in machine.condition("ReplicaFailure")[1]


async def test_a_quantity_that_is_none_is_told_with_its_field(machine: RealMachine) -> None:
    await machine.start(deployment(container="resources: {limits: {memory: plenty}}"))
    await machine.until(lambda: machine.condition("ReplicaFailure")[0] == "CreateContainerConfigError")

    assert "resources.limits['memory']" in machine.condition("ReplicaFailure")[1]


async def test_a_program_can_ask_for_its_limits_and_its_name(machine: RealMachine) -> None:
    fields = "resources: {limits: {memory: 1Gi}}"
    wishes = (
        "env: [{name: VERSION, value: v1}, {name: WHO, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, "
        "{name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}]"
    )
    await machine.start(deployment(container=fields).replace("env: [{name: VERSION, value: v1}]", wishes))
    await machine.until_ready(1)
    (answer,) = [await get(port) for port in machine.ports()]

    assert answer["env"]["MEMORY"] == "1024"
    assert answer["env"]["WHO"] == answer["env"]["HOSTNAME"] == machine.replicas()[0].name
