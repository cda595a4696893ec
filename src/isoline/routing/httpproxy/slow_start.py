"""services[].slowStartPolicy: a growing share for endpoints that have just come."""

import math
import re

from isoline.objects import parse_go_duration
from isoline.objects.httpproxy import SlowStartPolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.httpproxy.timeouts import MAXIMUM_SECONDS

_BALANCES = frozenset({ir.Balance.ROUND_ROBIN, ir.Balance.LEAST_REQUEST})
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+", re.ASCII)
_LINEAR = 1.0


def compile_slow_start(policy: SlowStartPolicy | None, balance: ir.Balance, scope: Scope) -> ir.SlowStart | None:
    """Return how new endpoints start, None if at once. Raises Fault where the policy cannot be followed."""
    if policy is None:
        return None
    scope = scope.at("slowStartPolicy")
    if balance not in _BALANCES:
        raise _fault(scope, "only the strategies RoundRobin and WeightedLeastRequest can start endpoints slowly")
    window = _window(policy.window, scope.at("window"))
    aggression = _aggression(policy.aggression, scope.at("aggression"))
    if not 0 <= policy.min_weight_percent <= 100:
        raise _fault(scope.at("minWeightPercent"), f"must be between 0 and 100, found {policy.min_weight_percent}")
    if not window:
        return None
    return ir.SlowStart(window=window, aggression=aggression, minimum_percent=policy.min_weight_percent)


def _window(text: str, scope: Scope) -> float:
    try:
        seconds = parse_go_duration(text)
    except ValueError as error:
        raise _fault(scope, str(error)) from error
    if not 0 <= seconds <= MAXIMUM_SECONDS:
        raise _fault(scope, f'"{text}" is out of range')
    return seconds


def _aggression(text: str, scope: Scope) -> float:
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise _fault(scope, f'"{text}" is not a decimal number')
    if number == 0:
        scope.warn("ServiceError", f"must be above 0; {_LINEAR} is used")
        return _LINEAR
    return number


def _fault(scope: Scope, text: str) -> Fault:
    return scope.fault("ServiceError", "SlowStartInvalid", text)
