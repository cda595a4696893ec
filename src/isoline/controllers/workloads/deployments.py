"""The arithmetic of a rollout: which replicas to make and which to end next. Pure.

The rules are those of Kubernetes's Deployment controller, so that `maxSurge` and `maxUnavailable` mean here what they
mean there.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from isoline.objects.meta import LabelSelector
from isoline.objects.workloads import DeploymentSpec, DeploymentStrategy, PodTemplateSpec, RollingUpdateDeployment


class Standing(NamedTuple):
    """One replica, as a rollout sees it."""

    name: str
    current: bool
    """It runs the template that is wanted now."""
    available: bool
    terminating: bool
    created: float


class Plan(NamedTuple):
    create: int
    delete: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How far a rollout may stray from the wanted number of replicas."""

    desired: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.desired + self.surge

    @property
    def fewest_available(self) -> int:
        return max(self.desired - self.unavailable, 0)


def bounds(desired: int, strategy: DeploymentStrategy) -> Bounds:
    """Return the bounds of a strategy: surge rounds up, unavailable down, and if both come to 0 one may be away.

    Raises ValueError, naming the field, for what is neither a number nor a percentage.
    """
    if strategy.type == "Recreate":
        return Bounds(desired=desired, surge=0, unavailable=desired)
    rolling = strategy.rolling_update or RollingUpdateDeployment()
    surge = _share("maxSurge", rolling.max_surge, desired, round_up=True)
    unavailable = _share("maxUnavailable", rolling.max_unavailable, desired, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(desired=desired, surge=surge, unavailable=min(unavailable, desired))


def _share(name: str, value: int | str, desired: int, *, round_up: bool) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    if isinstance(value, str) and value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit():
        exact = int(value[:-1]) * desired
        return -(-exact // 100) if round_up else math.floor(exact / 100)
    raise ValueError(
        f'spec.strategy.rollingUpdate.{name}: {value!r} is neither a number of replicas nor a percentage such as "25%"'
    )


def plan(spec: DeploymentSpec, replicas: Sequence[Standing]) -> Plan:
    """Return the next step towards `spec.replicas` available replicas of the current template.

    Never are there more replicas than desired + maxSurge (those that are ending do not count, as in Kubernetes), and no
    available replica is ended when that would leave fewer than desired - maxUnavailable. A paused Deployment scales but
    does not roll.
    """
    live = [replica for replica in replicas if not replica.terminating]
    if spec.paused:
        return _scale(spec.replicas, live)
    if spec.strategy.type == "Recreate":
        return _recreate(spec.replicas, replicas)
    return _roll(bounds(spec.replicas, spec.strategy), live)


def _expendable(replicas: Sequence[Standing]) -> list[Standing]:
    """The order in which replicas are given up: unavailable ones first, then the youngest."""
    return sorted(replicas, key=lambda replica: (replica.available, -replica.created, replica.name))


def _names(replicas: Sequence[Standing]) -> tuple[str, ...]:
    return tuple(replica.name for replica in replicas)


def _scale(desired: int, live: Sequence[Standing]) -> Plan:
    old_first = sorted(_expendable(live), key=lambda replica: replica.current)
    excess = len(live) - desired
    return Plan(max(-excess, 0), _names(old_first[: max(excess, 0)]))


def _recreate(desired: int, replicas: Sequence[Standing]) -> Plan:
    old = [replica for replica in replicas if not replica.current and not replica.terminating]
    current = [replica for replica in replicas if replica.current and not replica.terminating]
    old_is_ending = any(replica.terminating and not replica.current for replica in replicas)
    surplus = _expendable(current)[: max(len(current) - desired, 0)]
    wait = bool(old) or old_is_ending
    return Plan(0 if wait else max(desired - len(current), 0), _names([*old, *surplus]))


def _roll(limits: Bounds, live: Sequence[Standing]) -> Plan:
    current = [replica for replica in live if replica.current]
    old = [replica for replica in live if not replica.current]
    create = max(min(limits.desired - len(current), limits.most - len(live)), 0)
    surplus = _expendable(current)[: max(len(current) - limits.desired, 0)]
    available = sum(replica.available for replica in live) - sum(replica.available for replica in surplus)
    spare = available - limits.fewest_available
    unavailable_new = sum(not replica.available for replica in current)
    # Old replicas that are not available may be on their way back; as many are kept as the new ones cannot yet replace.
    cleanup = len(live) - len(surplus) - limits.fewest_available - unavailable_new
    ended: list[Standing] = []
    for replica in _expendable(old):
        if replica.available and spare > 0:
            spare -= 1
            ended.append(replica)
        elif not replica.available and cleanup > len(ended):
            ended.append(replica)
    return Plan(create, _names([*surplus, *ended]))


def template_hash(template: PodTemplateSpec) -> str:
    """Return ten hexadecimal digits that stand for a template: equal templates have equal hashes in every run."""
    return hashlib.blake2b(msgspec.json.encode(template, order="deterministic"), digest_size=5).hexdigest()


def problems(spec: DeploymentSpec) -> list[str]:
    """Return every reason why a Deployment cannot be run at all, each with the field's path."""
    found: list[str] = []
    if not selects(spec.selector, spec.template.metadata.labels):
        found.append("spec.selector: does not match spec.template.metadata.labels")
    if not spec.template.spec.containers:
        found.append("spec.template.spec.containers: at least one container is needed")
    if spec.template.spec.restart_policy != "Always":
        found.append(
            f"spec.template.spec.restartPolicy: {spec.template.spec.restart_policy!r} found; only Always is allowed"
        )
    if spec.replicas < 0:
        found.append(f"spec.replicas: {spec.replicas} found; 0 or more is allowed")
    if spec.strategy.type not in {"RollingUpdate", "Recreate"}:
        found.append(f"spec.strategy.type: {spec.strategy.type!r} found; RollingUpdate or Recreate is allowed")
    try:
        bounds(max(spec.replicas, 0), spec.strategy)
    except ValueError as error:
        found.append(str(error))
    return found


def selects(selector: LabelSelector, labels: dict[str, str]) -> bool:
    """Return whether a label selector matches; an empty one matches everything."""
    if any(labels.get(name) != value for name, value in selector.match_labels.items()):
        return False
    for requirement in selector.match_expressions:
        value = labels.get(requirement.key)
        held = {
            "In": value in requirement.values,
            "NotIn": value not in requirement.values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }.get(requirement.operator, False)
        if not held:
            return False
    return True
