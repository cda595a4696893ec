"""What a Deployment's status says of its replicas. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from isoline.controllers.clock import seconds_of, timestamp
from isoline.controllers.conditions import Finding
from isoline.controllers.workloads.deployments import bounds
from isoline.objects.workloads import Deployment, DeploymentCondition, DeploymentStatus


class Observed(NamedTuple):
    """One replica, as a status sees it."""

    name: str
    current: bool
    ready: bool
    available: bool
    terminating: bool
    waiting_reason: str = ""
    waiting_message: str = ""
    unready_because: str = ""
    limits_enforced: bool = True
    unmounted: tuple[str, ...] = ()
    cpu_variant: bool = False


def status(
    deployment: Deployment, replicas: Sequence[Observed], *, now: float, faults: Sequence[str]
) -> DeploymentStatus:
    """Return the status of a Deployment. `faults` are reasons why it cannot be run at all."""
    live = [replica for replica in replicas if not replica.terminating]
    available = sum(replica.available for replica in live)
    findings = list(_findings(deployment, live, available, faults, now))
    before = {condition.type: condition for condition in deployment.status.conditions}
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=len(live),
        updated_replicas=sum(replica.current for replica in live),
        ready_replicas=sum(replica.ready for replica in live),
        available_replicas=available,
        unavailable_replicas=max(deployment.spec.replicas - available, 0),
        terminating_replicas=len(replicas) - len(live) or None,
        conditions=tuple(_condition(finding, before.get(finding.type), now) for finding in findings),
    )


def _findings(
    deployment: Deployment, live: Sequence[Observed], available: int, faults: Sequence[str], now: float
) -> Iterable[Finding]:
    yield _availability(deployment, available, faults)
    yield _progress(deployment, live, available, now)
    if faults:
        yield Finding("ReplicaFailure", True, "InvalidSpec", "; ".join(faults))
    failing = next((replica for replica in live if replica.waiting_reason), None)
    if failing is not None:
        yield Finding("ReplicaFailure", True, failing.waiting_reason, failing.waiting_message)
    unready = next((replica for replica in live if replica.unready_because and not replica.waiting_reason), None)
    if unready is not None:
        yield Finding("ReplicasReady", False, "ContainersNotReady", unready.unready_because)
    if any(not replica.limits_enforced for replica in live):
        yield Finding(
            "LimitsEnforced",
            False,
            "NoDelegatedCgroup",
            "limits of memory and cpu are not enforced: this user has no writable cgroup v2 on this machine",
        )
    if any(replica.cpu_variant for replica in live):
        yield Finding("GPUAssigned", False, "CPUVariant", "there is no GPU on this machine: the CPU variant runs")
    unmounted = dict.fromkeys(text for replica in live for text in replica.unmounted)
    if unmounted:
        yield Finding("VolumesMounted", False, "MountPathNotOnThisMachine", "; ".join(unmounted))


def _availability(deployment: Deployment, available: int, faults: Sequence[str]) -> Finding:
    needed = deployment.spec.replicas
    if not faults:
        needed = bounds(deployment.spec.replicas, deployment.spec.strategy).fewest_available
    if available >= needed and not faults:
        return Finding("Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    return Finding(
        "Available", False, "MinimumReplicasUnavailable", f"{available} of at least {needed} replicas are available"
    )


def complete(deployment: Deployment, live: Sequence[Observed], available: int) -> bool:
    """Whether a rollout has reached its end: all wanted replicas are current and available, and no other is left."""
    wanted = deployment.spec.replicas
    return len(live) == wanted and available == wanted and all(replica.current for replica in live)


def _progress(deployment: Deployment, live: Sequence[Observed], available: int, now: float) -> Finding:
    name = deployment.metadata.name
    if complete(deployment, live, available):
        return Finding("Progressing", True, "NewReplicaSetAvailable", f"{name} has rolled out")
    if deployment.spec.paused:
        return Finding("Progressing", False, "DeploymentPaused", "Deployment is paused")
    updated = sum(replica.current for replica in live)
    message = f"{updated} of {deployment.spec.replicas} replicas run the current template, {available} are available"
    if _stuck(deployment, message, now):
        seconds = deployment.spec.progress_deadline_seconds
        return Finding("Progressing", False, "ProgressDeadlineExceeded", f"{message}; no progress within {seconds} s")
    return Finding("Progressing", True, "ReplicaSetUpdated", message)


def _stuck(deployment: Deployment, message: str, now: float) -> bool:
    """Whether the counts in the message have been the same for longer than the progress deadline."""
    before = next((each for each in deployment.status.conditions if each.type == "Progressing"), None)
    if before is None or not before.message.startswith(message) or before.last_update_time is None:
        return False
    if before.reason == "ProgressDeadlineExceeded":
        return True
    return now - seconds_of(before.last_update_time) > deployment.spec.progress_deadline_seconds


def _condition(finding: Finding, before: DeploymentCondition | None, now: float) -> DeploymentCondition:
    word = finding.word
    same = before is not None and (before.status, before.reason, before.message) == (
        word,
        finding.reason,
        finding.message,
    )
    if same:
        assert before is not None
        return before
    turned = before is None or before.status != word
    return DeploymentCondition(
        type=finding.type,
        status=word,
        reason=finding.reason,
        message=finding.message,
        last_update_time=timestamp(now),
        last_transition_time=timestamp(now) if turned or before is None else before.last_transition_time,
    )
