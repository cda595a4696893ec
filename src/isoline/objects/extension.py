"""projectcontour.io/v1alpha1 ExtensionService: an authorization or rate-limit server that Envoy calls."""

from typing import Literal

from isoline.objects.httpproxy import DetailedCondition, LoadBalancerPolicy, TimeoutPolicy, UpstreamValidation
from isoline.objects.meta import Object
from isoline.objects.model import Model, constant


class ExtensionServiceTarget(Model, frozen=True, kw_only=True):
    """A Service of the same namespace."""

    name: str
    port: int = 0
    weight: int = 0


class CircuitBreakers(Model, frozen=True, kw_only=True):
    """Zero means Envoy's default."""

    max_connections: int = 0
    max_pending_requests: int = 0
    max_requests: int = 0
    max_retries: int = 0
    per_host_max_connections: int = 0


class ExtensionServiceSpec(Model, frozen=True, kw_only=True):
    """`protocol`: h2 (when None), h2c or http/1.1."""

    services: tuple[ExtensionServiceTarget, ...]
    validation: UpstreamValidation | None = None
    protocol: str | None = None
    protocol_version: str = ""
    load_balancer_policy: LoadBalancerPolicy | None = None
    timeout_policy: TimeoutPolicy | None = None
    circuit_breaker_policy: CircuitBreakers | None = None


class ExtensionServiceStatus(Model, frozen=True, kw_only=True):
    conditions: tuple[DetailedCondition, ...] = ()


class ExtensionService(Object, frozen=True, kw_only=True):
    api_version: Literal["projectcontour.io/v1alpha1"] = constant("projectcontour.io/v1alpha1")
    kind: Literal["ExtensionService"] = constant("ExtensionService")
    spec: ExtensionServiceSpec
    status: ExtensionServiceStatus = ExtensionServiceStatus()
