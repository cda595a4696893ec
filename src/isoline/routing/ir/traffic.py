"""What a TrafficPolicy asks of the requests and answers of a route."""

from typing import Literal

from isoline.routing.ir.base import IR
from isoline.routing.ir.credentials import ApiKeys, BasicAuth, Claims, Login
from isoline.routing.ir.load import AdaptiveConcurrency, Bandwidth, Compression


class HeaderLimits(IR, frozen=True, kw_only=True):
    """More is answered with 431."""

    size: int | None = None
    """Bytes of all names and values."""
    count: int | None = None


class ErrorPage(IR, frozen=True, kw_only=True):
    """What clients get instead of some answers: a text, or what a cluster answers."""

    statuses: tuple[tuple[int, int], ...]
    """Closed ranges."""
    status: int | None = None
    """None: the status stays."""
    body: str = ""
    content_type: str = ""
    cluster: str = ""
    """Empty: the text counts."""
    host: str = ""
    path: str = ""


class RateLimit(IR, frozen=True, kw_only=True):
    """A bucket of requests; more are answered with 429."""

    requests: int
    interval: float
    """Seconds in which so many come in anew."""
    burst: int
    by: Literal["all", "address", "header"]
    """For whom there is a bucket of its own."""
    header: str = ""


class SessionCookie(IR, frozen=True, kw_only=True):
    """Keeps a client with one endpoint."""

    name: str
    path: str
    ttl: float | None = None
    """Seconds; None for as long as the client runs."""
    same_site: Literal["Strict", "Lax", "None"] | None = None
    secure: bool = False
    strict: bool = False
    """503 instead of another endpoint when the one is gone."""


class LogChoice(IR, frozen=True, kw_only=True):
    """Which log a request goes to."""

    name: str
    """Of a `NamedLog`; empty: the gateway's own."""
    percent: int = 100


WAYS_IN = ("api_keys", "basic_auth", "oidc")
"""The words of `Traffic` by which a request shows who sent it."""


class Traffic(IR, frozen=True, kw_only=True):
    """Empty: nothing is asked."""

    request_body: int | None = None
    """Bytes of a request body; more is answered with 413."""
    request_headers: HeaderLimits | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    error_pages: tuple[ErrorPage, ...] = ()
    """The first that has the status counts."""
    session_cookie: SessionCookie | None = None
    access_log: LogChoice | None = None
    request_id: str | None = None
    """The response header that carries the request's identity."""
    api_keys: ApiKeys | None = None
    basic_auth: BasicAuth | None = None
    oidc: Login | None = None
    jwt_claims: Claims | None = None
    alternatives: tuple[str, ...] = ()
    """Of `WAYS_IN` those of which one is enough, or a token in their place where the site has tokens; empty: all that
    there are, and the route's token, are demanded."""
    compression: Compression | None = None
    bandwidth: Bandwidth | None = None
    adaptive_concurrency: AdaptiveConcurrency | None = None
    http3: float | None = None
    """Seconds for which clients may remember that the host is there over HTTP/3; None: it is not."""

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that it names."""
        pages = tuple(page.cluster for page in self.error_pages if page.cluster)
        return pages if self.oidc is None else (*pages, self.oidc.cluster)
