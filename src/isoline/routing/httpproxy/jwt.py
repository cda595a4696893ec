"""virtualhost.jwtProviders and the jwtVerificationPolicy of routes."""

from collections.abc import Mapping
from typing import NamedTuple

from isoline.objects.httpproxy import JWTProvider, JWTVerificationPolicy, VirtualHost
from isoline.routing import ir
from isoline.routing.httpproxy import jwks
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.view import View

NO_TOKEN = ""


class UnknownProvider(Exception):  # noqa: N818 - not an error of ours but the user's
    """A route demands the token of a provider that its host does not define. The root has been told."""


class Providers(NamedTuple):
    """Who signs tokens for a host, and the clusters from which keys are fetched."""

    tokens: ir.Tokens
    clusters: Mapping[str, ir.Cluster]


def compile_providers(
    root: VirtualHost, namespace: str, view: View, scope: Scope, *, verified: bool = False
) -> Providers | None:
    """Return the providers of a host, None if it has none. Every fault is reported; then the result is not whole.

    `verified`: who has the keys is checked by what this machine trusts where the object has no word for it.
    """
    if not root.jwt_providers:
        return None
    scope = scope.at("jwtProviders")
    _check_names(root.jwt_providers, scope)
    clusters: dict[str, ir.Cluster] = {}
    providers: list[ir.TokenProvider] = []
    for position, provider in enumerate(root.jwt_providers):
        try:
            place = Scope(scope.report, f"{scope.path}[{position}]")
            keys = jwks.compile_keys(provider, namespace, clusters, view, place, verified=verified)
        except Fault as fault:
            scope.report.errors[fault.finding] = None
            continue
        providers.append(
            ir.TokenProvider(
                name=provider.name,
                keys=keys,
                issuer=provider.issuer,
                audiences=provider.audiences,
                forward=provider.forward_jwt,
            )
        )
    default = next((provider.name for provider in root.jwt_providers if provider.default), "")
    return Providers(ir.Tokens(providers=tuple(providers), default=default), clusters)


def _check_names(providers: tuple[JWTProvider, ...], scope: Scope) -> None:
    names: set[str] = set()
    for position, provider in enumerate(providers):
        place = Scope(scope.report, f"{scope.path}[{position}].name")
        if not provider.name:
            place.error("JWTVerificationError", "ProviderNameMissing", "a provider needs a name")
        elif provider.name in names:
            words = f"Spec.VirtualHost.JWTProviders is invalid: duplicate name {provider.name}"
            text = f"another provider has the name {provider.name}"
            place.error("JWTVerificationError", "DuplicateProviderName", text, words=words)
        names.add(provider.name)
    if sum(provider.default for provider in providers) > 1:
        words = "Spec.VirtualHost.JWTProviders is invalid: at most one provider can be set as the default"
        text = "at most one provider can be set as the default"
        scope.error("JWTVerificationError", "MultipleDefaultProvidersSpecified", text, words=words)


def demands_token(policy: JWTVerificationPolicy | None) -> bool:
    """Return whether a route says itself that it is for bearers of a token only."""
    return policy is not None and bool(policy.require)


def compile_token(
    policy: JWTVerificationPolicy | None, tokens: ir.Tokens | None, scope: Scope, root: Scope, *, ends_tls: bool
) -> str | None:
    """Return whose token a route demands: None for the host's default, `NO_TOKEN` for none.

    Raises Fault for a policy that contradicts itself, and UnknownProvider: then the route must stay closed. A host that
    ends no TLS never verifies tokens (Contour's rule), which deserves a warning.
    """
    if policy is None:
        return None
    scope = scope.at("jwtVerificationPolicy")
    if policy.require and policy.disabled:
        text = "require and disabled exclude each other"
        words = "route's JWT verification policy cannot specify both require and disabled"
        raise scope.fault("JWTVerificationError", "InvalidJWTVerificationPolicy", text, words=words)
    if policy.disabled:
        return NO_TOKEN
    if not policy.require:
        return None
    if not ends_tls:
        scope.at("require").warn("JWTVerificationError", "tokens are verified only on hosts that end TLS")
        return None
    if tokens is None or all(provider.name != policy.require for provider in tokens.providers):
        text = f'{scope.path}.require names the JWT provider "{policy.require}", which is not defined here'
        words = f'Route references an undefined JWT provider "{policy.require}"'
        root.at("virtualhost.jwtProviders").error("JWTVerificationError", "JWTProviderNotDefined", text, words=words)
        raise UnknownProvider(policy.require)
    return policy.require
