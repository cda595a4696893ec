"""rateLimitPolicy.local, of the virtual host and of routes; a route's replaces the virtual host's."""

from isoline.objects.httpproxy import LocalRateLimitPolicy, RateLimitPolicy
from isoline.routing import ir, wording
from isoline.routing.httpproxy import header_names, headers
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.statuses import ErrorType

REASON = "RateLimitPolicyNotValid"
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_LARGEST = 2**32 - 1
MAXIMUM_HEADERS = 10
"""Envoy's limit on what a local rate limit adds to its answers."""
_TOO_MANY_REQUESTS = 429
_STATUSES = frozenset(
    (*range(400, 418), 421, 422, 423, 424, 426, 428, _TOO_MANY_REQUESTS, 431, *range(500, 509), 510, 511)
)
"""The errors that Envoy has a name for; it refuses others here."""


def words_of(kind: ErrorType, problem: str) -> str:
    """Return Contour's sentence for what is wrong with the rate limits of a virtual host, or else of a route."""
    field = "Spec.VirtualHost.RateLimitPolicy" if kind == "VirtualHostError" else "route.rateLimitPolicy"
    return f"{field} is invalid: {problem}"


def compile_local_limit(policy: RateLimitPolicy | None, kind: ErrorType, scope: Scope) -> ir.LocalLimit | None:
    """Return the bucket, None if the policy has none. Raises Fault for what cannot be, of the type `kind`."""
    if policy is None or policy.local is None:
        return None
    local, scope = policy.local, scope.at("rateLimitPolicy.local")
    if local.requests <= 0:
        text = f"invalid requests value {local.requests} in local rate limit policy: must be above 0"
        raise scope.at("requests").fault(kind, REASON, text, words=words_of(kind, text.partition(": ")[0]))
    interval = _UNITS.get(local.unit)
    if interval is None:
        text = f'invalid unit "{local.unit}" in local rate limit policy: must be one of {", ".join(_UNITS)}'
        raise scope.at("unit").fault(kind, REASON, text, words=words_of(kind, text.partition(": ")[0]))
    if local.burst < 0 or local.requests + local.burst > _LARGEST:
        text = f"must not be negative, nor above {_LARGEST} together with requests; found {local.burst}"
        raise scope.at("burst").fault(kind, REASON, text)
    status = local.response_status_code or _TOO_MANY_REQUESTS
    if status not in _STATUSES:
        text = f"{status} is no error status that the gateway can answer with; write one such as 429 or 503"
        raise scope.at("responseStatusCode").fault(kind, REASON, text)
    return ir.LocalLimit(
        requests=local.requests,
        interval=interval,
        burst=local.burst,
        status=status,
        response_headers=_headers(local, kind, scope.at("responseHeadersToAdd")),
    )


def _headers(local: LocalRateLimitPolicy, kind: ErrorType, scope: Scope) -> tuple[ir.Header, ...]:
    if len(local.response_headers_to_add) > MAXIMUM_HEADERS:
        text = f"at most {MAXIMUM_HEADERS} are possible, found {len(local.response_headers_to_add)}"
        raise scope.fault(kind, REASON, text)
    added: dict[str, ir.Header] = {}
    for position, entry in enumerate(local.response_headers_to_add):
        place = Scope(scope.report, f"{scope.path}[{position}]")
        if not header_names.is_name(entry.name):
            text = f'invalid set header "{entry.name}": it is no header name'
            words = words_of(kind, wording.bad_header("invalid header name", entry.name))
            raise place.fault(kind, REASON, text, words=words)
        if entry.name.lower() == "host":
            raise place.fault(kind, REASON, "Host can be set on requests only")
        if problem := header_names.value_problem(entry.value):
            raise place.fault(kind, REASON, problem)
        if entry.name.lower() in added:
            words = words_of(kind, f'duplicate header addition: "{wording.canonical_header(entry.name)}"')
            raise place.fault(kind, REASON, f'duplicate header addition: "{entry.name}"', words=words)
        added[entry.name.lower()] = ir.Header(name=entry.name, value=headers.escape(entry.value, {}))
    return tuple(added.values())
