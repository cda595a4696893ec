"""JSON Web Tokens: a request brings one of the provider that its route names, or gets 401.

Envoy takes providers per filter, not per route. So each site brings a filter of its own with its routes (see
`site_filters`): one tenant's providers are nobody else's, and no listener changes with them. Which routes demand a
token is said once more inside that filter, in the same order and the same words as the routes themselves.
"""

from collections.abc import Callable, Iterable
from typing import Any

from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2

from isoline.routing import ir
from isoline.xds.matches import route_match
from isoline.xds.messages import duration

NAME = "isoline.tokens"

METADATA = "envoy.filters.http.jwt_authn"
CLAIMS = "claims"
"""Where what a token says is told to other filters: the name of the metadata, and the key in it."""


BEARS_TOKEN = r"Bearer [^.]+\.[^.]+\.[^.]*"  # noqa: S105 - how one looks
"""How an Authorization looks that holds a token, and no key of another kind (RFC 7515, 3.1)."""


def configuration(
    tokens: ir.Tokens,
    routes: Iterable[ir.Route],
    *,
    tell: bool = False,
    has_alternative: Callable[[ir.Route], bool] = lambda _: False,
) -> Any | None:
    """The filter's message for these routes, in the order in which they are tried; None when none demands a token.

    With `tell` other filters learn what tokens say. Where a route has an alternative only who brings a token is asked
    for it here.
    """
    rules = [(route, demanded(route, tokens), has_alternative(route)) for route in routes]
    used = {(name, kept) for _, name, kept in rules}
    message = config_pb2.JwtAuthentication()
    for provider in tokens.providers:
        for kept in (False, True):
            if (provider.name, kept) not in used:
                continue
            found = message.providers[_key(provider.name, kept)]
            found.CopyFrom(_provider(provider))
            found.forward = provider.forward or kept
            if tell:
                found.payload_in_metadata = CLAIMS
    if not message.providers:
        return None
    for route, name, kept in rules:
        rule = message.rules.add(match=route_match(route.match))
        if name:
            rule.requires.provider_name = _key(name, kept)
        if name and kept:
            brings = rule.match.headers.add(name="authorization")
            brings.string_match.safe_regex.regex = BEARS_TOKEN
            message.rules.add(match=route_match(route.match))
    return message


def _key(provider: str, kept: bool) -> str:
    """A provider's name in the message. Where there are other ways in, they must see that a token was brought."""
    return f"{provider} (kept)" if kept else provider


def demanded(route: ir.Route, tokens: ir.Tokens) -> str:
    """Return the provider whose token a route demands; empty: none."""
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
