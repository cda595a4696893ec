"""Who may come in: which tokens a request must bring, and who else is asked about it."""

from isoline.routing.ir.base import IR


class PrivateBytes(bytes):
    """Bytes that no log and no page may show."""

    def __repr__(self) -> str:
        return "<redacted>"

    __str__ = __repr__


class RemoteKeys(IR, frozen=True, kw_only=True):
    """Keys that are fetched."""

    uri: str
    cluster: str
    """The name of the cluster that `uri` leads to."""
    timeout: float
    cache_duration: float


class LocalKeys(IR, frozen=True, kw_only=True):
    """Keys that are at hand."""

    jwks: PrivateBytes
    """A JSON Web Key Set (RFC 7517) of usable keys only. Private, since a key may be a shared secret."""


class TokenProvider(IR, frozen=True, kw_only=True):
    """Who signs tokens, and what they must say."""

    name: str
    """Unique in its site."""
    keys: RemoteKeys | LocalKeys
    issuer: str = ""
    """Empty: any."""
    audiences: tuple[str, ...] = ()
    """One of them; empty: any."""
    forward: bool = False
    """Whether the app gets the token, too."""


class Tokens(IR, frozen=True, kw_only=True):
    """The JSON Web Tokens of a site."""

    providers: tuple[TokenProvider, ...]
    """Never empty."""
    default: str = ""
    """The provider whose token routes demand that say nothing; empty: none."""


class NameMatch(IR, frozen=True, kw_only=True):
    """Which headers, by name. Exactly one is set."""

    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    contains: str = ""
    ignore_case: bool = False


class RequestBody(IR, frozen=True, kw_only=True):
    """How much of a request's body whoever is asked gets to see."""

    maximum: int
    """Bytes."""
    allow_partial: bool = False
    """The first bytes of a longer body; else that gets 413."""
    as_bytes: bool = False
    """As it came; else as text, in which what is no UTF-8 is replaced."""


class Authorization(IR, frozen=True, kw_only=True):
    """Who is asked whether a request may pass; what it refuses never reaches the app."""

    cluster: str
    """The name of the cluster of the server."""
    grpc: bool
    """By gRPC (`envoy.service.auth.v3`); else by HTTP."""
    authority: str
    """What a gRPC server sees as the host."""
    timeout: float
    """Seconds, or `NEVER`."""
    fail_open: bool = False
    """Requests pass when the server does not answer; else they get 403."""
    body: RequestBody | None = None
    context: tuple[tuple[str, str], ...] = ()
    """What the server is told of routes that say nothing; gRPC only, sorted."""
    path_prefix: str = ""
    """Before the path of the question; HTTP only."""
    request_headers: tuple[NameMatch, ...] = ()
    """What an HTTP server gets besides host, method, path, length and credentials."""
    upstream_headers: tuple[NameMatch, ...] = ()
    """Of an HTTP server's answer, what the app gets."""


class RouteAuthorization(IR, frozen=True, kw_only=True):
    """Where a route differs from its site."""

    asked: bool
    """Whether anybody is asked about requests for this route."""
    context: tuple[tuple[str, str], ...] = ()
    """In place of the site's."""
