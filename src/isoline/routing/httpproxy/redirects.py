"""requestRedirectPolicy."""

from typing import Literal, get_args

from isoline.objects.httpproxy import HTTPRequestRedirectPolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.indexes import normal_host

Status = Literal[301, 302, 303, 307, 308]
_STATUSES: dict[int, Status] = {status: status for status in get_args(Status)}


def compile_redirect(policy: HTTPRequestRedirectPolicy, scope: Scope) -> ir.Redirect:
    """Return the redirect. Raises Fault for path and prefix together and for values outside the schema."""
    scope = scope.at("requestRedirectPolicy")
    if policy.path is not None and policy.prefix is not None:
        words = "route.requestRedirectPolicy is invalid: cannot specify both redirect path and redirect prefix"
        raise _fault(scope, "path and prefix exclude each other", words)
    if policy.scheme not in {None, "http", "https"}:
        raise _fault(scope.at("scheme"), f"{policy.scheme!r} is neither http nor https")
    if policy.hostname is not None and (policy.hostname.startswith("*") or normal_host(policy.hostname) is None):
        raise _fault(scope.at("hostname"), f"{policy.hostname!r} is no host name")
    if policy.port is not None and not 1 <= policy.port <= 65535:
        raise _fault(scope.at("port"), f"{policy.port} is no port")
    status = _STATUSES.get(policy.status_code)
    if status is None:
        allowed = ", ".join(str(status) for status in _STATUSES)
        raise _fault(scope.at("statusCode"), f"{policy.status_code} is none of {allowed}")
    for field, value in (("path", policy.path), ("prefix", policy.prefix)):
        if value is not None and (not value.startswith("/") or any(character in value for character in "\r\n\0")):
            raise _fault(scope.at(field), f"must start with / and hold no line break, found {value!r}")
    return ir.Redirect(
        scheme=policy.scheme,
        hostname=policy.hostname,
        port=policy.port,
        status=status,
        path=policy.path,
        prefix=policy.prefix,
    )


def _fault(scope: Scope, text: str, words: str = "") -> Exception:
    return scope.fault("RouteError", "RequestRedirectPolicy", text, words=words)
