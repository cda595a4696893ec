"""retryPolicy."""

from isoline.objects.httpproxy import RetryPolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.httpproxy.timeouts import parse_timeout

DEFAULT_CONDITIONS = ("5xx",)
CONDITIONS = frozenset(
    {
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "envoy-ratelimited",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    }
)
MAXIMUM_COUNT = 2**32 - 1


def compile_retry(policy: RetryPolicy | None, scope: Scope) -> ir.Retry | None:
    """Return when and how often a request is tried again; None for never (no policy, or a count of -1).

    A bad per-try timeout is left out with a warning. Raises Fault for conditions and numbers that Envoy does not know.
    """
    if policy is None or policy.count < 0:
        return None
    scope = scope.at("retryPolicy")
    for position, condition in enumerate(policy.retry_on):
        if condition not in CONDITIONS:
            raise _fault(scope.at(f"retryOn[{position}]"), f"{condition!r} is none of {', '.join(sorted(CONDITIONS))}")
    for position, status in enumerate(policy.retriable_status_codes):
        if not 100 <= status <= 599:
            raise _fault(scope.at(f"retriableStatusCodes[{position}]"), f"{status} is no status code")
    if policy.count > MAXIMUM_COUNT:
        raise _fault(scope.at("count"), f"at most {MAXIMUM_COUNT}")
    return ir.Retry(
        on=policy.retry_on or DEFAULT_CONDITIONS,
        count=policy.count or 1,
        per_try_timeout=_per_try_timeout(policy.per_try_timeout, scope.at("perTryTimeout")),
        status_codes=policy.retriable_status_codes,
    )


def _per_try_timeout(text: str, scope: Scope) -> float | None:
    try:
        # "No limit" and "not said" are the same for one try: the route's own timeout ends it.
        return parse_timeout(text) or None
    except ValueError as error:
        scope.warn("RouteError", f"{error}; there is no timeout for one try")
        return None


def _fault(scope: Scope, text: str) -> Exception:
    return scope.fault("RouteError", "RetryPolicyNotValid", text)
