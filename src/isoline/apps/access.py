"""Who may use an App: what its HTTPProxies and its TrafficPolicy say of it, and what is wrong with it."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from isoline.objects.app import App
from isoline.objects.app_access import Access, JWTAccess, OIDCAccess
from isoline.objects.httpproxy import JWTProvider, LocalJWKS, RemoteJWKS
from isoline.objects.httpproxy_access import VERIFIED_KEYS
from isoline.objects.httpproxy_policies import UpstreamValidation
from isoline.objects.traffic_policy_access import OIDC, APIKeys, BasicAuth


class Wrong(NamedTuple):
    """A field below `spec.access`, empty for itself, and what is wrong with it."""

    field: str
    message: str


def settings(app: App) -> dict[str, Any]:
    """Return the settings of the App's TrafficPolicy by which somebody may come in, by their attributes."""
    access = app.spec.access or Access()
    found: dict[str, Any] = {}
    if access.api_keys is not None:
        found["api_keys"] = APIKeys(secret_name=access.api_keys.secret_name, header=access.api_keys.header)
    if access.basic is not None:
        found["basic_auth"] = BasicAuth(secret_name=access.basic.secret_name, key=access.basic.key)
    if access.oidc is not None:
        found["oidc"] = _login(access.oidc)
    if len(_ways(access)) > 1:
        found["any_credential"] = True
    return found


def providers(app: App) -> tuple[JWTProvider, ...]:
    """Return who signs tokens for the App's hosts."""
    jwt = (app.spec.access or Access()).jwt
    if jwt is None:
        return ()
    local = None if jwt.jwks is None else LocalJWKS(secret_name=jwt.jwks.secret_name, key=jwt.jwks.key)
    remote = _remote(jwt) if jwt.jwks_url else None
    return (
        JWTProvider(
            name="app",
            default=True,
            issuer=jwt.issuer,
            audiences=jwt.audiences,
            local_jwks=local,
            remote_jwks=remote,
        ),
    )


def annotations(app: App) -> dict[str, str]:
    """Return what HTTPProxies of the App are to say of it besides their spec."""
    jwt = (app.spec.access or Access()).jwt
    return {VERIFIED_KEYS: "true"} if jwt is not None and jwt.jwks_url else {}


def paths(app: App) -> tuple[str, ...]:
    """Return the paths that are not the App's own and must be open for its users to come in."""
    access = app.spec.access
    if access is None or access.oidc is None:
        return ()
    login = _login(access.oidc)
    return (login.redirect_path, login.sign_out_path)


def wrong(access: Access) -> Iterator[Wrong]:
    """Yield all that is wrong with who may use an App: one that was meant to be guarded is not put online without."""
    if access.oidc is not None:
        yield from _wrong_login(access.oidc)
    if access.jwt is not None:
        yield from _wrong_tokens(access.jwt)
    if access.allow and access.deny:
        yield Wrong("", "allow and deny exclude each other: keep one")


def _ways(access: Access) -> list[object]:
    return [way for way in (access.api_keys, access.jwt, access.oidc, access.basic) if way is not None]


def _login(source: OIDCAccess) -> OIDC:
    return OIDC(
        authorization_endpoint=source.authorization_endpoint,
        token_endpoint=source.token_endpoint,
        end_session_endpoint=source.end_session_endpoint,
        ca_secret_name=source.ca_secret_name,
        client_id=source.client_id,
        client_secret=source.client_secret,
        scopes=source.scopes,
    )


def _remote(jwt: JWTAccess) -> RemoteJWKS:
    validation = None
    if jwt.ca_secret_name:
        host = urlsplit(jwt.jwks_url).hostname or ""
        validation = UpstreamValidation(ca_secret=jwt.ca_secret_name, subject_name=host, subject_names=(host,))
    return RemoteJWKS(uri=jwt.jwks_url, validation=validation)


def _wrong_login(source: OIDCAccess) -> Iterator[Wrong]:
    for field, url in (
        ("authorizationEndpoint", source.authorization_endpoint),
        ("tokenEndpoint", source.token_endpoint),
    ):
        if not url:
            where = f"{(source.issuer or 'https://<issuer>').rstrip('/')}/.well-known/openid-configuration"
            yield Wrong(f"oidc.{field}", f"is needed: {where} names it")
        elif not _is_https(url):
            yield Wrong(f"oidc.{field}", f'"{url}" is no https URL')
    if source.end_session_endpoint and not _is_https(source.end_session_endpoint):
        yield Wrong("oidc.endSessionEndpoint", f'"{source.end_session_endpoint}" is no https URL')


def _wrong_tokens(jwt: JWTAccess) -> Iterator[Wrong]:
    if jwt.jwks is None and not jwt.jwks_url:
        yield Wrong("jwt.jwksURL", "is needed, or jwks: without keys no token can be verified")
    elif jwt.jwks is not None and jwt.jwks_url:
        yield Wrong("jwt", "jwks and jwksURL exclude each other: keep one")
    elif jwt.jwks_url and not _is_https(jwt.jwks_url):
        yield Wrong("jwt.jwksURL", f'"{jwt.jwks_url}" is no https URL')


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
