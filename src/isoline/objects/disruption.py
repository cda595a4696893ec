"""policy/v1 PodDisruptionBudget: how many replicas may be taken away at once by who empties nodes."""

from typing import Literal

from isoline.objects.core import IntOrString
from isoline.objects.meta import Condition, LabelSelector, Object
from isoline.objects.model import Model, constant


class PodDisruptionBudgetSpec(Model, frozen=True, kw_only=True):
    """One of `min_available` and `max_unavailable`, by number or percentage."""

    min_available: IntOrString | None = None
    max_unavailable: IntOrString | None = None
    selector: LabelSelector | None = None
    unhealthy_pod_eviction_policy: str | None = None


class PodDisruptionBudgetStatus(Model, frozen=True, kw_only=True):
    observed_generation: int = 0
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(Object, frozen=True, kw_only=True):
    api_version: Literal["policy/v1"] = constant("policy/v1")
    kind: Literal["PodDisruptionBudget"] = constant("PodDisruptionBudget")
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
