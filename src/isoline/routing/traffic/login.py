"""Logins with an OpenID Connect provider."""

import hashlib
import hmac
import re

from isoline.objects.traffic_policy_access import OIDC
from isoline.routing import clusters, ir
from isoline.routing.authorities import authorities_of, machine_authorities
from isoline.routing.traffic.place import Place
from isoline.routing.traffic.secrets import entry_of, secret_of
from isoline.routing.urls import Url, parse_url

_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""A scope (RFC 6749 section 3.3)."""
_PATH = re.compile(r"/[A-Za-z0-9._~/-]+")
_PURPOSE = b"isoline: what browsers keep of a login"


def compile_oidc(setting: OIDC, place: Place) -> ir.Login:
    """Return how browsers log in, and add the cluster of the token endpoint to the place. Raises Fault."""
    _url(setting.authorization_endpoint, place.at("authorizationEndpoint"))
    if setting.end_session_endpoint:
        _url(setting.end_session_endpoint, place.at("endSessionEndpoint"))
    for position, scope in enumerate(setting.scopes):
        if not _TOKEN.fullmatch(scope):
            raise place.at(f"scopes[{position}]").invalid(f"{scope!r} is no scope")
    if not setting.client_id.strip() or not setting.client_id.isprintable():
        raise place.at("clientID").invalid("must be what the provider calls this client")
    for field, path in (("redirectPath", setting.redirect_path), ("signOutPath", setting.sign_out_path)):
        if not _PATH.fullmatch(path):
            raise place.at(field).invalid(f"{path!r} holds what cannot stand in a path")
    if setting.redirect_path == setting.sign_out_path:
        raise place.at("signOutPath").invalid("must differ from redirectPath")
    reference = setting.client_secret
    secret = entry_of(reference.secret_name, reference.key, place.at("clientSecret"))
    return ir.Login(
        authorization_endpoint=setting.authorization_endpoint,
        token_endpoint=setting.token_endpoint,
        end_session_endpoint=setting.end_session_endpoint,
        cluster=_cluster(setting, place),
        client_id=setting.client_id,
        client_secret=ir.PrivateBytes(secret),
        # Every gateway and every start makes the same, so a login outlives them; a new secret ends all.
        cookie_key=ir.PrivateBytes(hmac.digest(secret, _PURPOSE, hashlib.sha256).hex().encode()),
        scopes=tuple(dict.fromkeys(("openid", *setting.scopes))),
        redirect_path=setting.redirect_path,
        sign_out_path=setting.sign_out_path,
        forward_access_token=setting.forward_access_token,
    )


def _url(text: str, place: Place) -> Url:
    found = parse_url(text)
    if isinstance(found, str):
        raise place.invalid(found)
    return found


def _cluster(setting: OIDC, place: Place) -> str:
    url = _url(setting.token_endpoint, place.at("tokenEndpoint"))
    trust = ir.Trust(authorities=_authorities(setting, place), names=(url.host,)) if url.secure else None
    cluster = clusters.of_url(url, "login", trust=trust)
    place.clusters[cluster.name] = cluster
    return cluster.name


def _authorities(setting: OIDC, place: Place) -> bytes:
    place = place.at("caSecretName")
    if not setting.ca_secret_name:
        if not (trusted := machine_authorities()):
            raise place.missing("SecretNotFound", "is needed: the gateway's own machine trusts no authority")
        return trusted
    found = authorities_of(secret_of(setting.ca_secret_name, place))
    if isinstance(found, str):
        raise place.missing("SecretInvalid", f'Secret "{place.namespace}/{setting.ca_secret_name}": {found}')
    return found.pem
