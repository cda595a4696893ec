"""virtualhost.authorization, the authPolicy of routes, and the gateway's globalExternalAuthorization.

A host's own server comes before the gateway's; what a host or a route says about being asked holds for either.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from isoline.objects.httpproxy import (
    AuthorizationPolicy,
    AuthorizationServer,
    AuthorizationServerBufferSettings,
    HTTPAuthorizationServerAllowedHeaders,
    VirtualHost,
)
from isoline.routing import ir, wording
from isoline.routing.extensions import Extension, find_extension
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.httpproxy.timeouts import parse_timeout
from isoline.routing.view import View

T = TypeVar("T")

API_VERSION = "projectcontour.io/v1alpha1"
_FIELD = "Spec.Virtualhost.Authorization"
_BODY_BYTES = 1024
_MOST_BODY_BYTES = 2**32 - 1
_LONGEST_TIMEOUT = 2.0**32 - 1
_NOT_ASKED = ir.RouteAuthorization(asked=False)


class HostAuthorization(NamedTuple):
    """Who is asked about a host's requests, and about which."""

    server: ir.Authorization | None
    """None when whoever should be asked cannot be; `fault` says why."""
    cluster: ir.Cluster | None
    disabled: bool
    """Nobody is asked about routes that do not say so themselves."""
    context: Mapping[str, str]
    fault: Fault | None = None


def compile_host(root: VirtualHost, namespace: str, view: View, scope: Scope) -> HostAuthorization | None:
    """Return who is asked about a host's requests, None if nobody is. Every fault that closes the host is reported.

    A host that switches asking off stands whatever its server is like; a route that switches it on again does not.
    """
    own, default = root.authorization, view.settings.authorization
    if own is None:
        return None if default is None else compile_default(namespace, view, scope)
    scope = scope.at("authorization")
    named = bool(own.extension_ref.name)
    if root.tls is not None and root.tls.passthrough:
        scope.warn("AuthError", "nobody is asked about connections that are passed through")
    if not named and default is None:
        if own.auth_policy is None or not own.auth_policy.disabled:
            text = "names nobody to ask, and the gateway has nobody; nobody is asked"
            scope.at("extensionRef").warn("AuthError", text)
        return None
    server = own if named else default
    assert server is not None
    return _compiled(server, own.auth_policy, namespace, view, scope)


def compile_default(namespace: str, view: View, scope: Scope) -> HostAuthorization | None:
    """Return who the gateway asks about every host's requests. Every fault is reported."""
    default = view.settings.authorization
    if default is None:
        return None
    return _compiled(default, default.auth_policy, namespace, view, scope.at("authorization"))


def compile_route(
    policy: AuthorizationPolicy | None, host: HostAuthorization | None, scope: Scope
) -> ir.RouteAuthorization | None:
    """Return where a route differs from its host. Raises Fault when somebody is to be asked who cannot be."""
    if host is None:
        return None
    if policy is None:
        return _NOT_ASKED if host.disabled else None
    if policy.disabled:
        return _NOT_ASKED
    scope = scope.at("authPolicy")
    if host.server is None:
        if host.fault is not None:
            raise host.fault
        return None
    context = {**host.context, **policy.context}
    if policy.context and not host.server.grpc:
        raise _context_fault(scope)
    if not host.disabled and context == dict(host.context):
        return None
    return ir.RouteAuthorization(asked=True, context=_pairs(context))


def asks(policy: AuthorizationPolicy | None, host: HostAuthorization | None) -> bool:
    """Return whether a route says itself that somebody is to be asked about it."""
    return policy is not None and not policy.disabled and host is not None


def _compiled(
    server: AuthorizationServer, policy: AuthorizationPolicy | None, namespace: str, view: View, scope: Scope
) -> HostAuthorization:
    disabled = policy is not None and policy.disabled
    context = policy.context if policy is not None else {}
    found, faults = _Server(server, namespace, scope).compiled(view, context)
    if not disabled:
        scope.report.errors.update((fault.finding, None) for fault in faults)
    if found is None:
        return HostAuthorization(None, None, disabled, context, faults[0])
    authorization, cluster = found
    return HostAuthorization(authorization, cluster, disabled, context)


class _Server(NamedTuple):
    """What is written about a server, and where."""

    written: AuthorizationServer
    namespace: str
    scope: Scope

    def compiled(
        self, view: View, context: Mapping[str, str]
    ) -> tuple[tuple[ir.Authorization, ir.Cluster] | None, list[Fault]]:
        """The server and its cluster, or every fault."""
        faults: list[Fault] = []
        extension = _collected(faults, lambda: self.extension(view))
        timeout = _collected(faults, self.timeout)
        grpc = _collected(faults, self.is_grpc)
        body = _collected(faults, self.body)
        faults += self.header_faults()
        if grpc is False and context:
            faults.append(_context_fault(self.scope.at("authPolicy")))
        if faults or extension is None:
            return None, faults
        settings = self.written.http_settings if not grpc else None
        authorization = ir.Authorization(
            cluster=extension.cluster.name,
            grpc=bool(grpc),
            authority=extension.authority,
            timeout=extension.timeout if timeout is None else timeout,
            fail_open=self.written.fail_open,
            body=body,
            context=_pairs(context),
            path_prefix=settings.path_prefix if settings is not None else "",
            request_headers=_matches(settings.allowed_authorization_headers) if settings is not None else (),
            upstream_headers=_matches(settings.allowed_upstream_headers) if settings is not None else (),
        )
        return (authorization, extension.cluster), faults

    def extension(self, view: View) -> Extension:
        reference, scope = self.written.extension_ref, self.scope.at("extensionRef")
        if reference.api_version not in {"", API_VERSION}:
            text = f'"{reference.api_version}" is not {API_VERSION}'
            words = f'{_FIELD}.extensionRef specifies an unsupported resource version "{reference.api_version}"'
            raise scope.at("apiVersion").fault("AuthError", "AuthBadResourceVersion", text, words=words)
        namespace = reference.namespace or self.namespace
        found = find_extension(namespace, reference.name, view)
        if found is None:
            name = f"{namespace}/{reference.name}"
            text = f"ExtensionService {name} not found, or not valid: then its status says why"
            words = f'{_FIELD}.ServiceRef extension service "{name}" not found'
            raise scope.fault("AuthError", "ExtensionServiceNotFound", text, words=words)
        return found

    def timeout(self) -> float | None:
        scope = self.scope.at("responseTimeout")
        try:
            seconds = parse_timeout(self.written.response_timeout)
        except ValueError as error:
            words = f"{_FIELD}.ResponseTimeout is invalid: {wording.bad_timeout(self.written.response_timeout)}"
            raise scope.fault("AuthError", "AuthResponseTimeoutInvalid", str(error), words=words) from error
        if seconds is not None and seconds > _LONGEST_TIMEOUT:
            text = f"{self.written.response_timeout} is too long; write infinity for no limit"
            raise scope.fault("AuthError", "AuthResponseTimeoutInvalid", text)
        return seconds

    def is_grpc(self) -> bool:
        kind = self.written.service_type or "grpc"
        if kind not in {"grpc", "http"}:
            text = f"{kind!r} is neither grpc nor http"
            raise self.scope.at("serviceType").fault("AuthError", "AuthServiceTypeInvalid", text)
        return kind == "grpc"

    def body(self) -> ir.RequestBody | None:
        settings = self.written.with_request_body
        return None if settings is None else _body(settings, self.scope.at("withRequestBody"))

    def header_faults(self) -> Iterator[Fault]:
        settings = self.written.http_settings
        if settings is None or self.written.service_type != "http":
            return
        scope = self.scope.at("httpSettings")
        if any(character in settings.path_prefix for character in "\r\n\0?#") or not settings.path_prefix.isascii():
            text = f"{settings.path_prefix!r} cannot stand before a path"
            yield scope.at("pathPrefix").fault("AuthError", "AuthPathPrefixInvalid", text)
        for field, matches in (
            ("allowedAuthorizationHeaders", settings.allowed_authorization_headers),
            ("allowedUpstreamHeaders", settings.allowed_upstream_headers),
        ):
            for position, match in enumerate(matches):
                if problem := _problem(match):
                    yield scope.at(f"{field}[{position}]").fault("AuthError", "AuthBadAllowedHeader", problem)


def _collected(faults: list[Fault], compiled: Callable[[], T]) -> T | None:
    try:
        return compiled()
    except Fault as fault:
        faults.append(fault)
        return None


def _body(settings: AuthorizationServerBufferSettings, scope: Scope) -> ir.RequestBody:
    if not 0 <= settings.max_request_bytes <= _MOST_BODY_BYTES:
        text = f"must be between 1 and {_MOST_BODY_BYTES}, found {settings.max_request_bytes}"
        raise scope.at("maxRequestBytes").fault("AuthError", "AuthRequestBodyInvalid", text)
    return ir.RequestBody(
        maximum=settings.max_request_bytes or _BODY_BYTES,
        allow_partial=settings.allow_partial_message,
        as_bytes=settings.pack_as_bytes,
    )


def _problem(match: HTTPAuthorizationServerAllowedHeaders) -> str:
    kinds = [value for value in (match.exact, match.prefix, match.suffix, match.contains) if value]
    if len(kinds) != 1:
        return "exactly one of exact, prefix, suffix and contains is needed"
    return "" if header_names.is_name(kinds[0]) else f"{kinds[0]!r} is in no header's name"


def _matches(written: tuple[HTTPAuthorizationServerAllowedHeaders, ...]) -> tuple[ir.NameMatch, ...]:
    return tuple(
        ir.NameMatch(
            exact=each.exact,
            prefix=each.prefix,
            suffix=each.suffix,
            contains=each.contains,
            ignore_case=each.ignore_case,
        )
        for each in written
    )


def _context_fault(scope: Scope) -> Fault:
    return scope.at("context").fault("AuthError", "AuthContextForHTTP", "a context is for gRPC servers only")


def _pairs(context: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(context.items()))
