"""OpenID Connect by Envoy's own client. The secrets that it needs come apart from the routes."""

import hashlib
from typing import Any

from envoy.extensions.filters.http.oauth2.v3 import oauth_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from isoline.routing import ir
from isoline.xds import names, secrets
from isoline.xds.messages import ads, duration, packed, serialized
from isoline.xds.resources import Resource

NAME = "isoline.login"

_TIMEOUT = 10.0
_LIFE = 3600.0
"""Of a login whose token does not say."""
_COOKIES = (
    "bearer_token_cookie_config",
    "oauth_hmac_cookie_config",
    "oauth_expires_cookie_config",
    "id_token_cookie_config",
    "refresh_token_cookie_config",
    "oauth_nonce_cookie_config",
    "code_verifier_cookie_config",
)
_NOT_NAVIGATING = "cors|no-cors|same-origin|websocket"
"""What browsers say of requests whose answer is not shown as a page, so that nobody could log in there."""


def configuration(traffic: ir.Traffic) -> Any | None:
    source = traffic.oidc
    if source is None:
        return None
    message = oauth_pb2.OAuth2()
    config = message.config
    config.token_endpoint.uri = source.token_endpoint
    config.token_endpoint.cluster = source.cluster
    config.token_endpoint.timeout.CopyFrom(duration(_TIMEOUT))
    config.authorization_endpoint = source.authorization_endpoint
    config.end_session_endpoint = source.end_session_endpoint
    config.redirect_uri = f"%REQ(x-forwarded-proto)%://%REQ(:authority)%{source.redirect_path}"
    config.redirect_path_matcher.path.exact = source.redirect_path
    config.signout_path.path.exact = source.sign_out_path
    config.auth_scopes.extend(source.scopes)
    config.forward_bearer_token = source.forward_access_token
    config.use_refresh_token.value = True
    config.default_expires_in.CopyFrom(duration(_LIFE))
    fetched = config.deny_redirect_matcher.add(name="sec-fetch-mode")
    fetched.string_match.safe_regex.regex = _NOT_NAVIGATING
    for name in _COOKIES:
        getattr(config.cookie_configs, name).same_site = oauth_pb2.CookieConfig.LAX
    credentials = config.credentials
    credentials.client_id = source.client_id
    _set_secret(credentials.token_secret, source.client_secret)
    _set_secret(credentials.hmac_secret, source.cookie_key)
    return packed(message)


def login_secrets(traffic: ir.Traffic) -> list[Resource]:
    """What the login of these routes needs."""
    source = traffic.oidc
    if source is None:
        return []
    return [_secret(value) for value in (source.client_secret, source.cookie_key)]


def _set_secret(message: secret_pb2.SdsSecretConfig, value: ir.PrivateBytes) -> None:
    message.name = _name(value)
    message.sds_config.CopyFrom(ads())


def _secret(value: ir.PrivateBytes) -> Resource:
    message = secret_pb2.Secret()
    message.generic_secret.secret.inline_bytes = bytes(value)
    return secrets.secret(_name(value), serialized(message))


def _name(value: ir.PrivateBytes) -> str:
    return names.login(hashlib.blake2b(bytes(value), digest_size=16).hexdigest())
