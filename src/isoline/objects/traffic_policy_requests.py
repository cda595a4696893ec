"""The parts of a TrafficPolicy that are about requests before they reach an upstream."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Natural, Positive, Quantity
from isoline.objects.model import Model


class RequestBody(Model, frozen=True, kw_only=True):
    """A larger body is answered with 413, as soon as its length is known or that many bytes have come."""

    max_size: Annotated[Quantity, Meta(description="Largest request body in bytes, such as 100Mi.")]


class RequestHeaders(Model, frozen=True, kw_only=True):
    """More is answered with 431. The gateway's own limits hold besides."""

    max_size: Annotated[
        Quantity | None, Meta(description="Bytes of all header names and values together, such as 8Ki.")
    ] = None
    max_count: Annotated[Positive | None, Meta(description="Header lines.")] = None


class PathRewrite(Model, frozen=True, kw_only=True):
    """The part of the path that matches is replaced; the query stays."""

    regex: Annotated[str, Meta(description="RE2 expression that is looked for in the path.")]
    substitution: Annotated[str, Meta(description=r"What replaces every match; \1 is the first group.")]


class RateLimit(Model, frozen=True, kw_only=True):
    """A bucket of requests, or one for each client or key. When it is empty the answer is 429.

    Each gateway counts for itself.
    """

    requests: Annotated[Positive, Meta(description="Requests allowed in each unit of time.")]
    per: Annotated[Literal["second", "minute", "hour"], Meta(description="Unit of time.")] = "second"
    burst: Annotated[Natural, Meta(description="Requests allowed on top, when none came before.")] = 0
    by: Annotated[
        Literal["All", "ClientIP", "Header"],
        Meta(
            description="Who shares a bucket: everybody, those of one address (IPv6: one /64), or those that send the "
            "same value of a header. Requests without the header are counted by address."
        ),
    ] = "All"
    header: Annotated[str, Meta(description="Name of the header, where that is what counts.")] = ""
