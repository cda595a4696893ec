"""internalRedirectPolicy: redirects of an upstream that Envoy follows itself."""

from typing import Literal

from isoline.objects.httpproxy import HTTPInternalRedirectPolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope

_SCHEMES: dict[str, Literal["same", "safe", "any"]] = {"": "same", "Never": "same", "SafeOnly": "safe", "Always": "any"}
_STATUSES = (301, 302, 303, 307, 308)
_LARGEST = 2**32 - 1


def compile_internal_redirects(policy: HTTPInternalRedirectPolicy | None, scope: Scope) -> ir.FollowRedirects | None:
    """Return which redirects are followed, None if none. Raises Fault for values outside the schema."""
    if policy is None:
        return None
    scope = scope.at("internalRedirectPolicy")
    schemes = _SCHEMES.get(policy.allow_cross_scheme_redirect)
    if schemes is None:
        text = f'"{policy.allow_cross_scheme_redirect}" is none of Never, SafeOnly, Always'
        raise scope.at("allowCrossSchemeRedirect").fault("RouteError", "InternalRedirectPolicyNotValid", text)
    unsaid = ir.FollowRedirects()
    most = unsaid.most if policy.max_internal_redirects is None else policy.max_internal_redirects
    if not 0 <= most <= _LARGEST:
        text = f"must be between 0 and {_LARGEST}, found {most}"
        raise scope.at("maxInternalRedirects").fault("RouteError", "InternalRedirectPolicyNotValid", text)
    for position, status in enumerate(policy.redirect_response_codes):
        if status not in _STATUSES:
            text = f"{status} is none of {', '.join(map(str, _STATUSES))}"
            place = scope.at(f"redirectResponseCodes[{position}]")
            raise place.fault("RouteError", "InternalRedirectPolicyNotValid", text)
    return ir.FollowRedirects(
        most=most,
        status_codes=policy.redirect_response_codes or unsaid.status_codes,
        schemes=schemes,
        same_route_once=policy.deny_repeated_route_redirect,
    )
