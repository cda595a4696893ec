"""Traces of requests, as a GatewayConfig asks for them."""

from typing import Annotated

from msgspec import Meta

from isoline.objects.formats import Endpoint, Positive
from isoline.objects.model import Model


class TraceTag(Model, frozen=True, kw_only=True):
    """One tag of every span: exactly one of `literal` and `requestHeaderName`."""

    tag_name: Annotated[str, Meta(min_length=1, description="Name of the tag.")]
    literal: Annotated[str, Meta(description="Its value.")] = ""
    request_header_name: Annotated[str, Meta(description="The request header that holds its value.")] = ""


class Tracing(Model, frozen=True, kw_only=True):
    """Spans of requests, sent by OTLP over gRPC."""

    endpoint: Annotated[Endpoint, Meta(description='host:port of the collector, such as "127.0.0.1:4317".')]
    service_name: Annotated[str, Meta(min_length=1, description="What the gateway is called in traces.")] = "isoline"
    overall_sampling: Annotated[float, Meta(ge=0, le=100, description="Per cent of the requests.")] = 100.0
    max_path_tag_length: Annotated[Positive, Meta(description="Longest path in a span; longer ones are cut.")] = 256
    custom_tags: Annotated[tuple[TraceTag, ...], Meta(description="Tags of every span.")] = ()
