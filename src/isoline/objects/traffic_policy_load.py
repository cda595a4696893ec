"""The parts of a TrafficPolicy that are about how much goes through at a time, and where it goes when it cannot."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Duration, Name, Natural, Port, Positive, Quantity
from isoline.objects.model import Model

TEXTS = (
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/wasm",
    "application/xhtml+xml",
    "application/xml",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/markdown",
    "text/xml",
)
"""What gets much smaller, and is not the answer of a model that speaks while it thinks."""


class Compression(Model, frozen=True, kw_only=True):
    """Answers are compressed for clients that accept it. Event streams, audio and video never are."""

    algorithms: Annotated[
        tuple[Literal["gzip", "brotli", "zstd"], ...], Meta(description="What is offered, the best first.")
    ] = ("zstd", "brotli", "gzip")
    content_types: Annotated[tuple[str, ...], Meta(description="Media types that are compressed.")] = TEXTS
    min_size: Annotated[
        Quantity, Meta(description="Bytes from which an answer is compressed, where its length is known.")
    ] = 1024


class Bandwidth(Model, frozen=True, kw_only=True):
    """Bytes in each second, of all requests together. Each gateway counts for itself."""

    requests: Annotated[Quantity | None, Meta(description="What clients may send, such as 10Mi.")] = None
    responses: Annotated[Quantity | None, Meta(description="What clients may get, such as 10Mi.")] = None


class EndpointConcurrency(Model, frozen=True, kw_only=True):
    """An endpoint works on so many requests at a time; others go where fewest are, or wait."""

    max_requests: Annotated[Positive, Meta(description="Requests that one endpoint works on at a time.")]
    max_waiting: Annotated[
        Natural | None, Meta(description="Requests that may wait for all endpoints together; more get 503.")
    ] = None


class AdaptiveConcurrency(Model, frozen=True, kw_only=True):
    """As many requests at a time as the app takes without getting slower, found by measuring; more get 503."""

    max_requests: Annotated[Positive, Meta(description="Never more than so many at a time.")] = 1000
    min_requests: Annotated[Positive, Meta(description="As many at a time while the quickest answer is measured.")] = 3
    percentile: Annotated[
        int, Meta(ge=1, le=99, description="Which of the measured times counts; 50 is the middle one.")
    ] = 50
    update_interval: Annotated[Duration, Meta(description="How often the number is set anew.")] = "100ms"
    measure_interval: Annotated[Duration, Meta(description="How often the quickest answer is measured anew.")] = "60s"
    samples: Annotated[Positive, Meta(description="Answers that one measurement of the quickest takes.")] = 50


class ClientCertificate(Model, frozen=True, kw_only=True):
    """What the gateway shows to upstreams that speak TLS (`tls`, `h2`)."""

    secret_name: Annotated[str, Meta(description="Secret of the type kubernetes.io/tls in the policy's namespace.")]


class FailoverService(Model, frozen=True, kw_only=True):
    """A Service in the policy's namespace. It is spoken to in the same way as the one that it stands in for."""

    name: Annotated[Name, Meta(description="Name of the Service.")]
    port: Annotated[Port, Meta(description="Port of the Service.")]


class HTTP3(Model, frozen=True, kw_only=True):
    """The hosts are served over HTTP/3 as well, where the GatewayConfig opens a port for it."""

    max_age: Annotated[Duration, Meta(description="How long clients may remember that there is HTTP/3.")] = "24h"
