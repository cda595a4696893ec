"""rateLimitPolicy.global: what the rate-limit service is asked, of the virtual host and of routes."""

import re

from isoline.objects.httpproxy import (
    GlobalRateLimitPolicy,
    MatchCondition,
    RateLimitDescriptorEntry,
    RateLimitPolicy,
    RequestHeaderValueMatchDescriptor,
)
from isoline.routing import ir
from isoline.routing.httpproxy import conditions, header_names
from isoline.routing.httpproxy.local_limits import REASON, words_of
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.settings import Settings
from isoline.routing.statuses import ErrorType

NOBODY_IS_ASKED = ir.GlobalLimit(descriptors=())
_GENERIC_KEY = "generic_key"
_CONDITION = re.compile(r"conditions\[(\d+)\]\.header")


def compile_global_limit(
    policy: RateLimitPolicy | None, kind: ErrorType, settings: Settings, scope: Scope
) -> ir.GlobalLimit | None:
    """Return what is asked, None if the policy does not say. Raises Fault for what cannot be, of the type `kind`.

    A gateway without a rate-limit service asks nobody, and a warning says so.
    """
    if policy is None or policy.global_ is None:
        return None
    scope = scope.at("rateLimitPolicy.global")
    compiled = _compile(policy.global_, kind, scope)
    if settings.rate_limits or compiled == NOBODY_IS_ASKED:
        return compiled if settings.rate_limits else None
    scope.warn(kind, "has no effect: the GatewayConfig names no rateLimitService")
    return None


def default_limit(settings: Settings, scope: Scope) -> ir.GlobalLimit | None:
    """Return what is asked of virtual hosts that do not say; the GatewayConfig's own faults are told elsewhere."""
    if not settings.rate_limits or settings.default_global_limit is None:
        return None
    try:
        return _compile(settings.default_global_limit, "VirtualHostError", scope)
    except Fault:
        return None


def _compile(policy: GlobalRateLimitPolicy, kind: ErrorType, scope: Scope) -> ir.GlobalLimit:
    if policy.disabled:
        return NOBODY_IS_ASKED
    descriptors = []
    for position, descriptor in enumerate(policy.descriptors):
        place = scope.at(f"descriptors[{position}]")
        if not descriptor.entries:
            raise place.at("entries").fault(kind, REASON, "at least one is needed")
        keys = (_key(entry, kind, place.at(f"entries[{at}]")) for at, entry in enumerate(descriptor.entries))
        descriptors.append(tuple(keys))
    return ir.GlobalLimit(descriptors=tuple(descriptors))


def _key(entry: RateLimitDescriptorEntry, kind: ErrorType, scope: Scope) -> ir.LimitKey:
    generic, header = entry.generic_key, entry.request_header
    matches, address = entry.request_header_value_match, entry.remote_address
    if sum(each is not None for each in (generic, header, matches, address)) != 1:
        text = "rate limit descriptor entry must have exactly one field set"
        raise scope.fault(kind, REASON, text, words=words_of(kind, text))
    if generic is not None:
        _check_text(generic.value, kind, scope.at("genericKey.value"))
        return ir.LimitKey(source="constant", key=generic.key or _GENERIC_KEY, value=generic.value)
    if header is not None:
        if not header_names.is_name(header.header_name.removeprefix(":")):
            text = f'"{header.header_name}" is no header name'
            raise scope.at("requestHeader.headerName").fault(kind, REASON, text)
        _check_text(header.descriptor_key, kind, scope.at("requestHeader.descriptorKey"))
        return ir.LimitKey(source="header", key=header.descriptor_key, header=header.header_name)
    if matches is not None:
        return _match(matches, kind, scope.at("requestHeaderValueMatch"))
    return ir.LimitKey(source="address")


def _match(descriptor: RequestHeaderValueMatchDescriptor, kind: ErrorType, scope: Scope) -> ir.LimitKey:
    _check_text(descriptor.value, kind, scope.at("value"))
    if not descriptor.headers:
        raise scope.at("headers").fault(kind, REASON, "at least one is needed")
    try:
        own = tuple(MatchCondition(header=header) for header in descriptor.headers)
        found = conditions.header_matches((), own, scope)
    except Fault as fault:
        message = _CONDITION.sub(r"headers[\1]", fault.finding.message, count=1)
        raise Fault(fault.finding._replace(type=kind, reason=REASON, message=message, words="")) from fault
    if not found:
        raise scope.at("headers").fault(kind, REASON, "none of them names a kind of match")
    return ir.LimitKey(
        source="header_match", value=descriptor.value, matches=found, expect_match=descriptor.expect_match
    )


def _check_text(text: str, kind: ErrorType, scope: Scope) -> None:
    if not text:
        raise scope.fault(kind, REASON, "must not be empty")
