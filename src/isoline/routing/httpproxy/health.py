"""healthCheckPolicy of a route, and of a tcpproxy: active checks of each endpoint of its services."""

import msgspec

from isoline.objects.httpproxy import HealthCheckPolicy, TCPHealthCheckPolicy
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.httpproxy.timeouts import MAXIMUM_SECONDS

DEFAULT_HOST = "contour-envoy-healthcheck"
DEFAULT_INTERVAL = 10
DEFAULT_TIMEOUT = 2
DEFAULT_UNHEALTHY_THRESHOLD = 3
DEFAULT_HEALTHY_THRESHOLD = 2
_MAXIMUM_COUNT = 2**32 - 1


def compile_health_check(policy: HealthCheckPolicy | None, scope: Scope) -> ir.HealthCheck | None:
    """Return the check, or None without a policy. Raises Fault for values that Envoy refuses."""
    if policy is None:
        return None
    scope = scope.at("healthCheckPolicy")
    if not policy.path:
        raise _fault(scope.at("path"), "must be given")
    for field, text in (("path", policy.path), ("host", policy.host)):
        if problem := header_names.value_problem(text):
            raise _fault(scope.at(field), problem)
    return msgspec.structs.replace(
        _check(policy, scope),
        path=policy.path,
        host=policy.host or DEFAULT_HOST,
        expected_statuses=_expected_statuses(policy, scope),
    )


def compile_tcp_health_check(policy: TCPHealthCheckPolicy | None, scope: Scope) -> ir.HealthCheck | None:
    """Return the check of a tcpproxy's endpoints, that they take a connection; None without a policy.

    Raises Fault for values that Envoy refuses.
    """
    if policy is None:
        return None
    scope = scope.at("healthCheckPolicy")
    return _check(policy, scope)


def _check(policy: HealthCheckPolicy | TCPHealthCheckPolicy, scope: Scope) -> ir.HealthCheck:
    unhealthy, healthy = scope.at("unhealthyThresholdCount"), scope.at("healthyThresholdCount")
    return ir.HealthCheck(
        path=None,
        host="",
        interval=_number(policy.interval_seconds, DEFAULT_INTERVAL, MAXIMUM_SECONDS, scope.at("intervalSeconds")),
        timeout=_number(policy.timeout_seconds, DEFAULT_TIMEOUT, MAXIMUM_SECONDS, scope.at("timeoutSeconds")),
        unhealthy_threshold=_number(
            policy.unhealthy_threshold_count, DEFAULT_UNHEALTHY_THRESHOLD, _MAXIMUM_COUNT, unhealthy
        ),
        healthy_threshold=_number(policy.healthy_threshold_count, DEFAULT_HEALTHY_THRESHOLD, _MAXIMUM_COUNT, healthy),
    )


def _number(value: int, default: int, maximum: int, scope: Scope) -> int:
    if not 0 <= value <= maximum:
        raise _fault(scope, f"must be between 0 and {maximum}, found {value}")
    return value or default


def _expected_statuses(policy: HealthCheckPolicy, scope: Scope) -> tuple[tuple[int, int], ...]:
    ranges = []
    for position, wanted in enumerate(policy.expected_statuses):
        place = scope.at(f"expectedStatuses[{position}]")
        if not (100 <= wanted.start <= 599 and 101 <= wanted.end <= 600):
            text = f"start is within 100–599 and end within 101–600, found {wanted.start}–{wanted.end}"
            first = "start must be in the range [100, 599]"
            which = "end must be in the range [101, 600]" if 100 <= wanted.start <= 599 else first
            raise _fault(place, text, f"invalid expected status range: {which}")
        if wanted.start >= wanted.end:
            place.warn("RouteError", f"holds no status: {wanted.start} is not below {wanted.end}")
        else:
            ranges.append((wanted.start, wanted.end))
    return tuple(ranges)


def _fault(scope: Scope, text: str, words: str = "") -> Exception:
    return scope.fault("RouteError", "HealthCheckPolicyInvalid", text, words=words)
