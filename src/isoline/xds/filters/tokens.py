"""JSON Web Tokens: a request brings one of the provider that its route names, or gets 401.

Envoy takes providers per filter, not per route. So each site brings a filter of its own with its routes (see
`site_filters`): one tenant's providers are nobody else's, and no listener changes with them. Which routes demand a
token is said once more inside that filter, in the same order and the same words as the routes themselves.
"""

from collections.abc import Iterable
from typing import Any

from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2

from isoline.routing import ir
from isoline.xds.matches import route_match
from isoline.xds.messages import duration

NAME = "isoline.tokens"

METADATA = "envoy.filters.http.jwt_authn"
CLAIMS = "claims"
"""Where what a token says is told to other filters: the name of the metadata, and the key in it."""


def configuration(tokens: ir.Tokens, routes: Iterable[ir.Route], *, tell: bool = False) -> Any | None:
    """The filter's message for these routes, in the order in which they are tried; None when none demands a token.

    With `tell` other filters learn what tokens say.
    """
    rules = [(route, _demanded(route, tokens)) for route in routes]
    used = {name for _, name in rules}
    message = config_pb2.JwtAuthentication()
    for provider in tokens.providers:
        if provider.name in used:
            message.providers[provider.name].CopyFrom(_provider(provider))
            if tell:
                message.providers[provider.name].payload_in_metadata = CLAIMS
    if not message.providers:
        return None
    for route, name in rules:
        rule = message.rules.add(match=route_match(route.match))
        if name:
            rule.requires.provider_name = name
    return message


def _demanded(route: ir.Route, tokens: ir.Tokens) -> str:
    if isinstance(route.action, ir.HttpsRedirect):
        return ""
    return tokens.default if route.token is None else route.token


def _provider(source: ir.TokenProvider) -> Any:
    provider = config_pb2.JwtProvider(issuer=source.issuer, audiences=source.audiences, forward=source.forward)
    match source.keys:
        case ir.LocalKeys(jwks=keys):
            provider.local_jwks.inline_bytes = keys
        case ir.RemoteKeys() as remote:
            provider.remote_jwks.http_uri.uri = remote.uri
            provider.remote_jwks.http_uri.cluster = remote.cluster
            provider.remote_jwks.http_uri.timeout.CopyFrom(duration(remote.timeout))
            provider.remote_jwks.cache_duration.CopyFrom(duration(remote.cache_duration))
    return provider
