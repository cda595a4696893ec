"""services[].slowStartPolicy: a growing share for endpoints that have just come."""

import math
import re

from isoline.objects import parse_go_duration
from isoline.objects.httpproxy import SlowStartPolicy
from isoline.routing import ir, wording
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
        text = "only the strategies RoundRobin and WeightedLeastRequest can start endpoints slowly"
        words = "slow start is only supported with RoundRobin or WeightedLeastRequest load balancer strategy"
        raise _fault(scope, text, words)
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
        words = f"error parsing window: {wording.bad_duration(text)} on slow start"
        raise _fault(scope, str(error), words) from error
    if not 0 <= seconds <= MAXIMUM_SECONDS:
        raise _fault(scope, f'"{text}" is out of range')
    return seconds


def _aggression(text: str, scope: Scope) -> float:
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        problem = f'"{text}" is not a decimal number'
        raise _fault(scope, problem, f"error parsing aggression: {problem} on slow start")
    if number == 0:
        scope.warn("ServiceError", f"must be above 0; {_LINEAR} is used")
        return _LINEAR
    return number


def _fault(scope: Scope, text: str, words: str = "") -> Fault:
    return scope.fault("ServiceError", "SlowStartInvalid", text, words=words)
