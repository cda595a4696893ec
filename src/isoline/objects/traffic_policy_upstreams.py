"""The parts of a TrafficPolicy that are about upstreams and how requests are sent to them."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Duration, Natural, Path, Positive
from isoline.objects.model import Model

Percent = Annotated[int, Meta(ge=0, le=100)]


class Timeouts(Model, frozen=True, kw_only=True):
    """For routes that set none themselves. `infinity` switches one off."""

    request: Annotated[Duration | None, Meta(description="Until the response is complete.")] = None
    idle: Annotated[Duration | None, Meta(description="Longest silence on a stream.")] = None


class BackOff(Model, frozen=True, kw_only=True):
    """Each wait is random, below a bound that doubles."""

    base: Annotated[Duration, Meta(description="Bound of the first wait.")] = "25ms"
    max: Annotated[Duration | None, Meta(description="Highest bound; ten times the base when unset.")] = None


class Retry(Model, frozen=True, kw_only=True):
    """`count`, `retryOn` and `perTryTimeout` are for routes without a retry policy of their own."""

    count: Annotated[Natural | None, Meta(description="Further tries; with it, such routes retry at all.")] = None
    retry_on: Annotated[tuple[str, ...], Meta(description="Envoy's conditions, such as 5xx or connect-failure.")] = ()
    per_try_timeout: Annotated[Duration | None, Meta(description="Longest time for one try.")] = None
    back_off: Annotated[BackOff | None, Meta(description="Waits between tries.")] = None
    avoid_same_host: Annotated[bool, Meta(description="Whether a retry prefers an endpoint not tried yet.")] = True


class Hedging(Model, frozen=True, kw_only=True):
    """When a try takes longer, a second one starts beside it and the first good answer counts.

    For routes that may repeat a request: they need a retry policy.
    """

    per_try_timeout: Annotated[Duration, Meta(description="Time after which the next try starts.")]


class OutlierDetection(Model, frozen=True, kw_only=True):
    """An endpoint that fails too often in a row is left out, longer each time."""

    consecutive_errors: Annotated[
        Positive, Meta(description="Server errors (5xx) or failed connections in a row; fewer never eject.")
    ] = 5
    consecutive_gateway_errors: Annotated[
        Positive | None, Meta(description="502, 503, 504 or failed connections in a row, where fewer are to eject.")
    ] = None
    interval: Annotated[Duration, Meta(description="How often ejected endpoints are looked at.")] = "10s"
    base_ejection_time: Annotated[
        Duration, Meta(description="How long an endpoint is left out, times how often it was.")
    ] = "30s"
    max_ejection_time: Annotated[Duration, Meta(description="Longest time an endpoint is left out.")] = "300s"
    max_ejection_percent: Annotated[Percent, Meta(description="Endpoints that may be left out at once.")] = 50


class SessionCookie(Model, frozen=True, kw_only=True):
    """The cookie holds the endpoint's address, encoded, and is out of reach for scripts (HttpOnly)."""

    name: Annotated[str, Meta(description="Name of the cookie.")] = "isoline-session"
    ttl: Annotated[Duration | None, Meta(description="Life of the cookie; the browser's session when unset.")] = None
    path: Annotated[Path, Meta(description="Path for which the client sends it.")] = "/"
    same_site: Annotated[Literal["Strict", "Lax", "None"] | None, Meta(description="Attribute SameSite.")] = "Lax"
    secure: Annotated[bool, Meta(description="Attribute Secure: never sent over plain HTTP.")] = False
    strict: Annotated[
        bool, Meta(description="Whether a client whose endpoint is gone gets 503 instead of another endpoint.")
    ] = False
