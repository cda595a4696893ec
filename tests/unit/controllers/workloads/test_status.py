"""What a Deployment's status says of its replicas."""

from dataclasses import dataclass

from msgspec.structs import replace

from isoline.controllers.clock import timestamp
from isoline.controllers.workloads.status import Observed, status
from isoline.objects import Deployment
from isoline.objects.workloads import DeploymentCondition, DeploymentStatus
from unit.controllers.workloads.test_deployments import deployment

NOW = 1_700_000_000.0
READY = Observed("r", current=True, ready=True, available=True, terminating=False)
STARTING = READY._replace(ready=False, available=False)
OLD = READY._replace(current=False)
ENDING = OLD._replace(ready=False, available=False, terminating=True)


@dataclass
class Case:
    deployment: Deployment
    now: float = NOW

    def look(self, *replicas: Observed, faults: tuple[str, ...] = (), later: float = 0) -> DeploymentStatus:
        self.now += later
        found = status(self.deployment, replicas, now=self.now, faults=faults)
        self.deployment = replace(self.deployment, status=found)
        return found


def condition(found: DeploymentStatus, kind: str) -> DeploymentCondition | None:
    return next((each for each in found.conditions if each.type == kind), None)


def said(found: DeploymentStatus, kind: str) -> tuple[str, str] | None:
    given = condition(found, kind)
    return None if given is None else (given.status, given.reason)


def test_the_counts() -> None:
    found = Case(deployment("replicas: 3")).look(READY, STARTING, OLD, ENDING)

    assert (found.replicas, found.updated_replicas, found.ready_replicas) == (3, 2, 2)
    assert (found.available_replicas, found.unavailable_replicas, found.terminating_replicas) == (2, 1, 1)


def test_a_deployment_is_available_when_as_many_replicas_are_as_its_strategy_demands() -> None:
    case = Case(deployment("replicas: 4"))

    assert said(case.look(READY, READY, STARTING, STARTING), "Available") == ("False", "MinimumReplicasUnavailable")
    assert said(case.look(READY, READY, READY, STARTING), "Available") == ("True", "MinimumReplicasAvailable")


def test_a_rollout_progresses_and_ends() -> None:
    case = Case(deployment("replicas: 1"))

    assert said(case.look(OLD, STARTING), "Progressing") == ("True", "ReplicaSetUpdated")
    assert said(case.look(OLD, READY), "Progressing") == ("True", "ReplicaSetUpdated")
    assert said(case.look(READY), "Progressing") == ("True", "NewReplicaSetAvailable")


def test_a_rollout_that_stands_still_for_too_long_says_so_until_it_moves() -> None:
    case = Case(deployment("progressDeadlineSeconds: 60"))
    case.look(OLD, STARTING)
    assert said(case.look(OLD, STARTING, later=59), "Progressing") == ("True", "ReplicaSetUpdated")
    assert said(case.look(OLD, STARTING, later=2), "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert said(case.look(OLD, STARTING, later=1), "Progressing") == ("False", "ProgressDeadlineExceeded")

    assert said(case.look(OLD, READY, later=1), "Progressing") == ("True", "ReplicaSetUpdated")


def test_the_first_replica_that_does_not_run_is_told_with_its_reason() -> None:
    failing = STARTING._replace(waiting_reason="CrashLoopBackOff", waiting_message="container c exited with code 1")
    found = condition(Case(deployment()).look(failing), "ReplicaFailure")

    assert found is not None
    assert (found.status, found.reason, found.message) == ("True", "CrashLoopBackOff", "container c exited with code 1")


def test_what_a_running_replica_lacks_to_be_ready_is_told() -> None:
    found = condition(
        Case(deployment()).look(STARTING._replace(unready_because="container c: no answer")), "ReplicasReady"
    )

    assert found is not None
    assert (found.status, found.reason, found.message) == ("False", "ContainersNotReady", "container c: no answer")


def test_a_spec_that_cannot_be_run_is_a_failure_and_not_available() -> None:
    found = Case(deployment()).look(faults=("spec.replicas: -1 found",))

    assert said(found, "ReplicaFailure") == ("True", "InvalidSpec")
    assert said(found, "Available") == ("False", "MinimumReplicasUnavailable")


def test_what_this_machine_cannot_do_is_said_and_nothing_when_it_can() -> None:
    lacking = READY._replace(limits_enforced=False, unmounted=("/data is not mounted",), cpu_variant=True)
    found = Case(deployment()).look(lacking)

    assert {kind: said(found, kind) for kind in ("LimitsEnforced", "VolumesMounted", "GPUAssigned")} == {
        "LimitsEnforced": ("False", "NoDelegatedCgroup"),
        "VolumesMounted": ("False", "MountPathNotOnThisMachine"),
        "GPUAssigned": ("False", "CPUVariant"),
    }
    assert [each.type for each in Case(deployment()).look(READY).conditions] == ["Available", "Progressing"]


def test_a_condition_keeps_its_time_until_it_turns() -> None:
    case = Case(deployment())
    first = condition(case.look(STARTING), "Available")
    same = condition(case.look(STARTING, later=100), "Available")
    turned = condition(case.look(READY, later=100), "Available")

    assert same == first
    assert turned is not None
    assert turned.last_transition_time == timestamp(NOW + 200)


def test_an_unchanged_world_gives_an_equal_status_so_that_nothing_is_written() -> None:
    case = Case(deployment())

    assert case.look(READY) == case.look(READY, later=1000)
