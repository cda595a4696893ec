"""What happens to a request."""

from typing import Literal

from isoline.routing.ir.access import RouteAuthorization
from isoline.routing.ir.base import IR
from isoline.routing.ir.cookies import CookieRewrite
from isoline.routing.ir.headers import HeaderEdits
from isoline.routing.ir.matching import Match
from isoline.routing.ir.rate_limits import GlobalLimit, LocalLimit
from isoline.routing.ir.traffic import Traffic


class Backoff(IR, frozen=True, kw_only=True):
    base: float
    maximum: float


class Retry(IR, frozen=True, kw_only=True):
    on: tuple[str, ...]
    count: int
    per_try_timeout: float | None = None
    status_codes: tuple[int, ...] = ()
    backoff: Backoff | None = None
    avoid_same_host: bool = True
    """Whether endpoints that were tried are passed over while there are others."""
    hedge: bool = False
    """A try that exceeds its timeout goes on beside the next, and the first good answer counts."""


class HashBy(IR, frozen=True, kw_only=True):
    """One thing that a request is hashed by, to find its endpoint again."""

    source: Literal["header", "query", "address", "cookie"]
    name: str = ""
    terminal: bool = False
    cookie_ttl: float | None = None
    cookie_path: str = ""


class RegexRewrite(IR, frozen=True, kw_only=True):
    pattern: str
    substitution: str


NO_CLUSTER = "no-such-service"
"""What a share names whose Service is missing: its part of the requests gets 503."""


class Share(IR, frozen=True, kw_only=True):
    """One cluster's part in a route."""

    cluster: str
    """Its name, or `NO_CLUSTER`."""
    weight: int
    request_headers: HeaderEdits = HeaderEdits()
    response_headers: HeaderEdits = HeaderEdits()
    host_rewrite: str | None = None
    """The Host that this cluster sees; it beats the route's."""
    cookies: tuple[CookieRewrite, ...] = ()
    """Replace the route's, unless empty."""


class Mirror(IR, frozen=True, kw_only=True):
    """A cluster that gets copies of requests; what it answers is dropped."""

    cluster: str
    percent: int
    """Of the requests, from 1 to 100."""


class FollowRedirects(IR, frozen=True, kw_only=True):
    """Redirects of the upstream that the gateway follows itself, if they lead to a route of its own."""

    most: int = 1
    """In a row."""
    status_codes: tuple[int, ...] = (302,)
    schemes: Literal["same", "safe", "any"] = "same"
    """Whether one may lead to the other scheme; safe: never from plain HTTP into https."""
    same_route_once: bool = False
    """One that leads to a route that one led to before is the client's."""


class Forward(IR, frozen=True, kw_only=True):
    shares: tuple[Share, ...]
    """Never empty; weights are relative and at least one is above 0."""
    websocket: bool = False
    timeout: float | None = None
    idle_timeout: float | None = None
    retry: Retry | None = None
    hash_by: tuple[HashBy, ...] = ()
    prefix_rewrite: str | None = None
    regex_rewrite: RegexRewrite | None = None
    host_rewrite: str | None = None
    host_rewrite_header: str | None = None
    mirror: Mirror | None = None
    follow_redirects: FollowRedirects | None = None


class Redirect(IR, frozen=True, kw_only=True):
    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    status: Literal[301, 302, 303, 307, 308] = 302
    path: str | None = None
    prefix: str | None = None


class Respond(IR, frozen=True, kw_only=True):
    status: int
    body: str = ""


class HttpsRedirect(IR, frozen=True, kw_only=True):
    """301 to the same address with https, on the gateway's public https port."""


class AddressRange(IR, frozen=True, kw_only=True):
    """Clients of one range of addresses."""

    address: str
    prefix_length: int
    forwarded: bool
    """The client as trusted proxies tell it; else the other end of the connection."""


class AddressFilter(IR, frozen=True, kw_only=True):
    """Who may come; the others get 403."""

    allow: bool
    """Only those in a range may come; else everybody but those."""
    ranges: tuple[AddressRange, ...]


class Route(IR, frozen=True, kw_only=True):
    name: str
    """Unique within its site and never empty: an empty name means "no scope found" to the data plane. Logs show it."""
    match: Match
    action: Forward | Redirect | Respond | HttpsRedirect
    request_headers: HeaderEdits = HeaderEdits()
    response_headers: HeaderEdits = HeaderEdits()
    addresses: AddressFilter | None = None
    """Replaces the site's."""
    token: str | None = None
    """The provider whose token is demanded; empty: none is; None: that of the site's default."""
    authorization: RouteAuthorization | None = None
    """None: as the site says."""
    local_limit: LocalLimit | None = None
    """Replaces the site's."""
    cookies: tuple[CookieRewrite, ...] = ()
    global_limit: GlobalLimit | None = None
    """Replaces the site's."""
    traffic: Traffic | None = None
    """Replaces the site's."""
