"""By what a request shows who sent it, where a TrafficPolicy asks."""

from isoline.routing.ir.access import PrivateBytes
from isoline.routing.ir.base import IR


class ApiKeys(IR, frozen=True, kw_only=True):
    """One of these keys, or 401."""

    clients: tuple[tuple[str, PrivateBytes], ...]
    """Names and keys, sorted; no key twice."""
    header: str
    query: str = ""
    """The parameter that may carry the key where the header is absent; empty: none."""
    client_header: str = ""
    """Where the app is told the name; empty: nowhere."""


class BasicAuth(IR, frozen=True, kw_only=True):
    """A name and its password, or 401."""

    users: PrivateBytes
    """Lines of htpasswd, each with the SHA-1 of a password; no name twice."""
    user_header: str = ""
    """Where the app is told the name; empty: nowhere."""


class Login(IR, frozen=True, kw_only=True):
    """OpenID Connect: browsers without a login are sent to the provider, other requests get 401."""

    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str = ""
    cluster: str
    """The cluster of the token endpoint."""
    client_id: str
    client_secret: PrivateBytes
    cookie_key: PrivateBytes
    """Signs and encrypts what browsers keep."""
    scopes: tuple[str, ...]
    redirect_path: str
    sign_out_path: str
    forward_access_token: bool = False


class ClaimMatch(IR, frozen=True, kw_only=True):
    """A claim that is one of the values, or a list that holds one."""

    claim: tuple[str, ...]
    """The way to it, from the outermost."""
    values: tuple[str, ...]


class Claims(IR, frozen=True, kw_only=True):
    """What a verified token says, and must say."""

    headers: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Claims, each with the request header that carries it."""
    allow: tuple[tuple[ClaimMatch, ...], ...] = ()
    """All matches of one of these, or 403; empty: everybody."""
