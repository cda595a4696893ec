"""cookieRewritePolicies of routes and of services; the faults of both are the route's (Contour's rule)."""

import re
from collections.abc import Sequence
from typing import Literal

from isoline.objects.httpproxy import CookieRewritePolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Fault, Scope

_NAME = re.compile(r'[^()<>@,;:\\"/\[\]?={} \t\x7f\x00-\x1f]+')
_PATH = re.compile(r"[^;\x00-\x1f\x7f]+")
_DOMAIN = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*")
_SAME_SITE: dict[str, Literal["Strict", "Lax", "None"]] = {"Strict": "Strict", "Lax": "Lax", "None": "None"}
_LONGEST = 4096


def compile_cookies(policies: Sequence[CookieRewritePolicy], scope: Scope) -> tuple[ir.CookieRewrite, ...]:
    """Return what is rewritten, one entry a cookie. Raises Fault for what no cookie can have, and for duplicates."""
    found: dict[str, ir.CookieRewrite] = {}
    for position, policy in enumerate(policies):
        place = scope.at(f"cookieRewritePolicies[{position}]")
        if policy.name in found:
            raise _fault(place, f'duplicate cookie rewrite rule for cookie "{policy.name}"', told=True)
        found[policy.name] = _compile_one(policy, place)
    return tuple(found.values())


def merged(
    of_route: tuple[ir.CookieRewrite, ...], of_service: tuple[ir.CookieRewrite, ...]
) -> tuple[ir.CookieRewrite, ...]:
    """Return what holds for a service: of two entries for one cookie the service's."""
    by_name = {each.name: each for each in (*of_route, *of_service)}
    return tuple(by_name.values())


def _compile_one(policy: CookieRewritePolicy, scope: Scope) -> ir.CookieRewrite:
    if not _NAME.fullmatch(policy.name) or len(policy.name) > _LONGEST:
        raise _fault(scope.at("name"), f"{policy.name!r} is no name of a cookie")
    path = None if policy.path_rewrite is None else policy.path_rewrite.value
    domain = None if policy.domain_rewrite is None else policy.domain_rewrite.value
    if path is None and domain is None and policy.secure is None and policy.same_site is None:
        raise _fault(scope, f'no attributes rewritten for cookie "{policy.name}"', told=True)
    if path is not None and (not _PATH.fullmatch(path) or len(path) > _LONGEST):
        raise _fault(scope.at("pathRewrite.value"), f"{path!r} is no path of a cookie")
    if domain is not None and (not _DOMAIN.fullmatch(domain) or len(domain) > _LONGEST):
        raise _fault(scope.at("domainRewrite.value"), f"{domain!r} is no domain")
    if policy.same_site is not None and policy.same_site not in _SAME_SITE:
        raise _fault(scope.at("sameSite"), f'"{policy.same_site}" is none of {", ".join(_SAME_SITE)}')
    return ir.CookieRewrite(
        name=policy.name,
        path=path,
        domain=domain,
        secure=policy.secure,
        same_site=None if policy.same_site is None else _SAME_SITE[policy.same_site],
    )


def _fault(scope: Scope, text: str, *, told: bool = False) -> Fault:
    """A fault; `told` if Contour has it too, in the same words."""
    of = "service" if ".services[" in scope.path else "route"
    words = f"{text} on {of} cookie rewrite rules" if told else ""
    return scope.fault("RouteError", "CookieRewritePoliciesInvalid", text, words=words)
