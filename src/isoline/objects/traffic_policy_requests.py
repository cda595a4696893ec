"""The parts of a TrafficPolicy that are about requests before they reach an upstream."""

from typing import Annotated

from msgspec import Meta

from isoline.objects.formats import Positive, Quantity
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
